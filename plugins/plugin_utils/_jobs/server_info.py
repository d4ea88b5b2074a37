# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_server_info: look at a server, and tell what was seen."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, facts_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import ReadOnlyJob
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, look_at


class ServerInfo(ReadOnlyJob):
    """All facts of a scope as ``server``, and with them what was seen where that is wanted."""

    def __init__(self, host: Host, scope: Scope, *, return_snapshot: bool = False) -> None:
        self._host = host
        self._scope = scope
        self._return_snapshot = return_snapshot
        self._facts: dict[str, object] = {}

    def read(self) -> None:
        """Look at the server.

        Raises:
            WindowsError: There are no answers at all.
        """
        snapshot = look_at(self._host, self._scope)
        self._facts = {"server": facts_of(snapshot, self._scope)}
        if self._return_snapshot:
            # It may hold a configuration file with the password of a proxy; failures are shown all the same.
            self._facts |= {"snapshot": snapshot.to_json(), "_ansible_no_log": True}

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``server`` and, where that is wanted, ``snapshot``."""
        return self._facts
