# SPDX-License-Identifier: GPL-3.0-or-later
"""Install, upgrade or remove the connector (documentation: modules/odj_connector_install.py)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import OdjAction
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_install import (
    ConnectorInstall,
    installer_of,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host


class ActionModule(OdjAction):
    """Install, upgrade or remove the connector (documentation: modules/odj_connector_install.py)."""

    SPEC = SPEC

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task."""
        installer = installer_of(options, host)
        return ConnectorInstall(
            host,
            state=options["state"],
            installer=installer,
            reboot=options["reboot"],
            build_from=options["build_from"],
        )
