# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Writing access lists beside other writers: what was written is read back, and a lost update is detected.

LDAP cannot compare and change a descriptor in one step. Samba refuses a modify that deletes the old value and adds the
new one (unwillingToPerform, "MOD_DELETE for nTSecurityDescriptor not supported yet"); of Active Directory it is not
known, so it is not tried. What is done instead is the timed exclusion of Fischer (L. Lamport, "A fast mutual exclusion
algorithm", 1987), which needs nothing but reading and writing:

- a list is written only within WINDOW seconds after it was read, and only if it still is what the change was made for;
- it is read back, for the last time, SETTLE seconds or more after it was written;
- whoever does not find the own change there makes it again, on top of what is there.

Two writers who read the same list and both write within WINDOW seconds: the one who was overwritten has not yet looked
for the last time, and sees it. A slow link makes the wait longer. A write that is on its way for longer than that can
overwrite a list that nobody looks at any more. That cannot be prevented, but it is detected: the domain controller
counts the writes of each attribute (replPropertyMetaData), so a writer who finds more than one between its read and its
read-back knows that somebody else's write came between, and that it may have overwritten it. An account that may not
read the count gets "not checked".
"""

from __future__ import annotations

import struct
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
_COUNTS = "replPropertyMetaData"
# The number of nTSecurityDescriptor (1.2.840.113556.1.2.281) with the prefix table that every domain controller begins
# with (MS-DRSR 5.16.4).
_ATTRIBUTE_TYPE = 0x00020119
# The value of replPropertyMetaData as in replPropertyMetaDataBlob of Samba's drsblobs.idl: version 1, reserved, count,
# reserved; then for each attribute: type, version, time, originating server, its USN, the local USN.
_COUNTS_HEAD = struct.Struct("<IIII")
_COUNTS_ITEM = struct.Struct("<IIQ16sQQ")


@dataclass(frozen=True, slots=True, eq=False)
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


@dataclass(frozen=True, slots=True)
class Found:
    """An access list as it was read.

    Attributes:
        dacl: The list.
        writes: How often it was written so far; None where that may not be read.
    """

    dacl: SecurityDescriptor
    writes: int | None


class Journal(t.Protocol):
    """Is told what is about to be written, and what came of it."""

    def remember(self, edits: Sequence[Edit]) -> None:
        """Take note of edits before any of them is made."""

    def settle(self, made: Sequence[Edit], not_made: Sequence[Edit]) -> None:
        """Take note of what was made, and take back what was not; called once, whatever ended the writing.

        What is in neither is in doubt.
        """


class Writer:
    """Writes the access lists of one task.

    Only WRITE_DAC is needed: the SD flags control keeps owner, group and audit list out of the requests
    (MS-ADTS 3.1.1.3.4.1.11).

    Attributes:
        done: DNs of the lists that were written.
        in_doubt: Those whose write was begun, and nobody knows whether it was made.
        again: Those that somebody else wrote at the same time, so that the change was made on top of theirs.
        overwrote: Those that somebody else wrote between our read and our read-back, so that one of the two may have
            overwritten the other.
        warnings: What else a person should know.
        not_checked: Those whose count of writes may not be read, so that nothing is known of that.
    """

    def __init__(self, directory: Directory, journal: Journal) -> None:
        """Take a directory, and what is told of the edits."""
        self._directory = directory
        self._clock = directory.clock
        self._journal = journal
        self._remembered: list[Edit] = []
        self._begun: list[Edit] = []
        self._made: list[Edit] = []
        self._longest = 0.0
        self._written_at: dict[str, float] = {}
        self._writes_before: dict[str, int | None] = {}
        self.done: list[str] = []
        self.in_doubt: list[str] = []
        self.again: list[str] = []
        self.overwrote: list[str] = []
        self.not_checked: list[str] = []
        self.warnings: list[str] = []

    def write(self, edits: Sequence[Edit]) -> None:
        """Make the edits.

        Raises:
            DirectoryError: The directory refuses, or others keep overwriting a list.
            OdjError: A list that somebody else changed is one that must not be changed now.
        """
        try:
            self._write(edits)
        except OdjError:
            self._settle_journal()
            raise
        self._settle_journal()

    def _settle_journal(self) -> None:
        made, begun = set(self._made), set(self._begun)
        not_made = [edit for edit in self._remembered if edit not in made and edit not in begun]
        try:
            self._journal.settle(self._made, not_made)
        except OdjError as problem:
            self.warnings.append(str(problem))

    def _write(self, edits: Sequence[Edit]) -> None:
        pending = list(edits)
        progress = Progress(self._clock)
        for attempt in range(ROUNDS):
            if attempt:
                self.again += [edit.dn for edit in pending if edit.dn not in self.again]
            self._journal.remember(pending)
            self._remembered += pending
            written: list[Edit] = []
            overtaken: list[Edit] = []
            while pending:
                pending = self._batch(pending, written, overtaken)
                progress.reached("access lists written", len(self.done), len(edits))
            pending = [*overtaken, *self._lost(written, progress)]
            if not pending:
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
            if fingerprint(now.dacl) == fingerprint(edit.known):
                due.append(edit)
                self._writes_before[edit.dn] = now.writes
            else:
                overtaken += _renewed(edit, now.dacl)
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
        self._begun.append(edit)
        self.in_doubt.append(edit.dn)
        try:
            yield Write(edit.dn, {_ATTRIBUTE: ("replace", [edit.wanted.to_bytes()])}, dacl=True)
        except DirectoryError as problem:
            if not problem.in_doubt:
                self._begun.remove(edit)
                self.in_doubt.remove(edit.dn)
            raise
        self.in_doubt.remove(edit.dn)
        self._made.append(edit)
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
                self._count(edit.dn, now.writes)
                yield from _renewed(edit, now.dacl)
            checked += len(batch)
            progress.reached("access lists read back", checked, len(written))

    def _count(self, dn: str, after: int | None) -> None:
        """Say whether ours was the only write since the list was read."""
        before = self._writes_before[dn]
        if before is None or after in (None, before):  # a count that our own write did not raise tells nothing
            told = self.not_checked
        elif after != before + 1:
            told = self.overwrote
        else:
            return
        if dn not in told:
            told.append(dn)

    def _read(self, edits: Sequence[Edit]) -> list[Found]:
        outcomes = list(self._directory.run_all(_list_of(edit.dn) for edit in edits))
        _raise_problems(outcomes)
        lists = [outcome for outcome in outcomes if isinstance(outcome, Found)]
        gone = [edit.dn for edit, found in zip(edits, outcomes, strict=True) if found is None]
        if gone:
            raise DirectoryError(
                "read the access list",
                on="; ".join(gone),
                got="it is not there any more, or may not be read any more",
                advice="Somebody else changed it meanwhile. Look at it, then run again.",
            )
        return lists


def _list_of(dn: str) -> Procedure[Found | None]:
    entry = yield Read(dn, [_ATTRIBUTE, _COUNTS], dacl=True)
    data = entry.one(_ATTRIBUTE) if entry else None
    if entry is None or data is None:
        return None
    return Found(SecurityDescriptor.of(dn, data), writes_in(entry.one(_COUNTS)))


def writes_in(counts: bytes | None) -> int | None:
    """Return how often the descriptor of an object was written, out of its replPropertyMetaData.

    None where the account may not read it, or where it is nothing that is known here.
    """
    if counts is None or len(counts) < _COUNTS_HEAD.size:
        return None
    version, __, number, __ = _COUNTS_HEAD.unpack_from(counts)
    if version != 1 or len(counts) < _COUNTS_HEAD.size + number * _COUNTS_ITEM.size:
        return None
    items = _COUNTS_ITEM.iter_unpack(counts[_COUNTS_HEAD.size :][: number * _COUNTS_ITEM.size])
    return next((item[1] for item in items if item[0] == _ATTRIBUTE_TYPE), None)


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
