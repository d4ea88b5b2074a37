# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, resolve_accounts
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    find_computer,
    find_container,
    read_service_account,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.account_name import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Job, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    CLASSES,
    ENCRYPTION_TYPES,
    ServiceAccount,
    ServiceAccountError,
    Wanted,
    checked_name,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_changes import (
    adjustment,
    creation,
    host_links,
    removal,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory import (
    DIRECTORY_OPTIONS,
    LIBRARIES,
    OpenDirectory,
    job_in_directory,
)

__all__ = ["LIBRARIES", "SPEC", "open_job"]

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "name": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": list(CLASSES), "default": "standalone"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "path": {"type": "str"},
        "description": {"type": "str"},
        "enabled": {"type": "bool", "default": True},
        "dns_host_name": {"type": "str"},
        "managed_password_interval_days": {"type": "int", "default": 30, "no_log": False},
        "kerberos_encryption_types": {
            "type": "list",
            "elements": "str",
            "choices": list(ENCRYPTION_TYPES),
            "default": ["aes128", "aes256"],
        },
        "host": {"type": "str"},
        "allowed_readers": {"type": "list", "elements": "str"},
        "force": {"type": "bool", "default": False},
    }
}
_LINK = "msDS-HostServiceAccount"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for, checked as far as that goes without a directory; readers are still names."""

    wanted: Wanted
    present: bool
    path: Dn | None
    host: str | None
    allowed_readers: tuple[str, ...] | None
    force: bool


class Msa:
    """Reads the account, compares, and makes the object and the link that differ."""

    def __init__(self, directory: Directory, request: Request) -> None:
        self._directory = directory
        self._request = request
        self._domains = Domains(directory)
        self._current: ServiceAccount | None = None

    def plan(self) -> Plan:
        """Return the changes to the account and to the computers it is linked to.

        Raises:
            OdjError: A name means nothing, or the account cannot become what is asked for.

        """
        self._current = read_service_account(self._domains, self._request.wanted.name)
        return Plan(tuple(self._present() if self._request.present else self._absent()))

    def apply(self, plan: Plan) -> None:
        """Make the changes in their order, then read the account back.

        Raises:
            DirectoryError: The directory refuses, or the account is not as written afterwards.

        """
        for change in plan.changes:
            _APPLY[change.action](self._directory, change)
        self._current = read_service_account(self._domains, self._request.wanted.name)
        left = [] if not self._request.present or not self._current else self._present()
        if left or (self._current is None) == self._request.present:
            raise DirectoryError(
                "verify the service account that was written",
                on=plan.changes[0].target,
                got="the directory holds something else than what was written",
                advice="Somebody else may have changed it at the same moment. Look at it, then run again.",
            )

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the account as it is now (in check mode: as it was), and what it cost."""
        wanted, current = self._request.wanted, self._current
        absent = {"exists": False, "name": wanted.name, "kind": wanted.kind}
        return {
            "service_account": current.to_json() if current else absent,
            "directory": self._directory.facts(),
        }

    def _present(self) -> list[Change]:
        request, current = self._request, self._current
        wanted = request.wanted
        if request.allowed_readers is not None:
            wanted = replace(wanted, readers=resolve_accounts(self._domains, request.allowed_readers))
        if current is None:
            change: Change | None = creation(wanted, find_container(self._domains, str(request.path or "")))
        else:
            self._refuse_other_place(current)
            change = adjustment(current, wanted)
        if not request.host:
            return [change] if change else []
        dn = current.dn if current else t.cast(Change, change).target
        hosts = current.hosts if current else ()
        links = host_links(dn, hosts, find_computer(self._domains, request.host), force=request.force)
        return [*([change] if change else []), *links]

    def _absent(self) -> list[Change]:
        current = self._current
        if current is None:
            return []
        self._refuse_other_place(current)
        return [removal(current, self._request.wanted.kind, force=self._request.force)]

    def _refuse_other_place(self, current: ServiceAccount) -> None:
        path, parent = self._request.path, Dn.parse(current.dn).parent
        if path and parent and parent.key != path.key:
            raise ServiceAccountError(
                f"use {current.name}$ in {path}",
                on=current.dn,
                got="the account exists in another place",
                advice="Leave path out to use it where it is, or take another name. Accounts are never moved here.",
            )


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names are checked for their form before anything is contacted."""
    readers = params["allowed_readers"]
    for account in readers or ():
        AccountName.parse(account)
    for option, kind in (("allowed_readers", "group"), ("host", "standalone")):
        if params[option] and params["kind"] != kind:
            raise InvalidInput("read the options", on=option, got=f"it is for kind {kind} only")
    if "=" in (params["host"] or ""):
        Dn.parse(params["host"])
    if params["managed_password_interval_days"] < 1:
        raise InvalidInput("read the options", on="managed_password_interval_days", got="it must be at least 1")
    request = Request(
        wanted=_wanted(params),
        present=params["state"] == "present",
        path=Dn.parse(params["path"]) if params["path"] else None,
        host=params["host"],
        allowed_readers=None if readers is None else tuple(readers),
        force=params["force"],
    )
    return job_in_directory(params, lambda directory: Msa(directory, request), open_it)


def _wanted(params: Mapping[str, t.Any]) -> Wanted:
    return Wanted(
        name=checked_name(params["name"]),
        kind=params["kind"],
        enabled=params["enabled"],
        description=params["description"],
        dns_host_name=params["dns_host_name"],
        interval_days=params["managed_password_interval_days"],
        encryption_types=sum(ENCRYPTION_TYPES[name] for name in set(params["kerberos_encryption_types"])),
    )


def _create(directory: Directory, change: Change) -> None:
    object_class, values = t.cast("tuple[str, dict[str, bytes]]", change.payload)
    directory.add(change.target, object_class, {name: [value] for name, value in values.items() if value})


def _modify(directory: Directory, change: Change) -> None:
    values = t.cast("dict[str, bytes | None]", change.payload)
    directory.modify(change.target, {n: ("replace", [] if v is None else [v]) for n, v in values.items()})


_APPLY: dict[str, Callable[[Directory, Change], None]] = {
    "create": _create,
    "modify": _modify,
    "delete": lambda directory, change: directory.delete(change.target),
    "link_host": lambda d, change: d.modify(change.target, {_LINK: ("add", [t.cast(bytes, change.payload)])}),
    "unlink_host": lambda d, change: d.modify(change.target, {_LINK: ("delete", [t.cast(bytes, change.payload)])}),
}
