# SPDX-License-Identifier: GPL-3.0-or-later
"""Intune's side of Graph: connectors, domain join profiles, Autopilot profiles; beta only, read only."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

from odj_lab.cloud import connectors
from odj_lab.cloud.answers import Answer, Request, graph_error, intune_message
from odj_lab.cloud.entra import fingerprint
from odj_lab.cloud.state import BadState, now
from odj_lab.store import State

# Collection -> key in the state, name of the permission, query options that the lab answers.
COLLECTIONS: dict[str, tuple[str, str, frozenset[str]]] = {
    "domainJoinConnectors": ("connectors", "DeviceManagementConfiguration", frozenset()),
    "deviceConfigurations": (
        "device_configurations",
        "DeviceManagementConfiguration",
        frozenset({"$filter", "$expand"}),
    ),
    "windowsAutopilotDeploymentProfiles": (
        "autopilot_profiles",
        "DeviceManagementServiceConfig",
        frozenset({"$expand"}),
    ),
}
ROOT = "deviceManagement"
ISOF = re.compile(r"\(?isof\('(microsoft\.graph\.\w+)'\)\)?")


def answer(state: State, request: Request) -> Answer:
    """Answer one request below /beta or /v1.0."""
    version, __, path = request.path.strip("/").partition("/")
    segments = path.split("/")
    known = segments[0] == ROOT and len(segments) in (2, 3) and segments[1] in COLLECTIONS
    if not known or version != "beta":
        segment = segments[1] if segments[0] == ROOT and len(segments) > 1 else segments[0]
        text = f"Resource not found for the segment '{segment}'."
        return graph_error(400, "BadRequest", text, request, now(state))
    app = _caller(state, request)
    if isinstance(app, Answer):
        return app
    if refused := _not_permitted(state, request, app, segments[1]):
        return refused
    if request.method != "GET":
        return _written(state, request, segments)
    return _row(state, request, segments) if len(segments) == 3 else _page(state, request, segments[1])


def _caller(state: State, request: Request) -> State | Answer:
    scheme, __, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        return graph_error(401, "InvalidAuthenticationToken", "Access token is empty.", request, now(state))
    known = state["tokens"].get(fingerprint(value))
    if known is None or known["expires"] <= now(state):
        text = "Lifetime validation failed, the token is expired."
        return graph_error(401, "InvalidAuthenticationToken", text, request, now(state))
    app: State = state["apps"][known["client_id"].lower()]
    return app


def _not_permitted(state: State, request: Request, app: State, collection: str) -> Answer | None:
    name = COLLECTIONS[collection][1]
    enough = [f"{name}.ReadWrite.All"] if request.method != "GET" else [f"{name}.Read.All", f"{name}.ReadWrite.All"]
    if set(enough) & set(app["permissions"]):
        return None
    text = (
        "Application is not authorized to perform this operation. "
        f"Application must have one of the following scopes: {', '.join(enough)}"
    )
    message = intune_message(text, "Lab/StatelessService", request)
    return graph_error(403, "Forbidden", message, request, now(state))


def _written(state: State, request: Request, segments: list[str]) -> Answer:
    if request.method == "DELETE" and segments[1] == "domainJoinConnectors":
        inner = intune_message("An error has occurred", "RAODJPlus/StatelessODJService", request)
        message = json.dumps({"ErrorCode": "Forbidden", "Message": inner, "Target": None, "Details": None})
        return graph_error(403, "UnknownError", message, request, now(state))
    text = f"The lab has no stand-in for {request.method} {request.path}."
    return graph_error(501, "NotImplemented", text, request, now(state))


def _rows(state: State, collection: str) -> list[State]:
    if collection == "domainJoinConnectors":
        return connectors.rows(state)
    key = COLLECTIONS[collection][0]
    for place, row in enumerate(state[key]):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or "@odata.type" not in row:
            raise BadState(f"{key}[{place}]", row, "is no object with an id and a type (@odata.type)")
    rows: list[State] = state[key]
    return rows


def _visible(row: State, request: Request) -> State:
    expanded = request.query.get("$expand") == "assignments"
    return {key: value for key, value in row.items() if key != "assignments" or expanded}


def _row(state: State, request: Request, segments: list[str]) -> Answer:
    for row in _rows(state, segments[1]):
        if row["id"] == segments[2].lower():
            return Answer(
                200, {"@odata.context": _context(request, segments[1]) + "/$entity", **_visible(row, request)}
            )
    message = intune_message("The entity does not exist", "Lab/StatelessService", request)
    return graph_error(404, "ResourceNotFound", message, request, now(state))


def _page(state: State, request: Request, collection: str) -> Answer:
    unknown = sorted(request.query.keys() - COLLECTIONS[collection][2] - {"$skiptoken"})
    rows = _filtered(_rows(state, collection), request.query.get("$filter"))
    if unknown or rows is None:
        text = f"The lab does not answer {unknown or request.query['$filter']} on {collection}."
        return graph_error(400, "BadRequest", text, request, now(state))
    start = int(request.query.get("$skiptoken", "0"))
    end = start + int(state["page_size"])
    body: State = {"@odata.context": _context(request, collection)}
    body["value"] = [_visible(row, request) for row in rows[start:end]]
    if end < len(rows):
        query = urlencode({**request.query, "$skiptoken": str(end)})
        body["@odata.nextLink"] = state.get("next_link") or f"{request.base_url}{request.path}?{query}"
    return Answer(200, body)


def _filtered(rows: list[State], wanted: str | None) -> list[State] | None:
    if wanted is None:
        return rows
    match = ISOF.fullmatch(wanted)
    return None if match is None else [row for row in rows if row["@odata.type"] == f"#{match[1]}"]


def _context(request: Request, collection: str) -> str:
    return f"{request.base_url}/beta/$metadata#{ROOT}/{collection}"
