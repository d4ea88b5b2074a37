# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup, resolve
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    find_container,
    look_at_root_keys,
    read_service_account,
    refuse_taken,
    sam_name_of,
    wait_for_others,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    parse_all,
    refuse_missing,
    refuse_unreadable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Operation, Plan, Record, WriteDacl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    CLASSES,
    ENCRYPTION_TYPES,
    DesiredAccount,
    ListChange,
    ServiceAccount,
    ServiceAccountError,
    checked_name,
    desired_account,
    hosts_change_from,
    readers_change_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.changes import (
    adjustment,
    creation,
    host_links,
    refuse_denied,
    refuse_other_place,
    remarks_on,
    removal,
    without_aces_of,
    without_doubt,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    KeyVerdict,
    refuse_early,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_changes import (
    BACKUP_OPTIONS,
    DirectoryChanges,
    restore_file_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    at_server,
    check_other_servers,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, SystemClock

_EDIT: dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "add": {"type": "list", "elements": "str"},
        "remove": {"type": "list", "elements": "str"},
        "set": {"type": "list", "elements": "str"},
    },
    "mutually_exclusive": [("set", "add"), ("set", "remove")],
}
SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": list(CLASSES), "default": "standalone"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "path": {"type": "str"},
        "description": {"type": "str"},
        "enabled": {"type": "bool"},
        "dns_host_name": {"type": "str"},
        "managed_password_interval_days": {"type": "int", "default": 30, "no_log": False},
        "kerberos_encryption_types": {
            "type": "list",
            "elements": "str",
            "choices": list(ENCRYPTION_TYPES),
        },
        "require_kds_root_key": {"type": "bool", "default": False, "no_log": False},
        "host": {"type": "str"},
        "hosts": _EDIT,
        "allowed_readers": {"type": "list", "elements": "str"},
        "readers": _EDIT,
        "remove_delegations": {"type": "list", "elements": "str"},
        **BACKUP_OPTIONS,
        "replicated_to": {"type": "list", "elements": "str"},
        "replication_timeout": {"type": "int", "default": 300},
        "force": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [("host", "hosts"), ("allowed_readers", "readers")],
}


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """What the user asks for; the account, hosts and readers are still names."""

    name: AccountName
    desired: DesiredAccount
    present: bool
    path: Dn | None
    require_key: bool
    hosts: ListChange[str] | None
    readers: ListChange[str] | None
    delegations: Mapping[Dn, str]
    username: str
    others: Sequence[str]
    replication_timeout: int
    force: bool
    backup: RestoreFile | None


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names are checked for their form before anything is contacted."""
    return _opened(params, _request_from(params), open_it)


@contextmanager
def _opened(params: Mapping[str, t.Any], request: AccountRequest, open_it: OpenDirectory) -> Iterator[Job]:
    settings, clock = settings_from(params), SystemClock()
    with ExitStack() as stack:
        directory = stack.enter_context(open_it(settings, clock))
        check_other_servers(directory.facts()["server"], params["replicated_to"])

        def open_others() -> Mapping[str, Directory]:
            return {
                server: stack.enter_context(open_it(at_server(replace(settings, server_name=None), server), clock))
                for server in params["replicated_to"] or ()
            }

        yield Msa(directory, request, open_others)


def _request_from(params: Mapping[str, t.Any]) -> AccountRequest:
    """Read the options.

    Raises:
        InvalidInput: One of them cannot be meant as it stands.
        RestoreError: No restore points can be kept at backup_path, or something else is there.
    """
    name, hosts, readers = (
        AccountName.parse(params["name"], "name"),
        hosts_change_from(params),
        readers_change_from(params),
    )
    if params["replication_timeout"] < 0:
        raise InvalidInput("read the options", on="replication_timeout", got="it must not be negative")
    check_other_servers(params["server"], params["replicated_to"])
    units = params["remove_delegations"] or ()
    if units and params["state"] != "absent":
        raise InvalidInput("read the options", on="remove_delegations", got="it is for state absent only")
    return AccountRequest(
        name=name,
        desired=desired_account(checked_name(name.sam) if name.sam else "", params),
        present=params["state"] == "present",
        path=Dn.parse(params["path"]) if params["path"] else None,
        require_key=params["require_kds_root_key"],
        hosts=hosts,
        readers=readers,
        delegations=dict({n.key: (n, text) for n, text in zip(parse_all(units), units, strict=True)}.values()),
        username=settings_from(params).account,
        others=tuple(params["replicated_to"] or ()),
        replication_timeout=params["replication_timeout"],
        force=params["force"],
        backup=_backup(params),
    )


def _backup(params: Mapping[str, t.Any]) -> RestoreFile | None:
    if not params["backup_path"]:
        return None
    if params["remove_delegations"] is None:
        raise InvalidInput("read the options", on="backup_path", got="it is for remove_delegations only")
    return restore_file_from(params)


OpenOthers: t.TypeAlias = Callable[[], "Mapping[str, Directory]"]


class Msa:
    """Reads the account, compares, makes the object, the links and the access lists that differ, and waits for others.

    Args:
        directory: Where it is read and written.
        request: What the user asks for.
        open_others: Logs on to the further domain controllers that are to hold it in the end, and returns them by name.
    """

    def __init__(self, directory: Directory, request: AccountRequest, open_others: OpenOthers) -> None:
        self._directory = directory
        self._request = request
        self._open_others = open_others
        self._others: Mapping[str, Directory] | None = None
        self._lookup = DomainLookup(directory)
        self._desired = request.desired
        self._current: ServiceAccount | None = None
        self._key: KeyVerdict | None = None
        self._remarks: list[str] = []
        self._looks: Mapping[str, int] = {}
        self._writing = DirectoryChanges(self._lookup, request.username, request.backup)

    def plan(self) -> Plan:
        """Return the changes.

        Raises:
            OdjError: A name means nothing, or the account cannot become what is asked for.
        """
        self._desired = replace(self._desired, name=self._name())
        self._current = self._read(self._directory)
        return Plan(tuple(self._changes()))

    def apply(self, plan: Plan, record: Record) -> None:
        """Log on to the other servers, make the changes in their order, and read the account back.

        The others come first, so that a wrong name among them is not found too late.

        Raises:
            DirectoryError: Another server cannot be reached, the directory refuses, or the account is not as written
                afterwards.
        """
        self._reach_others()
        self._writing.apply(plan, record)
        self._current = self._read(self._directory)
        if (self._current is None) == self._request.present or self._changes():
            raise DirectoryError(
                "verify the service account that was written",
                on=plan.changes[0].target,
                got="the directory holds something else than what was written",
                advice="Somebody else may have changed it at the same moment. Look at it, then run again.",
            )

    def settle(self, plan: Plan, record: Record) -> None:
        """Take note of what a task did that was killed, and wait until the other servers hold the account.

        Raises:
            DirectoryError: Another server cannot be reached, or still holds another state in the end.
        """
        self._writing.settle(record)
        if not (others := self._reach_others()):
            return
        here = self._current.to_json() if self._current else None

        def arrived(directory: Directory) -> bool:
            there = self._read(directory)
            return (there.to_json() if there else None) == here

        name, timeout = f"{self._desired.name}$", self._request.replication_timeout
        self._looks = wait_for_others(others, arrived, name, timeout, self._directory.clock)

    def _reach_others(self) -> Mapping[str, Directory]:
        if self._others is None:
            self._others = self._open_others()
            for server, other in self._others.items():
                if root_dse(other, "defaultNamingContext").text("defaultNamingContext") != self._lookup.base:
                    got = f"it does not hold {self._lookup.base}"
                    raise DirectoryError("wait for the replication", on=server, got=got)
        return self._others

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the account as it is now (in check mode: as it was), remarks, and what it cost."""
        desired, current = self._desired, self._current
        unsure = self._key is not None and self._key.state == "unknown"
        warning = f"Whether {desired.name}$ can have a password is not known: {self._key.reason}." if self._key else ""
        written = self._writing.facts()
        warnings = [*([warning] if unsure else []), *written.get("warnings", [])]
        absent = {"exists": False, "name": desired.name or self._request.name.text, "kind": desired.kind}
        return {
            "service_account": current.to_json() if current else absent,
            "remarks": self._remarks,
            "kds_root_key": self._key.to_json() if self._key else None,
            "replication": [{"server": name, "looks": self._looks.get(name, 0)} for name in self._request.others],
            "directory": self._directory.facts(),
            **written,
            **({"warnings": warnings} if warnings else {}),
        }

    def _name(self) -> str:
        """Return the sAMAccountName that is meant, without the dollar sign; "" for one that is gone already."""
        name = sam_name_of(self._lookup, self._request.name)
        if name is None and self._request.present:
            raise ServiceAccountError(
                "use the managed service account",
                on=self._request.name.text,
                got="there is no such account",
                advice="Correct name. To have an account made, give the sAMAccountName that it is to have.",
            )
        return name or ""

    def _read(self, directory: Directory) -> ServiceAccount | None:
        name = self._desired.name
        return read_service_account(directory, self._lookup.base, name) if name else None

    def _changes(self) -> list[Operation]:
        self._remarks = []
        if self._current:
            refuse_other_place(self._current, self._request.path)
        return self._present(self._current) if self._request.present else self._absent(self._current)

    def _present(self, current: ServiceAccount | None) -> list[Operation]:
        request, desired = self._request, self._desired
        names: Mapping[Sid, str] = {}
        if desired.kind == "group" and (request.require_key or current is None):
            self._key = self._key or look_at_root_keys(self._directory)
            refuse_early(self._key, desired.name, require=request.require_key)
        if request.readers:
            asked, change_of_readers, names = self._readers(request.readers)
            before = (current and current.readers) or ()
            readers = tuple(Trustee(sid, names.get(sid, str(sid))) for sid in change_of_readers.apply_to(before))
            desired = replace(desired, readers=readers)
            if current:
                refuse_denied(current, asked)
                current = without_doubt(current, asked)
        if current is None:
            change: Operation | None = self._creation(desired)
        else:
            change = adjustment(current, desired, names)
            self._remarks += remarks_on(current, desired)
        dn = current.dn if current else change.target if change else ""
        return [*([change] if change else []), *self._links(dn, current.hosts if current else ())]

    def _readers(self, change: ListChange[str]) -> tuple[tuple[Trustee, ...], ListChange[Sid], Mapping[Sid, str]]:
        """Return the accounts that are to read, the change in SIDs, and names; a deleted account goes by its SID."""
        asked = resolve(self._lookup, change.required)
        gone = resolve(self._lookup, change.remove, must_exist=False)
        names = {account.sid: account.name for account in (*asked, *gone)}
        self._remarks += [
            f"{one.name} is a single computer. With a group in its place, computers come and go without a change here."
            for one in asked
            if one.kind == "computer"
        ]
        sids, removed = tuple(one.sid for one in asked), tuple(one.sid for one in gone)
        exact = change.exactly is not None
        wanted = ListChange(sids if exact else None, () if exact else sids, removed)
        return asked, wanted.checked("readers", names.__getitem__), names

    def _creation(self, desired: DesiredAccount) -> Operation:
        change = creation(desired, find_container(self._lookup, str(self._request.path or "")))
        refuse_taken(self._lookup, change.target)
        return change

    def _links(self, dn: str, hosts: Sequence[str]) -> Sequence[Operation]:
        request = self._request
        if not request.hosts:
            return []
        change = ListChange(
            None if request.hosts.exactly is None else self._computers(request.hosts.exactly),
            self._computers(request.hosts.add),
            self._computers(request.hosts.remove, must_exist=False),
        ).checked("hosts")
        return host_links(dn, self._desired.kind, hosts, change, force=request.force)

    def _computers(self, names: Sequence[str], *, must_exist: bool = True) -> tuple[str, ...]:
        return tuple(one.dn for one in resolve(self._lookup, names, computers=True, must_exist=must_exist))

    def _absent(self, current: ServiceAccount | None) -> list[Operation]:
        if current is None:
            return []
        gone = removal(current, self._desired.kind, force=self._request.force)
        return [*self._delegations(current), gone]

    def _delegations(self, current: ServiceAccount) -> Sequence[Operation]:
        """Return the changes that take its entries along; they come first, since its SID goes with it."""
        asked = self._request.delegations
        if not asked:
            return ()
        units = find_units(self._lookup, list(asked.values()), list(asked))
        refuse_missing(units)
        refuse_unreadable(units)

        def comparison(dn: str, descriptor: SecurityDescriptor) -> WriteDacl | None:
            change, remark = without_aces_of(dn, descriptor, f"{current.name}$", current.sid)
            self._remarks += [remark] if remark and remark not in self._remarks else []
            return change

        self._writing.parse(units)
        return self._writing.plan(units, comparison).changes
