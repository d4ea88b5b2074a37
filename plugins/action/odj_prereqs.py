# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge a server's prerequisites (documentation: modules/odj_prereqs.py)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import NEEDED_SUBSETS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.prereqs import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import scope_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import OdjAction
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.prereqs import Prerequisites
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host


class ActionModule(OdjAction):
    """Judge a server's prerequisites (documentation: modules/odj_prereqs.py)."""

    SPEC = SPEC

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task."""
        scope = scope_of(options, NEEDED_SUBSETS)
        return Prerequisites(host, scope, domain=options["domain"], fail_on_unmet=options["fail_on_unmet"])
