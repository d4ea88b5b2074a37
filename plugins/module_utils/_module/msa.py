# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import (
    Domains,
    find_units,
    resolve_accounts,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    SystemClock,
    computers_among,
    find_computers,
    find_container,
    look_at_root_keys,
    make_changes,
    read_service_account,
    refuse_taken,
    wait_for_others,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Account, AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    TargetError,
    parse_all,
    refuse_missing,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    CLASSES,
    ENCRYPTION_TYPES,
    ListChange,
    ServiceAccount,
    ServiceAccountError,
    Wanted,
    checked_dns_name,
    checked_name,
    edit_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.changes import (
    adjustment,
    creation,
    host_links,
    refuse_denied,
    remarks_on,
    removal,
    without,
    without_doubt,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    KeyVerdict,
    refuse_early,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.dacl_changes import AccessLists
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job

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
            "default": ["aes128", "aes256"],
        },
        "require_kds_root_key": {"type": "bool", "default": False, "no_log": False},
        "host": {"type": "str"},
        "hosts": _EDIT,
        "allowed_readers": {"type": "list", "elements": "str"},
        "readers": _EDIT,
        "remove_delegations": {"type": "list", "elements": "str"},
        "backup_path": {"type": "path"},
        "replicated_to": {"type": "list", "elements": "str"},
        "replication_timeout": {"type": "int", "default": 300},
        "force": {"type": "bool", "default": False},
    },
    "mutually_exclusive": [("host", "hosts"), ("allowed_readers", "readers")],
}


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """What the user asks for; hosts and readers are still names."""

    wanted: Wanted
    present: bool
    path: Dn | None
    require_key: bool
    hosts: ListChange[str] | None
    readers: ListChange[str] | None
    delegations: Mapping[Dn, str]
    username: str
    replication_timeout: int
    force: bool
    backup: RestoreFile | None


def request_from(params: Mapping[str, t.Any]) -> AccountRequest:
    """Read the options.

    Raises:
        InvalidInput: One of them cannot be meant as it stands.
        RestoreError: No restore points can be kept at backup_path, or something else is there.

    """
    hosts, readers = _hosts(params), _readers(params)
    if params["managed_password_interval_days"] < 1:
        raise InvalidInput("read the options", on="managed_password_interval_days", got="it must be at least 1")
    if not params["kerberos_encryption_types"]:
        raise InvalidInput(
            "read the options", on="kerberos_encryption_types", got="it is empty, which lets the directory choose"
        )
    if params["replication_timeout"] < 0:
        raise InvalidInput("read the options", on="replication_timeout", got="it must not be negative")
    check_others(params["server"], params["replicated_to"])
    units = params["remove_delegations"] or ()
    if units and params["state"] != "absent":
        raise InvalidInput("read the options", on="remove_delegations", got="it is for state absent only")
    return AccountRequest(
        wanted=_wanted(params),
        present=params["state"] == "present",
        path=Dn.parse(params["path"]) if params["path"] else None,
        require_key=params["require_kds_root_key"],
        hosts=hosts,
        readers=readers,
        delegations=dict({n.key: (n, text) for n, text in zip(parse_all(units), units, strict=True)}.values()),
        username=settings_from(params).account,
        replication_timeout=params["replication_timeout"],
        force=params["force"],
        backup=_backup(params),
    )


def _backup(params: Mapping[str, t.Any]) -> RestoreFile | None:
    if not params["backup_path"]:
        return None
    if params["remove_delegations"] is None:
        raise InvalidInput("read the options", on="backup_path", got="it is for remove_delegations only")
    backup = RestoreFile(params["backup_path"])
    backup.check()
    return backup


def _wanted(params: Mapping[str, t.Any]) -> Wanted:
    dns_name = params["dns_host_name"]
    return Wanted(
        name=checked_name(params["name"]),
        kind=params["kind"],
        enabled=params["enabled"],
        description=params["description"],
        dns_host_name=None if dns_name is None else checked_dns_name(dns_name),
        interval_days=params["managed_password_interval_days"],
        encryption_types=sum(ENCRYPTION_TYPES[name] for name in set(params["kerberos_encryption_types"])),
    )


def _hosts(params: Mapping[str, t.Any]) -> ListChange[str] | None:
    if params["host"] and params["kind"] != "standalone":
        raise InvalidInput("read the options", on="host", got="it is for kind standalone only", advice="Use hosts.")
    edit = ListChange((params["host"],)) if params["host"] else edit_from("hosts", params["hosts"])
    for name in (*edit.wished, *edit.remove) if edit else ():
        if "=" in name:
            Dn.parse(name)
        elif not name.removesuffix("$").strip():
            raise InvalidInput("read the options", on="hosts", got="a name is empty")
    return edit


def _readers(params: Mapping[str, t.Any]) -> ListChange[str] | None:
    listed = params["allowed_readers"]
    edit = edit_from("readers", params["readers"]) if listed is None else ListChange(tuple(listed))
    option = "readers" if listed is None else "allowed_readers"
    names = (*edit.wished, *edit.remove) if edit else ()
    if names and params["kind"] != "group":
        raise InvalidInput("read the options", on=option, got="it is for kind group only")
    for name in names:
        AccountName.parse(name)
    return edit if params["kind"] == "group" else None


def check_others(server: str | None, others: Sequence[str] | None) -> None:
    """Refuse a list of other domain controllers that is none.

    Raises:
        InvalidInput: A name is empty or there twice, or is that of the server that is written to.

    """
    servers = [other.strip().casefold() for other in others or ()]
    wrong = "a name is empty" if "" in servers else "a name is there twice" if len(set(servers)) < len(servers) else ""
    if server and server.strip().casefold() in servers:
        wrong = f"{server} is the server that is written to"
    if wrong:
        raise InvalidInput("read the options", on="replicated_to", got=wrong)


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is to read the password of a group account.

    Attributes:
        asked: Those the user names to have the right.
        afterwards: All that have it after the task.
        names: What people call them, as far as known.
        remarks: Sentences about them.

    """

    asked: tuple[Account, ...]
    afterwards: tuple[Account, ...]
    names: Mapping[Sid, str]
    remarks: tuple[str, ...]


def find_readers(domains: Domains, edit: ListChange[str], current: Sequence[Sid]) -> Readers:
    """Find the accounts that the edit names, and say who reads afterwards.

    A deleted account can be removed by its SID.

    Raises:
        DirectoryError: Names every one that means no account, or more than one.
        InvalidInput: Two names of one account are in both lists.

    """
    asked, remove = resolve_accounts(domains, edit.wished), resolve_accounts(domains, edit.remove, must_exist=False)
    names = {account.sid: account.name for account in (*asked, *remove)}
    sids = tuple(account.sid for account in asked)
    wanted = ListChange(
        None if edit.exactly is None else sids,
        () if edit.exactly is not None else sids,
        tuple(account.sid for account in remove),
    ).checked("readers", names.__getitem__)
    afterwards = tuple(Account(names.get(sid, str(sid)), sid) for sid in wanted.applied_to(current))
    remarks = tuple(
        f"{computer.name} is a single computer. With a group in its place, computers come and go without a change here."
        for computer in computers_among(domains, asked)
    )
    return Readers(asked, afterwards, names, remarks)


def find_hosts(domains: Domains, edit: ListChange[str]) -> ListChange[str]:
    """Return the edit with the DNs of the computers; one to be removed that does not exist is linked to nothing.

    Raises:
        DirectoryError: Names every one that means no computer, or more than one.
        InvalidInput: Two names of one computer are in both lists.

    """
    return ListChange(
        None if edit.exactly is None else find_computers(domains, edit.exactly),
        find_computers(domains, edit.add),
        find_computers(domains, edit.remove, must_exist=False),
    ).checked("hosts")


class Msa:
    """Reads the account, compares, makes the object, the links and the access lists that differ, and waits for others.

    Args:
        directory: Where it is read and written.
        request: What the user asks for.
        others: Further domain controllers that are to hold it in the end, by name.

    """

    def __init__(self, directory: Directory, request: AccountRequest, others: Mapping[str, Directory]) -> None:
        self._directory = directory
        self._request = request
        self._others = others
        self._domains = Domains(directory)
        self._current: ServiceAccount | None = None
        self._key: KeyVerdict | None = None
        self._remarks: list[str] = []
        self._looks: Mapping[str, int] = {}
        self._lists = AccessLists(self._domains, request.username, request.backup)

    def plan(self) -> Plan:
        """Return the changes; when there are none, see to it that the other servers agree.

        Raises:
            OdjError: A name means nothing, the account cannot become what is asked for, or another server is of
                another domain or still holds another state in the end.

        """
        for server, other in self._others.items():
            if root_dse(other, "defaultNamingContext").text("defaultNamingContext") != self._domains.base:
                raise DirectoryError(
                    "wait for the replication", on=server, got=f"it does not hold {self._domains.base}"
                )
        self._current = self._read(self._directory)
        changes = self._changes()
        if not changes:
            self._wait()
        return Plan(tuple(changes))

    def apply(self, plan: Plan) -> None:
        """Make the changes in their order, read the account back, and wait for the other servers.

        Raises:
            DirectoryError: The directory refuses, or the account is not as written afterwards.

        """
        entries = tuple(change for change in plan.changes if change.action == "replace_dacl")
        if entries:
            self._lists.apply(Plan(entries))
        make_changes(self._directory, [change for change in plan.changes if change not in entries], entries)
        self._current = self._read(self._directory)
        if (self._current is None) == self._request.present or self._changes():
            raise DirectoryError(
                "verify the service account that was written",
                on=plan.changes[0].target,
                got="the directory holds something else than what was written",
                advice="Somebody else may have changed it at the same moment. Look at it, then run again.",
            )
        self._wait()

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the account as it is now (in check mode: as it was), remarks, and what it cost."""
        wanted, current = self._request.wanted, self._current
        unsure = self._key is not None and self._key.state == "unknown"
        warning = f"Whether {wanted.name}$ can have a password is not known: {self._key.reason}." if self._key else ""
        return {
            "service_account": current.to_json()
            if current
            else {"exists": False, "name": wanted.name, "kind": wanted.kind},
            "remarks": self._remarks,
            "kds_root_key": self._key.to_json() if self._key else None,
            "replication": [{"server": name, "looks": self._looks.get(name, 0)} for name in self._others],
            "directory": self._directory.facts(),
            **self._lists.facts(),
            **({"warnings": [warning]} if unsure else {}),
        }

    def _read(self, directory: Directory) -> ServiceAccount | None:
        return read_service_account(directory, self._domains.base, self._request.wanted.name)

    def _changes(self) -> list[Change]:
        self._remarks = []
        if self._current:
            self._refuse_other_place(self._current)
        return self._present(self._current) if self._request.present else self._absent(self._current)

    def _present(self, current: ServiceAccount | None) -> list[Change]:
        request, wanted = self._request, self._request.wanted
        names: Mapping[Sid, str] = {}
        if wanted.kind == "group" and (request.require_key or current is None):
            self._key = self._key or look_at_root_keys(self._directory)
            refuse_early(self._key, wanted.name, require=request.require_key)
        if request.readers:
            found = find_readers(self._domains, request.readers, (current and current.readers) or ())
            wanted, names = replace(wanted, readers=found.afterwards), found.names
            self._remarks += found.remarks
            if current:
                refuse_denied(current, found.asked)
                current = without_doubt(current, found.asked)
        if current is None:
            change: Change | None = self._creation(wanted)
        else:
            change = adjustment(current, wanted, names)
            self._remarks += remarks_on(current, wanted)
        dn = current.dn if current else t.cast(Change, change).target
        return [*([change] if change else []), *self._links(dn, current.hosts if current else ())]

    def _creation(self, wanted: Wanted) -> Change:
        change = creation(wanted, find_container(self._domains, str(self._request.path or "")))
        refuse_taken(self._domains, change.target)
        return change

    def _links(self, dn: str, hosts: Sequence[str]) -> list[Change]:
        request = self._request
        if not request.hosts:
            return []
        return host_links(dn, request.wanted.kind, hosts, find_hosts(self._domains, request.hosts), force=request.force)

    def _absent(self, current: ServiceAccount | None) -> list[Change]:
        if current is None:
            return []
        gone = removal(current, self._request.wanted.kind, force=self._request.force)
        return [*self._delegations(current), gone]

    def _delegations(self, current: ServiceAccount) -> Sequence[Change]:
        """Return the changes that take its entries along; they come first, since its SID goes with it."""
        asked = self._request.delegations
        if not asked:
            return ()
        units = find_units(self._domains, list(asked.values()), list(asked))
        refuse_missing(units)
        unread = [unit.dn for unit in units if unit.descriptor is None]
        if unread:
            raise TargetError("read the access lists", on="; ".join(unread), got="Read permissions is missing")

        def comparison(dn: str, descriptor: SecurityDescriptor) -> Change | None:
            change, remark = without(dn, descriptor, f"{current.name}$", current.sid)
            self._remarks += [remark] if remark and remark not in self._remarks else []
            return change

        self._lists.parse(units)
        return self._lists.plan(units, comparison).changes

    def _refuse_other_place(self, current: ServiceAccount) -> None:
        path, parent = self._request.path, Dn.parse(current.dn).parent
        if path and parent and parent.key != path.key:
            raise ServiceAccountError(
                f"use {current.name}$ in {path}",
                on=current.dn,
                got="the account exists in another place",
                advice="Leave path out to use it where it is, or take another name. Accounts are never moved here.",
            )

    def _wait(self) -> None:
        if not self._others:
            return
        here = self._current.to_json() if self._current else None

        def arrived(directory: Directory) -> bool:
            there = self._read(directory)
            return (there.to_json() if there else None) == here

        name, timeout = f"{self._request.wanted.name}$", self._request.replication_timeout
        self._looks = wait_for_others(self._others, arrived, name, timeout, SystemClock())


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names are checked for their form before anything is contacted."""
    return _opened(params, request_from(params), open_it)


@contextmanager
def _opened(params: Mapping[str, t.Any], request: AccountRequest, open_it: OpenDirectory) -> Iterator[Job]:
    """Log on everywhere before anything is written, so that a wrong name in the list is not found too late."""
    settings = settings_from(params)
    with ExitStack() as stack:
        directory = stack.enter_context(open_it(settings))
        check_others(directory.facts()["server"], params["replicated_to"])
        others = {
            server: stack.enter_context(open_it(replace(settings, server=server, server_name=None)))
            for server in params["replicated_to"] or ()
        }
        yield Msa(directory, request, others)
