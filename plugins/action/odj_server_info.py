# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a connector server (documentation: modules/odj_server_info.py)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SPEC, scope_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import OdjAction
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.server_info import ServerInfo
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host


class ActionModule(OdjAction):
    """Look at a connector server (documentation: modules/odj_server_info.py)."""

    SPEC = SPEC

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task."""
        scope = scope_of(options, options["gather_subset"])
        return ServerInfo(host, scope, return_snapshot=options["return_snapshot"])
