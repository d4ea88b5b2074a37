# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""DACLs of several OUs, whatever the reason they are changed for: compared, kept as restore points, written."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.dacl_writer import Edit, Writer
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    refuse_unwritable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import RestorePoint
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError, after_changes
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Plan


class RestoreJournal:
    """The journal of a Writer.

    Args:
        file: Where the points are kept; None when nobody asked for any.
        directory: What is written to.
        reasons: What the change is, as a sentence, by DN.
        restores: The changes put older lists back.
    """

    def __init__(
        self, file: RestoreFile | None, directory: Directory, reasons: Mapping[str, str], *, restores: bool
    ) -> None:
        self._file = file
        self._clock = directory.clock
        self._server = str(directory.facts()["server"])
        self._reasons = reasons
        self._restores = restores
        self._points: dict[Edit, RestorePoint] = {}

    def remember(self, edits: Sequence[Edit]) -> None:
        """Keep what these lists are, and what they become.

        Raises:
            RestoreError: The file cannot be written.
        """
        if not self._file:
            return
        time = self._clock.now().isoformat(timespec="milliseconds")
        new = {edit: self._point(edit, time) for edit in edits}
        self._points |= new
        self._file.add(tuple(new.values()))

    def forget(self, edits: Sequence[Edit]) -> None:
        """Drop what was remembered of edits that were not made, because somebody else was faster.

        Raises:
            RestoreError: The file cannot be written.
        """
        if self._file and edits:
            self._file.drop([self._points[edit] for edit in edits])

    def _point(self, edit: Edit, time: str) -> RestorePoint:
        old, new = edit.known.to_bytes(), edit.wanted.to_bytes()
        return RestorePoint(edit.dn, old, new, time, self._server, self._reasons[edit.dn], self._restores)


Compare: t.TypeAlias = Callable[[str, SecurityDescriptor], "Change | None"]


class DaclChanges:
    """The DACLs of some units: compared one by one, written together, a restore point for each.

    Args:
        lookup: Where they are.
        username: As whom the directory is used, for messages.
        backup: Where restore points go, if anywhere.
        restores: The changes put older lists back.
    """

    def __init__(
        self, lookup: DomainLookup, username: str, backup: RestoreFile | None, *, restores: bool = False
    ) -> None:
        self._username = username
        self._compare: Compare = lambda dn, descriptor: None
        self._known: dict[str, SecurityDescriptor] = {}
        self._reasons: dict[str, str] = {}
        journal = RestoreJournal(backup, lookup.directory, self._reasons, restores=restores)
        self._writer = Writer(lookup.directory, journal)

    def parse(self, units: Sequence[OrganizationalUnit]) -> Iterable[SecurityDescriptor]:
        """Read all lists that are well-formed; ``plan`` tells of the others."""
        for unit in units:
            with suppress(MalformedDescriptor):
                self._known[unit.dn] = SecurityDescriptor.parse(unit.descriptor or b"")
        return self._known.values()

    def plan(self, units: Sequence[OrganizationalUnit], compare: Compare) -> Plan:
        """Compare all of them before anything is said.

        Args:
            units: What was parsed.
            compare: Says what has to change.

        Raises:
            OdjError: Names every unit that must not or may not be changed.
        """
        self._compare = compare
        changes: list[Change] = []
        problems: list[OdjError] = []
        for unit in units:
            try:
                known = self._known.get(unit.dn) or SecurityDescriptor.parse(unit.descriptor or b"")
                change = compare(unit.dn, known)
            except MalformedDescriptor as problem:
                problems.append(MalformedDescriptor(problem.got, unit.dn))
                continue
            except OdjError as problem:
                problems.append(problem)
                continue
            changes += [change] if change else []
        if problems:
            raise _together(problems)
        changing = {change.target for change in changes}
        refuse_unwritable([unit for unit in units if unit.dn in changing], self._username)
        return Plan(tuple(changes))

    def apply(self, plan: Plan) -> None:
        """Write the access lists that differ.

        Raises:
            OdjError: One could not be written; names those that were.
        """
        self._reasons |= {change.target: change.summary for change in plan.changes}
        edits = [
            Edit(c.target, self._known[c.target], t.cast(SecurityDescriptor, c.payload), self._again(c.target))
            for c in plan.changes
        ]
        try:
            self._writer.write(edits)
        except OdjError as problem:
            others = [dn for dn in self._writer.done if dn not in problem.on.split("; ")]
            raise after_changes(problem, others) from problem.__cause__

    def facts(self) -> dict[str, t.Any]:
        """Return where somebody else wrote at the same time."""
        return {"written_again": list(self._writer.again)}

    def _again(self, dn: str) -> Callable[[SecurityDescriptor], SecurityDescriptor | None]:
        def again(descriptor: SecurityDescriptor) -> SecurityDescriptor | None:
            change = self._compare(dn, descriptor)
            return t.cast(SecurityDescriptor, change.payload) if change else None

        return again


def _together(problems: Sequence[OdjError]) -> OdjError:
    if len(problems) == 1:
        return problems[0]
    return OdjError(
        "plan the delegations", got="; ".join(str(problem) for problem in problems), advice="Nothing was changed."
    )
