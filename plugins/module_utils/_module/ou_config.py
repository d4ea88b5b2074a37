# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_ou_config."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import ACCOUNT_KEY, DISABLE_OU_UPDATES_KEY
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SNAPSHOT_OPTIONS

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "exact", "absent"], "default": "present"},
        "install_path": {"type": "str"},
        "tenant_configured_managed_service_account": {"type": "str"},
        "disable_ou_updates": {"type": "bool"},
        **SNAPSHOT_OPTIONS,
        "backup_keep": {"type": "int", "default": 10},
    }
}

_ACCOUNT = re.compile(r"[^\s@\\/]+@[^\s@\\/]+")


def kept_backups(options: Mapping[str, t.Any]) -> int:
    """Return how many backups of the file stay; 0 for all.

    Raises:
        InvalidInput: The number is negative.
    """
    keep: int = options["backup_keep"]
    if keep < 0:
        raise InvalidInput("read the options", on="backup_keep", got="it must not be negative")
    return keep


def other_keys(options: Mapping[str, t.Any]) -> dict[str, str]:
    """Return the keys beside the OU list that the user sets, with the text that the file is to hold.

    Raises:
        InvalidInput: The account is not of the form name@domain (nothing at all takes it out of use).
    """
    account = options["tenant_configured_managed_service_account"]
    if account and not _ACCOUNT.fullmatch(account):
        raise InvalidInput(
            "read the option tenant_configured_managed_service_account",
            on=account,
            got="it is not of the form name@domain",
            advice="Write it like gmsaODJ@contoso.com, with the DNS name of the domain of the server.",
        )
    keys = {
        ACCOUNT_KEY: account,
        DISABLE_OU_UPDATES_KEY: {None: None, True: "true", False: "false"}[options["disable_ou_updates"]],
    }
    return {key: value for key, value in keys.items() if value is not None}
