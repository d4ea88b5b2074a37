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
    Assessment,
    Expectation,
    IntuneConnector,
    assess,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import ERROR_AFTER, MINIMUM_BUILD, Build
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import GRAPH_OPTIONS, open_graph
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, ReadOnlyJob, SystemClock

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        **GRAPH_OPTIONS,
        "names": {"type": "list", "elements": "str", "default": []},
        "minimum_build": {"type": "str", "default": str(MINIMUM_BUILD)},
        "stale_after": {"type": "int", "default": ERROR_AFTER // datetime.timedelta(minutes=1)},
        "require_active": {"type": "bool", "default": False},
    },
}


class ConnectorInfo(ReadOnlyJob):
    """Reads the connectors once and says how their servers stand.

    Args:
        graph: The session with Graph.
        expected: Which servers, and what is expected of them.
        clock: Tells how long ago the last contact was.
        require_active: Whether an expectation that is not met is an error.
    """

    def __init__(self, graph: Graph, expected: Expectation, clock: Clock, *, require_active: bool) -> None:
        self._graph = graph
        self._expected = expected
        self._clock = clock
        self._require_active = require_active
        self._assessment = Assessment()

    def read(self) -> None:
        """Read the connectors.

        Raises:
            GraphError: Graph gives no list.
            OdjError: An expectation is not met, and the user wants that to be an error.
        """
        connectors = [IntuneConnector.from_row(row) for row in read_connectors(self._graph)]
        self._assessment = assess(connectors, self._expected, self._clock.now())
        if self._require_active and self._assessment.problems:
            raise OdjError(
                "find every connector active in Intune",
                got="; ".join(self._assessment.problems),
                advice="Look at service and event log of these servers. A new sign-in takes some minutes to show.",
            )

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return how the servers stand."""
        return {
            "connectors": [standing.to_json() for standing in self._assessment.standings],
            "missing": list(self._assessment.missing),
            "problems": list(self._assessment.problems),
            "all_active": not self._assessment.problems,
            "graph": {"operations": self._graph.operations()},
        }


@contextmanager
def open_job(params: Mapping[str, t.Any]) -> Iterator[Job]:
    """Yield the job for the options of SPEC.

    Raises:
        InvalidInput: An option cannot be meant; named.
    """
    clock = SystemClock()
    expected = _expectation(params)
    with open_graph(params, clock) as graph:
        yield ConnectorInfo(graph, expected, clock, require_active=params["require_active"])


def _expectation(params: Mapping[str, t.Any]) -> Expectation:
    names = tuple(dict.fromkeys(name.strip() for name in params["names"]))
    if "" in names:
        raise InvalidInput("read the options", on="names", got="one of the names is empty")
    if params["stale_after"] < 1:
        raise InvalidInput(
            "read the options", on="stale_after", got=f"{params['stale_after']} is not a time in minutes"
        )
    stale_after = datetime.timedelta(minutes=params["stale_after"])
    return Expectation(names, Build.parse(params["minimum_build"]), stale_after)
