# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one door to changes of the directory: operations performed, access lists compared and kept as restore points."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.dacl_writer import Edit, Writer
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    refuse_unwritable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestorePoint,
    fingerprint,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    CreateAccount,
    DeleteAccount,
    Fence,
    LinkHost,
    ModifyAccount,
    Operation,
    Plan,
    Record,
    RestoreDacl,
    UnlinkHost,
    WriteDacl,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock

HOST_LINK = "msDS-HostServiceAccount"  # of a computer: the accounts that work there


BACKUP_OPTIONS: dict[str, t.Any] = {
    "backup_path": {"type": "path"},
    "backup_keep": {"type": "int", "default": 10},
}


def restore_file_from(params: Mapping[str, t.Any]) -> RestoreFile | None:
    """Return the file of restore points that the options of BACKUP_OPTIONS name; None when they name none.

    Raises:
        InvalidInput: A number is out of its range.
        RestoreError: No restore points can be kept there, or something else is there.
    """
    if params["backup_keep"] < 0:
        raise InvalidInput("read the options", on="backup_keep", got="it must not be negative")
    path = params["backup_path"]
    return RestoreFile.checked(path, SystemClock(), params["backup_keep"]) if path else None


def interrupted_points(points: Sequence[RestorePoint], known: Mapping[str, SecurityDescriptor]) -> list[RestorePoint]:
    """Return the last point of each list that a task wrote that was killed before it could take note of that.

    Args:
        points: All of the file, oldest first.
        known: The lists as they are, by DN.
    """
    prints = {Dn.parse(dn).key: fingerprint(descriptor) for dn, descriptor in known.items()}
    last = {Dn.parse(point.dn).key: point for point in points}
    return [point for key, point in last.items() if not point.made and point.new_hash == prints.get(key)]


class RestoreJournal:
    """The journal of a Writer.

    Args:
        file: Where the points are kept; None when nobody asked for any.
        directory: What is written to.
        operations: What the changes are, by DN.
    """

    def __init__(self, file: RestoreFile | None, directory: Directory, operations: Mapping[str, WriteDacl]) -> None:
        self._file = file
        self._clock = directory.clock
        self._server = str(directory.facts()["server"])
        self._operations = operations
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
        self._file.add(tuple(new.values()))
        self._points |= new

    def settle(self, made: Sequence[Edit], not_made: Sequence[Edit]) -> None:
        """See Journal.

        Raises:
            RestoreError: The file cannot be written.
        """
        if self._file and self._points:
            made_points, others = ({self._points[edit] for edit in edits} for edits in (made, not_made))
            self._file.settle(made_points, others)

    def _point(self, edit: Edit, time: str) -> RestorePoint:
        old, new, operation = edit.known.to_bytes(), edit.wanted.to_bytes(), self._operations[edit.dn]
        restores = isinstance(operation, RestoreDacl)
        return RestorePoint(edit.dn, old, new, time, self._server, operation.summary, restores)


Compare: t.TypeAlias = Callable[[str, SecurityDescriptor], "WriteDacl | None"]


class DirectoryChanges:
    """What a task changes in the directory.

    Args:
        lookup: Where.
        username: As whom the directory is used, for messages.
        backup: Where restore points go, if anywhere.
    """

    def __init__(self, lookup: DomainLookup, username: str, backup: RestoreFile | None) -> None:
        self._directory = lookup.directory
        self._username = username
        self._backup = backup
        self._interrupted: list[RestorePoint] = []
        self._compare: Compare | None = None
        self._known: dict[str, SecurityDescriptor] = {}
        self._lists: dict[str, WriteDacl] = {}
        self._writer = Writer(lookup.directory, RestoreJournal(backup, lookup.directory, self._lists))

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
            compare: Says what has to change; asked again about a list that somebody else changed meanwhile.

        Raises:
            OdjError: Names every unit that must not or may not be changed.
        """
        self._compare = compare
        if self._backup and not self._lists:
            self._interrupted = interrupted_points(self._backup.read(), self._known)
        changes: list[WriteDacl] = []
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

    def perform(self, operation: Operation, fence: Fence | None = None) -> None:
        """Perform one operation, planned in this process or another.

        A list that is another one than the operation was planned for is compared anew where this object planned it,
        and refused otherwise.

        Args:
            operation: One of the directory's.
            fence: None: a directory keeps no marks of runs that a fence could be held against.

        Raises:
            InvalidInput: It is an operation of something else, or a fence is given.
            OdjError: The directory refuses it.
        """
        if fence:
            raise InvalidInput("perform the operation", on=operation.target, got="the directory knows no fence")
        here = self._directory
        match operation:
            case WriteDacl():
                self._write([operation])
            case CreateAccount():
                values = {name: [value] for name, value in operation.values.items() if value}
                here.add(operation.target, operation.object_class, values)
            case ModifyAccount():
                given = {name: [] if value is None else [value] for name, value in operation.values.items()}
                here.modify(operation.target, {name: ("replace", value) for name, value in given.items()})
            case DeleteAccount():
                here.delete(operation.target)
            case LinkHost():
                here.modify(operation.target, {HOST_LINK: ("add", [operation.account.encode()])})
            case UnlinkHost():
                here.modify(operation.target, {HOST_LINK: ("delete", [operation.account.encode()])})
            case _:
                raise InvalidInput("perform the operation", on=operation.target, got="it is none of the directory's")

    def apply(self, plan: Plan, record: Record) -> None:
        """Perform all operations of a plan: access lists together and first, then the others in their order.

        The lists come first since the SID of an account that is removed goes with it.

        Raises:
            OdjError: One could not be performed.
        """
        lists = [operation for operation in plan.changes if isinstance(operation, WriteDacl)]
        if lists:
            try:
                self._write(lists)
            finally:
                self._take_note(lists, record)
        for operation in plan.changes:
            if not isinstance(operation, WriteDacl):
                with record.performing(operation):
                    self.perform(operation)

    def settle(self, record: Record) -> None:
        """Take note of what a task did that was killed before it could; that it cannot be noted is a warning."""
        if self._backup and self._interrupted:
            try:
                self._backup.settle(frozenset(self._interrupted), ())
            except OdjError as problem:
                record.warnings.append(str(problem))

    def facts(self) -> dict[str, t.Any]:
        """Return where somebody else wrote at the same time, what a killed task had done, and warnings."""
        writer = self._writer
        told: dict[str, t.Any] = {
            "written_again": list(writer.again),
            "interrupted": [
                {"organizational_unit": point.dn, "time": point.time, "summary": point.reason}
                for point in self._interrupted
            ],
            "lost_updates": {"possible": list(writer.overwrote), "not_checked": list(writer.not_checked)},
        }
        if writer.overwrote:
            told["warnings"] = [
                f"Somebody else wrote the access list of {dn} at the same time. What was asked for here is there; look "
                "whether the other change is, too."
                for dn in writer.overwrote
            ]
        return told

    def _take_note(self, lists: Sequence[WriteDacl], record: Record) -> None:
        done, doubtful = frozenset(self._writer.done), frozenset(self._writer.in_doubt)
        record.done += [one for one in lists if one.target in done]
        record.in_doubt += [one for one in lists if one.target in doubtful - done]
        record.warnings += self._writer.warnings
        record.evidence |= {name: value for name, value in self.facts().items() if name != "warnings"}

    def _write(self, lists: Sequence[WriteDacl]) -> None:
        self._lists |= {one.target: one for one in lists}
        self._writer.write([self._edit(one) for one in lists])

    def _edit(self, operation: WriteDacl) -> Edit:
        known, wanted = SecurityDescriptor.parse(operation.known), SecurityDescriptor.parse(operation.wanted)
        return Edit(operation.target, known, wanted, self._again(operation.target))

    def _again(self, dn: str) -> Callable[[SecurityDescriptor], SecurityDescriptor | None]:
        compare = self._compare

        def again(descriptor: SecurityDescriptor) -> SecurityDescriptor | None:
            if compare is None:
                raise OdjError(
                    "write the access list",
                    on=dn,
                    got="it is another one than the operation was planned for",
                    advice="It is left as it is. Plan again.",
                )
            operation = compare(dn, descriptor)
            return SecurityDescriptor.parse(operation.wanted) if operation else None

        return again


def _together(problems: Sequence[OdjError]) -> OdjError:
    if len(problems) == 1:
        return problems[0]
    return OdjError(
        "plan the delegations", got="; ".join(str(problem) for problem in problems), advice="Nothing was changed."
    )
