# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a connector in service and wait for its sign-in (documentation: modules/odj_connector_ready.py)."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_ready import SPEC, check_times
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, SystemClock
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import OdjAction
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_ready import ConnectorReady, Patience
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, say
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.rendezvous import Rendezvous


class ActionModule(OdjAction):
    """Keep a connector in service and wait for its sign-in (documentation: modules/odj_connector_ready.py)."""

    SPEC = SPEC

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task."""
        check_times(options)
        scope = Scope(
            frozenset({"host", "connector", "config"}),
            build_from=options["build_from"],
            expected_account=options["expected_account"],
        )
        waits = options["sign_in"] == "wait"
        return ConnectorReady(
            host,
            scope,
            patience=Patience(options["timeout"], options["poll_interval"]) if waits else None,
            meeting=Rendezvous.of_this_run(host.name, options["until_any_of"]) if waits else None,
            keep_service=options["service"] == "started",
            restart_pending=options["restart_pending"],
            clock=SystemClock(),
            say=say,
        )
