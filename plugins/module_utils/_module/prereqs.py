# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_prereqs."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import (
    BUILD_FROM,
    NETWORK_OPTIONS,
    SNAPSHOT_OPTIONS,
)

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "domain": {"type": "str"},
        "fail_on_unmet": {"type": "bool", "default": True},
        **BUILD_FROM,
        **NETWORK_OPTIONS,
        **SNAPSHOT_OPTIONS,
    }
}
