# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""A restart that an installer asked for and that was not made: noted on the server, so that the next run knows of it.

Windows has no record of its own that says who asked for what. What an installer did that wants a restart shows only
after that; until then the installer is not run again, and the outcome is not judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import from_ticks, utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import Build
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Probe,
    Snapshot,
    ask_registry,
    registry_text,
)

_KEY, _VALUE = r"SOFTWARE\hybridjoin.odj", "PendingRestart"
REMOVAL = "absent"


@dataclass(frozen=True, slots=True)
class PendingRestart:
    """The note.

    Attributes:
        outcome: The build that is to be there after the restart, or "absent".
        exit_code: With which the installer asked for it.
        noted_at: By the server's clock, UTC in ISO 8601.
    """

    outcome: str
    exit_code: int
    noted_at: str


def pending_probe() -> Probe:
    """Return the question whose answer ``read_pending`` understands; it needs the answer of ``host`` as well."""
    return ask_registry("pending_restart", rf"HKLM\{_KEY}", values=(_VALUE,))


def read_pending(snapshot: Snapshot) -> PendingRestart | None:
    """Return the note; None when there is none, or what stands there is not one."""
    text = registry_text(snapshot.value("pending_restart").part("values"), _VALUE)
    try:
        parsed = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    note = Fields(parsed) if isinstance(parsed, Mapping) else Fields()
    outcome, code, noted_at = note.text("outcome"), note.number("exit_code"), note.text("noted_at")
    if outcome is None or code is None or noted_at is None:
        return None
    return PendingRestart(outcome, code, noted_at)


def is_pending(snapshot: Snapshot, note: PendingRestart | None) -> bool:
    """Return whether there is a note and the server has not started since; True when it does not tell."""
    boot = snapshot.value("host").text("boot_time")
    # Both are UTC in ISO 8601, so the first 19 characters compare as text.
    return note is not None and (boot is None or boot[:19] <= note.noted_at[:19])


def outcome_of(build: Build | None) -> str:
    """Return what an installation or, without a build, a removal is to leave."""
    return REMOVAL if build is None else str(build)


def note_options(snapshot: Snapshot, build: Build | None, exit_code: int) -> dict[str, object]:
    """Return the options of ``ansible.windows.win_regedit`` that make the note."""
    now = from_ticks(snapshot.value("host").number("ticks_end")) or snapshot.answered_at
    note = PendingRestart(outcome_of(build), exit_code, utc_text(now))
    return {"path": rf"HKLM:\{_KEY}", "name": _VALUE, "data": json.dumps(asdict(note)), "type": "string"}


def forget_options() -> dict[str, object]:
    """Return the options of ``ansible.windows.win_regedit`` that take the note away."""
    return {"path": rf"HKLM:\{_KEY}", "name": _VALUE, "state": "absent"}


def still_pending(exit_code: int) -> str:
    """Return the sentence for a restart that has not been made."""
    return (
        f"The installer asked for a restart (exit code {exit_code}) that has not been made. Restart the server, or set "
        "the option reboot, and run again: the outcome is judged then."
    )


def restarted_in_vain(server: str, note: PendingRestart, found: str) -> OdjError:
    """Return the error for an installer that asks for restarts and changes nothing."""
    return OdjError(
        "confirm the installation",
        on=server,
        got=f"the installer asked for a restart again; the server has been restarted since {note.noted_at}, when it "
        f"did so before, and {found} is installed",
        advice="Look into the installer's log in the user's directory for temporary files.",
    )
