# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Writing access lists beside other writers: nothing of theirs is lost, and what was written is read back.

LDAP cannot compare and change a descriptor in one step. Samba refuses a modify that deletes the old value and adds the
new one (unwillingToPerform, "MOD_DELETE for nTSecurityDescriptor not supported yet"); of Active Directory it is not
known, so it is not tried. What is done instead is the timed exclusion of Fischer (L. Lamport, "A fast mutual exclusion
algorithm", 1987), which needs nothing but reading and writing:

- a list is written only within WINDOW seconds after it was read, and only if it still is what the change was made for;
- it is read back, for the last time, SETTLE seconds or more after it was written;
- whoever does not find the own change there makes it again, on top of what is there.

Two writers who read the same list both write within WINDOW seconds: the one who was overwritten has not yet looked for
the last time, and sees it. A slow link makes the wait longer.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    Directory,
    Procedure,
    Read,
    Write,
    chunks,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Progress
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import fingerprint
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

WINDOW = 0.1  # seconds
SETTLE = 0.2  # seconds; at least twice WINDOW
SLOW = 4  # the wait is at least this many times the longest time that a read and its write took
BATCH = 32  # lists that are read, and then written, at the same time: few enough for WINDOW
ROUNDS = 10  # how often a change that others keep overwriting is made

_ATTRIBUTE = "nTSecurityDescriptor"


@dataclass(frozen=True, slots=True)
class Edit:
    """One access list to be written.

    Attributes:
        dn: The object.
        known: The list that the change was made for.
        wanted: What it is to be.
        again: Returns what another list is to become, None when it needs no change; may refuse with an OdjError.
    """

    dn: str
    known: SecurityDescriptor
    wanted: SecurityDescriptor
    again: Callable[[SecurityDescriptor], SecurityDescriptor | None]


class Journal(t.Protocol):
    """Is told what is about to be written."""

    def remember(self, edits: Sequence[Edit]) -> None:
        """Take note of edits before any of them is made."""

    def forget(self, edits: Sequence[Edit]) -> None:
        """Take back those that were not made after all; called once, when everything is as it is to be."""


class Writer:
    """Writes the access lists of one task.

    Only WRITE_DAC is needed: the SD flags control keeps owner, group and audit list out of the requests
    (MS-ADTS 3.1.1.3.4.1.11).
    """

    def __init__(self, directory: Directory, journal: Journal) -> None:
        """Take a directory, and what is told of the edits."""
        self._directory = directory
        self._clock = directory.clock
        self._journal = journal
        self._not_made: list[Edit] = []
        self._longest = 0.0
        self._written_at: dict[str, float] = {}
        self.done: list[str] = []
        self.again: list[str] = []

    def write(self, edits: Sequence[Edit]) -> None:
        """Make the edits; ``done`` names what was written, ``again`` where somebody else wrote at the same time.

        Raises:
            DirectoryError: The directory refuses, or others keep overwriting a list.
            OdjError: A list that somebody else changed is one that must not be changed now.
        """
        pending = list(edits)
        progress = Progress(self._clock)
        for attempt in range(ROUNDS):
            if attempt:
                self.again += [edit.dn for edit in pending if edit.dn not in self.again]
            self._journal.remember(pending)
            written: list[Edit] = []
            overtaken: list[Edit] = []
            while pending:
                pending = self._batch(pending, written, overtaken)
                progress.reached("access lists written", len(self.done), len(edits))
            pending = [*overtaken, *self._lost(written, progress)]
            if not pending:
                self._journal.forget(self._not_made)
                return
        raise DirectoryError(
            "change the access list",
            on="; ".join(edit.dn for edit in pending),
            got=f"the directory held something else each of the {ROUNDS} times it was read back",
            advice="Somebody else keeps changing it, or the directory does not take these entries. Look at it first.",
        )

    def _batch(self, pending: list[Edit], written: list[Edit], overtaken: list[Edit]) -> list[Edit]:
        """Read some lists and write them while what was read is fresh; return the edits that have to wait."""
        batch = pending[:BATCH]
        began = self._clock.monotonic()
        due: list[Edit] = []
        for edit, now in zip(batch, self._read(batch), strict=True):
            if fingerprint(now) == fingerprint(edit.known):
                due.append(edit)
            else:
                self._not_made.append(edit)
                overtaken += _renewed(edit, now)
        started: list[Edit] = []

        def writes() -> Iterator[Procedure[Edit]]:
            for edit in due:
                if started and self._clock.monotonic() - began > WINDOW:
                    return
                started.append(edit)
                yield self._written(edit, began)

        outcomes = list(self._directory.run_all(writes()))
        written += [outcome for outcome in outcomes if isinstance(outcome, Edit)]
        _raise_problems(outcomes)
        return due[len(started) :] + pending[BATCH:]

    def _written(self, edit: Edit, began: float) -> Procedure[Edit]:
        yield Write(edit.dn, {_ATTRIBUTE: ("replace", [edit.wanted.to_bytes()])}, dacl=True)
        self._written_at[edit.dn] = self._clock.monotonic()
        self._longest = max(self._longest, self._written_at[edit.dn] - began)
        self.done += [edit.dn] if edit.dn not in self.done else []
        return edit

    def _lost(self, written: Sequence[Edit], progress: Progress) -> Iterator[Edit]:
        """Read back what was written, each list once nobody can overwrite it unknowingly any more."""
        checked = 0
        for batch in chunks(written, BATCH):
            last = max(self._written_at[edit.dn] for edit in batch)
            self._clock.sleep(max(0.0, last + max(SETTLE, SLOW * self._longest) - self._clock.monotonic()))
            for edit, now in zip(batch, self._read(batch), strict=True):
                yield from _renewed(edit, now)
            checked += len(batch)
            progress.reached("access lists read back", checked, len(written))

    def _read(self, edits: Sequence[Edit]) -> list[SecurityDescriptor]:
        outcomes = list(self._directory.run_all(_list_of(edit.dn) for edit in edits))
        _raise_problems(outcomes)
        lists = [outcome for outcome in outcomes if isinstance(outcome, SecurityDescriptor)]
        gone = [edit.dn for edit, found in zip(edits, outcomes, strict=True) if found is None]
        if gone:
            raise DirectoryError(
                "read the access list",
                on="; ".join(gone),
                got="it is not there any more, or may not be read any more",
                advice="Somebody else changed it meanwhile. Look at it, then run again.",
            )
        return lists


def _list_of(dn: str) -> Procedure[SecurityDescriptor | None]:
    entry = yield Read(dn, [_ATTRIBUTE], dacl=True)
    data = entry.one(_ATTRIBUTE) if entry else None
    return None if data is None else SecurityDescriptor.of(dn, data)


def _raise_problems(outcomes: Sequence[object]) -> None:
    """Raise the one problem that came up, with a word about the others that came up at the same time.

    What happened to many in the same way, as when the connection ends, is said once.
    """
    same: dict[tuple[str, str, str], list[OdjError]] = {}
    for problem in outcomes:
        if isinstance(problem, OdjError):
            same.setdefault((problem.tried, problem.got, problem.advice), []).append(problem)
    problems = [_of_all(alike) for alike in same.values()]
    if not problems:
        return
    first, *others = problems
    if not others:
        raise first
    advice = f"{first.advice} At the same time: {' '.join(map(str, others))}".lstrip()
    raise OdjError(first.tried, on=first.on, got=first.got, advice=advice)


def _renewed(edit: Edit, now: SecurityDescriptor) -> Iterator[Edit]:
    """Yield the edit for the list as it is now, if it still needs one."""
    if fingerprint(now) == fingerprint(edit.wanted):
        return
    wanted = edit.again(now)
    if wanted is not None:
        yield replace(edit, known=now, wanted=wanted)


def _of_all(alike: Sequence[OdjError]) -> OdjError:
    first, *others = alike
    if not others:
        return first
    return OdjError(first.tried, on="; ".join(problem.on for problem in alike), got=first.got, advice=first.advice)
