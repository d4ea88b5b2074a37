# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_ou_delegate takes, and which job does it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from contextlib import AbstractContextManager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.account_name import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import parse_all
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory import (
    DIRECTORY_OPTIONS,
    LIBRARIES,
    OpenDirectory,
    job_in_directory,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate_access import OuDelegate, Request
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate_restore import OuRestore
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate_targets import Targets

__all__ = ["LIBRARIES", "SPEC", "open_job"]

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "accounts": {"type": "list", "elements": "str"},
        "rights": {"type": "list", "elements": "str", "choices": list(RIGHTS), "default": ["create_computer"]},
        "applies_to": {"type": "str", "choices": ["this_object", "subtree"], "default": "this_object"},
        "state": {"type": "str", "choices": ["present", "absent", "exact", "restored"], "default": "present"},
        "connector_accounts": {"type": "list", "elements": "str", "default": []},
        "purge_orphans": {"type": "bool", "default": False},
        "canonicalize": {"type": "bool", "default": False},
        "allow_unusual_targets": {"type": "list", "elements": "str", "default": []},
        "backup_path": {"type": "path"},
        "force": {"type": "bool", "default": False},
    },
    "required_if": [
        ("state", "present", ["accounts"]),
        ("state", "absent", ["accounts"]),
        ("state", "exact", ["accounts"]),
        ("state", "restored", ["backup_path"]),
    ],
}


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names, and what is at backup_path, are checked for their form before anything is contacted.

    Raises:
        OdjError: One of them cannot be meant as it stands.

    """
    requested = params["organizational_units"]
    units = {name.key: (name, text) for name, text in zip(parse_all(requested), requested, strict=True)}
    allowed = parse_all(params["allow_unusual_targets"], "allow_unusual_targets")
    targets = Targets(dict(units.values()), allowed, settings_from(params).account)
    accounts = params["accounts"] or []
    for account in (*accounts, *params["connector_accounts"]):
        AccountName.parse(account)
    _refuse_pointless(params)
    backup = RestoreFile(params["backup_path"]) if params["backup_path"] else None
    if backup:
        backup.check()
    if params["state"] == "restored" and backup:
        points, force = backup.read(), params["force"]
        return job_in_directory(params, lambda d: OuRestore(d, targets, backup, points, force=force), open_it)
    request = Request(
        accounts=accounts,
        rights=tuple(RIGHTS[name].reaching(params["applies_to"]) for name in dict.fromkeys(params["rights"])),
        state=params["state"],
        connector_accounts=params["connector_accounts"],
        purge_orphans=params["purge_orphans"],
        canonicalize=params["canonicalize"],
    )

    def job(directory: Directory) -> Job:
        return OuDelegate(directory, targets, request, backup)

    return job_in_directory(params, job, open_it)


def _refuse_pointless(params: Mapping[str, t.Any]) -> None:
    """Refuse options that the state would silently ignore."""
    restored = params["state"] == "restored"
    wrong = {
        "force": params["force"] and not restored,
        "accounts": bool(params["accounts"]) and restored,
        "purge_orphans": params["purge_orphans"] and restored,
        "connector_accounts": bool(params["connector_accounts"]) and params["state"] != "exact",
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    if names:
        raise InvalidInput(
            "read the options",
            on=", ".join(names),
            got=f"it has no meaning with state {params['state']}",
            advice="Leave it out, or correct state.",
        )
