# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_connector_ready."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import BUILD_FROM, SNAPSHOT_OPTIONS

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "sign_in": {"type": "str", "choices": ["stop", "wait"], "default": "stop"},
        "until_any_of": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "int", "default": 3600},
        "poll_interval": {"type": "int", "default": 15},
        "service": {"type": "str", "choices": ["started", "unmanaged"], "default": "started"},
        "restart_pending": {"type": "bool", "default": False},
        "expected_account": {"type": "str"},
        **BUILD_FROM,
        **SNAPSHOT_OPTIONS,
    }
}


def check_times(options: Mapping[str, t.Any]) -> None:
    """Look at the options that are numbers of seconds.

    Raises:
        InvalidInput: One is not positive.
    """
    for name in ("timeout", "poll_interval"):
        if options[name] < 1:
            raise InvalidInput(f"read the option {name}", on=str(options[name]), got="it must be at least 1")
