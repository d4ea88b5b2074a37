# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector product does with its cloud: enrol, beat, ask for profiles; and how Intune then shows it."""

from __future__ import annotations

import datetime
import uuid

from odj_lab.cloud.state import DOMAIN_JOIN, graph_time, now, store
from odj_lab.settings import Lab
from odj_lab.store import State

# https://learn.microsoft.com/graph/api/resources/intune-odj-devicemanagementdomainjoinconnectorstate
ERROR_AFTER = 3600
INACTIVE_AFTER = 5 * 86400


def register(lab: Lab, server_name: str, version: str) -> str:
    """Enrol a connector that has just been in contact; return its id. Each enrolment makes an entry of its own."""
    with store(lab).edit(f"enrol {server_name}") as state:
        connector_id = str(uuid.uuid4())
        state["connectors"].append(
            {
                "id": connector_id,
                "displayName": server_name,
                "lastConnectionDateTime": graph_time(now(state)),
                "version": version,
                "state_override": None,
            }
        )
    return connector_id


def beat(lab: Lab, connector_id: str, *, version: str | None = None) -> None:
    """Note a contact of now, and the build when it is given.

    Raises:
        LookupError: Intune has no such connector.

    """
    with store(lab).edit(f"heartbeat of {connector_id}") as state:
        entry = _find(state, connector_id)
        entry["lastConnectionDateTime"] = graph_time(now(state))
        entry["version"] = version or entry["version"]


def listed(lab: Lab) -> list[State]:
    """Return all connectors as Graph shows them now."""
    state = store(lab).read()
    return [shown(entry, now(state)) for entry in state["connectors"]]


def profiles(lab: Lab) -> list[State]:
    """Return the domain join profiles as Graph shows them, assignments included."""
    return [c for c in store(lab).read()["device_configurations"] if c["@odata.type"] == DOMAIN_JOIN]


def shown(entry: State, moment: float) -> State:
    """Return one connector as Graph shows it at a moment: its state follows from the last contact."""
    silent = moment - datetime.datetime.fromisoformat(entry["lastConnectionDateTime"]).timestamp()
    computed = "active" if silent < ERROR_AFTER else "error" if silent < INACTIVE_AFTER else "inactive"
    fields = ("id", "displayName", "lastConnectionDateTime", "version")
    return {**{name: entry[name] for name in fields}, "state": entry["state_override"] or computed}


def _find(state: State, connector_id: str) -> State:
    entries: list[State] = state["connectors"]
    for entry in entries:
        if entry["id"] == connector_id:
            return entry
    raise LookupError(f"Intune has no connector {connector_id}")
