# SPDX-License-Identifier: GPL-3.0-or-later
"""Edit the OU list of a connector (documentation: modules/odj_ou_config.py)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import check_ous
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_config import SPEC, kept_backups, other_keys
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import OdjAction
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.ou_config import DesiredConfig, OuConfig
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host


class ActionModule(OdjAction):
    """Edit the OU list of a connector (documentation: modules/odj_ou_config.py)."""

    SPEC = SPEC

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task."""
        ous = tuple(check_ous(options["organizational_units"]))
        desired = DesiredConfig(ous, options["state"], other_keys(options), options["install_path"])
        return OuConfig(host, desired, keep=kept_backups(options))
