# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the lab's cloud, and the error bodies of Entra, Graph and Intune."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from odj_lab.cloud.state import graph_time


@dataclass(frozen=True, slots=True)
class Request:
    """One request: path without query, query and form with one value per name, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    base_url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the body goes out as JSON."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


def entra_error(status: int, error: str, code: int, text: str, moment: float) -> Answer:
    """Return an error of the token endpoint; the code stands in the text as AADSTS<code> and in error_codes."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = graph_time(moment)[:19].replace("T", " ") + "Z"
    body = {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
    }
    return Answer(status, body)


def graph_error(
    status: int, code: str, message: str, request: Request, moment: float, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an error of Graph itself; request-id stands in the body and in a header."""
    request_id = str(uuid.uuid4())
    inner = {
        "date": graph_time(moment)[:19],
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
    }
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return Answer(status, body, {"request-id": request_id, **(headers or {})})


def intune_message(text: str, service: str, request: Request, retry_after: str | None = None) -> str:
    """Return the JSON text that an Intune back end puts into Graph's message."""
    zero, activity = str(uuid.UUID(int=0)), str(uuid.uuid4())
    where = f"https://fef.lab.test/{service}{request.path.removeprefix('/beta')}"
    return json.dumps(
        {
            "_version": 3,
            "Message": f"{text} - Operation ID (for customer support): {zero} - Activity ID: {activity} - Url: {where}",
            "CustomApiErrorPhrase": "",
            "RetryAfter": retry_after,
            "ErrorSourceService": "",
            "HttpHeaders": "{}",
        },
        indent=2,
    ).replace("\n", "\r\n")
