# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Where a set-up program on the controller may lie when only its name is given, and whether it is the right one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath


def places_of(src: str, variables: Mapping[str, object]) -> tuple[str, ...]:
    """Return where a relative path is looked for beside what Ansible does itself: beside inventory and playbook.

    A playbook of a collection lies where no user puts files, so Ansible's own search finds nothing there.

    Args:
        src: The path as it was given.
        variables: Those of the task: ``inventory_dir`` and ``playbook_dir`` count.
    """
    if PurePath(src).is_absolute():
        return ()
    directories = (variables.get("inventory_dir"), variables.get("playbook_dir"))
    return tuple(str(PurePath(one) / src) for one in directories if isinstance(one, str) and one)


def verdict(src: str, found: str | None, digest: str | None, checksum: str | None) -> dict[str, str]:
    """Return the verdict on a set-up program on the controller: name, verdict, found, wanted, cause and cure.

    Args:
        src: The path as it was given.
        found: Where it lies; None when nowhere.
        digest: Its SHA-256; None when it cannot be read.
        checksum: The expected one.
    """
    row = {"name": "installer", "found": found or "nothing", "wanted": f"{src} with SHA-256 {checksum}"}
    if found is None:
        cause = f"There is no {src} on the controller, neither in files of the play nor beside inventory or playbook."
        return {
            **row,
            "verdict": "unmet",
            "cause": cause,
            "cure": "Put it beside the inventory, or give its full path.",
        }
    if digest is None:
        cause = f"{found} on the controller cannot be read."
        return {**row, "verdict": "unmet", "cause": cause, "cure": "Let the user who runs Ansible read it."}
    if digest != checksum:
        cause = f"The SHA-256 of {found} is {digest}, expected was {checksum}."
        return {**row, "verdict": "unmet", "cause": cause, "cure": "Give the right file, or correct the checksum."}
    return {**row, "verdict": "met", "cause": "", "cure": ""}
