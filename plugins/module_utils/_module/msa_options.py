# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa takes, checked as far as that goes without a directory."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.account_name import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.list_edit import ListEdit, edit_from
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import parse_all
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    CLASSES,
    ENCRYPTION_TYPES,
    Wanted,
    checked_dns_name,
    checked_name,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory import DIRECTORY_OPTIONS, settings_from

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
class Request:
    """What the user asks for; hosts and readers are still names."""

    wanted: Wanted
    present: bool
    path: Dn | None
    require_key: bool
    hosts: ListEdit[str] | None
    readers: ListEdit[str] | None
    delegations: Mapping[Dn, str]
    username: str
    replication_timeout: int
    force: bool
    backup: RestoreFile | None


def request_from(params: Mapping[str, t.Any]) -> Request:
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
    return Request(
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


def _hosts(params: Mapping[str, t.Any]) -> ListEdit[str] | None:
    if params["host"] and params["kind"] != "standalone":
        raise InvalidInput("read the options", on="host", got="it is for kind standalone only", advice="Use hosts.")
    edit = ListEdit((params["host"],)) if params["host"] else edit_from("hosts", params["hosts"])
    for name in (*edit.wished, *edit.remove) if edit else ():
        if "=" in name:
            Dn.parse(name)
        elif not name.removesuffix("$").strip():
            raise InvalidInput("read the options", on="hosts", got="a name is empty")
    return edit


def _readers(params: Mapping[str, t.Any]) -> ListEdit[str] | None:
    listed = params["allowed_readers"]
    edit = edit_from("readers", params["readers"]) if listed is None else ListEdit(tuple(listed))
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
