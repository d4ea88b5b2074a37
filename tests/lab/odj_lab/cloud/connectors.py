# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector product does with its cloud: enrol, beat, ask for profiles; and how Intune then shows it."""

from __future__ import annotations

import datetime
import uuid

from odj_lab.cloud.state import DOMAIN_JOIN, BadState, graph_time, now, store
from odj_lab.settings import Lab
from odj_lab.store import State

# https://learn.microsoft.com/graph/api/resources/intune-odj-devicemanagementdomainjoinconnectorstate
ERROR_AFTER = 3600
INACTIVE_AFTER = 5 * 86400
FIELDS = ("id", "displayName", "lastConnectionDateTime", "version")


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
        if version:
            entry["version"] = version


def listed(lab: Lab) -> list[State]:
    """Return all connectors as Graph shows them now.

    Raises:
        BadState: A row is not as it should be.

    """
    return rows(store(lab).read())


def rows(state: State) -> list[State]:
    """Return the connectors of a document as Graph shows them at its time.

    Raises:
        BadState: A row is not as it should be.

    """
    return [_shown(f"connectors[{place}]", row, now(state)) for place, row in enumerate(state["connectors"])]


def profiles(lab: Lab) -> list[State]:
    """Return the domain join profiles as Graph shows them, assignments included."""
    return [c for c in store(lab).read()["device_configurations"] if c["@odata.type"] == DOMAIN_JOIN]


def _shown(place: str, row: object, moment: float) -> State:
    """Return one connector as Graph shows it at a moment: its state follows from the last contact."""
    if not isinstance(row, dict):
        raise BadState(place, row, "is no object")
    for name in FIELDS:
        if not isinstance(row.get(name), str):
            raise BadState(place, row, f"has no text as {name}")
    try:
        contact = datetime.datetime.fromisoformat(row["lastConnectionDateTime"])
    except ValueError:
        contact = datetime.datetime.min
    if contact.tzinfo is None:
        raise BadState(place, row, "has no time with its zone as lastConnectionDateTime")
    silent = moment - contact.timestamp()
    computed = "active" if silent < ERROR_AFTER else "error" if silent < INACTIVE_AFTER else "inactive"
    return {**{name: row[name] for name in FIELDS}, "state": row.get("state_override") or computed}


def _find(state: State, connector_id: str) -> State:
    entries: list[State] = state["connectors"]
    for entry in entries:
        if entry.get("id") == connector_id:
            return entry
    raise LookupError(f"Intune has no connector {connector_id}")
