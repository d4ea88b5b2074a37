# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_ou_config."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.connector_config import (
    ACCOUNT_KEY,
    DISABLE_UPDATES_KEY,
)

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "exact", "absent"], "default": "present"},
        "install_path": {"type": "str"},
        "tenant_configured_managed_service_account": {"type": "str"},
        "disable_ou_updates": {"type": "bool"},
    }
}


def other_keys(options: Mapping[str, t.Any]) -> dict[str, str]:
    """Return the keys beside the OU list that the user sets, with the text that the file is to hold."""
    wanted = {
        ACCOUNT_KEY: options["tenant_configured_managed_service_account"],
        DISABLE_UPDATES_KEY: {None: None, True: "true", False: "false"}[options["disable_ou_updates"]],
    }
    return {key: value for key, value in wanted.items() if value is not None}
