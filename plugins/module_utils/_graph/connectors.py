# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connectors that Intune knows."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, Row

# https://learn.microsoft.com/graph/api/intune-odj-devicemanagementdomainjoinconnector-list
PATH = "deviceManagement/domainJoinConnectors"
PERMISSION = "DeviceManagementConfiguration.Read.All"


def read_connectors(graph: Graph) -> list[Row]:
    """Return the connectors as Graph shows them: id, displayName, lastConnectionDateTime, state, version.

    Raises:
        GraphError: As Graph.rows.

    """
    return graph.rows(PATH, permission=PERMISSION)
