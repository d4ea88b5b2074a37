# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa does."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.replication import SystemClock, wait_for_others
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.root_keys import look_at_root_keys
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_account_writes import make_changes
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    find_container,
    read_service_account,
    refuse_taken,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import (
    TargetError,
    refuse_missing,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Job, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    ServiceAccount,
    ServiceAccountError,
    Wanted,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_changes import (
    adjustment,
    creation,
    refuse_denied,
    remarks_on,
    removal,
    without_doubt,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_delegations import without
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_hosts import host_links
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_key import KeyVerdict, refuse_early
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.access_lists import AccessLists
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory import (
    LIBRARIES,
    OpenDirectory,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.msa_names import find_hosts, find_readers
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.msa_options import (
    SPEC,
    Request,
    check_others,
    request_from,
)

__all__ = ["LIBRARIES", "SPEC", "open_job"]


class Msa:
    """Reads the account, compares, makes the object, the links and the access lists that differ, and waits for others.

    Args:
        directory: Where it is read and written.
        request: What the user asks for.
        others: Further domain controllers that are to hold it in the end, by name.

    """

    def __init__(self, directory: Directory, request: Request, others: Mapping[str, Directory]) -> None:
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
def _opened(params: Mapping[str, t.Any], request: Request, open_it: OpenDirectory) -> Iterator[Job]:
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
