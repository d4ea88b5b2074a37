# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_connector_info takes and does."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, read_connectors
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.intune.connectors import (
    Fleet,
    Wanted,
    assess,
    read_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import MINIMUM_BUILD, Build
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import (
    GRAPH_OPTIONS,
    open_graph,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, SystemClock

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **GRAPH_OPTIONS,
        "names": {"type": "list", "elements": "str", "default": []},
        "minimum_build": {"type": "str", "default": str(MINIMUM_BUILD)},
        "stale_after": {"type": "int", "default": 60},
        "require_active": {"type": "bool", "default": False},
    },
}


class ConnectorInfo:
    """Reads the connectors once and says how they stand."""

    def __init__(self, graph: Graph, wanted: Wanted, clock: Clock, *, require_active: bool) -> None:
        self._graph = graph
        self._wanted = wanted
        self._clock = clock
        self._require_active = require_active
        self._fleet = Fleet((), (), ())

    def plan(self) -> Plan:
        """Read; there is never anything to change.

        Raises:
            OdjError: The fleet is not as asked, and the user wants that to be an error.

        """
        connectors = [read_connector(row) for row in read_connectors(self._graph)]
        self._fleet = assess(connectors, self._wanted, self._clock.now())
        if self._require_active and self._fleet.problems:
            raise OdjError(
                "find every connector active in Intune",
                got="; ".join(self._fleet.problems),
                advice="Look at service and event log of these servers. A new sign-in takes some minutes to show.",
            )
        return Plan()

    def apply(self, plan: Plan) -> None:
        """Do nothing: the plan is always empty."""

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return how the fleet stands."""
        return {
            "connectors": [standing.to_json() for standing in self._fleet.standings],
            "missing": list(self._fleet.missing),
            "problems": list(self._fleet.problems),
            "all_active": not self._fleet.problems,
            "graph": {"operations": self._graph.operations()},
        }


@contextmanager
def open_job(params: Mapping[str, t.Any]) -> Iterator[Job]:
    """Yield the job for the options of SPEC.

    Raises:
        InvalidInput: An option cannot be meant; named.

    """
    clock = SystemClock()
    wanted = _wanted(params)
    with open_graph(params, clock) as graph:
        yield ConnectorInfo(graph, wanted, clock, require_active=params["require_active"])


def _wanted(params: Mapping[str, t.Any]) -> Wanted:
    names = tuple(dict.fromkeys(name.strip() for name in params["names"]))
    if "" in names:
        raise InvalidInput("read the options", on="names", got="one of the names is empty")
    if params["stale_after"] < 1:
        raise InvalidInput(
            "read the options", on="stale_after", got=f"{params['stale_after']} is not a time in minutes"
        )
    silence = datetime.timedelta(minutes=params["stale_after"])
    return Wanted(names, Build.parse(params["minimum_build"]), silence)
