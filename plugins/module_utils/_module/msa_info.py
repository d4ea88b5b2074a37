# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_msa_info takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    list_service_accounts,
    look_at_root_keys,
    server_time,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import CLASSES, checked_name
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.orphans import is_orphan, report
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    job_in_directory,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, ReadOnlyJob

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "names": {"type": "list", "elements": "str"},
        "kinds": {"type": "list", "elements": "str", "choices": list(CLASSES), "default": list(CLASSES)},
        "path": {"type": "str"},
        "orphans_only": {"type": "bool", "default": False},
    }
}


class MsaInfo(ReadOnlyJob):
    """Lists accounts with one search."""

    def __init__(self, directory: Directory, params: Mapping[str, t.Any], names: Sequence[AccountName]) -> None:
        self._lookup = DomainLookup(directory)
        self._params = params
        self._names = names
        self._found: list[dict[str, t.Any]] = []
        self._key: dict[str, t.Any] = {}

    def read(self) -> None:
        """Read the accounts, and the KDS root keys where group accounts are asked for.

        Raises:
            DirectoryError: The directory cannot be read, or ``path`` does not exist.
        """
        params, directory = self._params, self._lookup.directory
        base = params["path"] or self._lookup.base
        accounts = list_service_accounts(self._lookup, base, params["kinds"], self._names)
        now = server_time(directory)
        self._found = [report(one, now) for one in accounts if is_orphan(one) or not params["orphans_only"]]
        self._key = look_at_root_keys(directory).to_json() if "group" in params["kinds"] else {}

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what was found, by name."""
        return {
            "service_accounts": self._found,
            "orphans": [account["sam_account_name"] for account in self._found if account["orphan"]],
            "kds_root_key": self._key or None,
            "directory": self._lookup.directory.facts(),
        }


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names are checked before anything is contacted."""
    names = [AccountName.parse(name, "names") for name in params["names"] or ()]
    for name in names:
        if name.sam:
            checked_name(name.sam.replace("*", "").replace("?", "x").strip("$").rstrip(".") or "x")
    if params["path"]:
        Dn.parse(params["path"])
    if not params["kinds"]:
        raise InvalidInput("read the options", on="kinds", got="it is empty, so nothing could be found")
    return job_in_directory(params, lambda directory: MsaInfo(directory, params, names), open_it)
