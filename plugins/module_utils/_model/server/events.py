# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Joins in the connector's event log: how many went well or failed, and what the last failure said."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    CHANNELS,
    EVENT_FAILURE,
    EVENT_SUCCESS,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Probe,
    Snapshot,
    ask_event,
)

LIMIT = 500  # events read from each channel; more than that are reported as truncated


def event_probes(hours: int) -> list[Probe]:
    """Return the questions whose answers ``event_facts`` understands."""
    ids = (EVENT_SUCCESS, EVENT_FAILURE)
    channels = list(enumerate(CHANNELS))
    # The details of an event may have their names in its text only; that of the newest failure is enough.
    return [
        *(ask_event(f"events_{index}", channel, ids, hours=hours, limit=LIMIT) for index, channel in channels),
        *(
            ask_event(f"failure_{i}", name, (EVENT_FAILURE,), hours=hours, limit=1, message=True)
            for i, name in channels
        ),
    ]


def event_facts(snapshot: Snapshot, hours: int) -> dict[str, object]:
    """Return the facts ``events``; counts are null when a channel could not be read."""
    answers = [snapshot.value(f"events_{index}") for index in range(len(CHANNELS))]
    readable = all(snapshot.answered(f"events_{index}") for index in range(len(CHANNELS)))
    events = sorted(
        (one for answer in answers for one in answer.parts("events")), key=lambda one: one.text("time") or ""
    )
    good = [one for one in events if one.number("id") == EVENT_SUCCESS]
    bad = [one for one in events if one.number("id") == EVENT_FAILURE]
    return {
        "window_hours": hours,
        "channels": {
            name: {"exists": bool(answer.flag("exists")), "enabled": bool(answer.flag("enabled"))}
            for name, answer in zip(CHANNELS, answers, strict=True)
        },
        "successes": len(good) if readable else None,
        "failures": len(bad) if readable else None,
        "truncated": any(len(answer.parts("events")) >= LIMIT for answer in answers),
        "last_success": good[-1].text("time") if good else None,
        "last_failure": _failure(bad[-1], _texts(snapshot)) if bad else None,
    }


def _texts(snapshot: Snapshot) -> dict[tuple[str | None, int | None], str | None]:
    shown = (one for index in range(len(CHANNELS)) for one in snapshot.value(f"failure_{index}").parts("events"))
    return {(one.text("time"), one.number("record_id")): one.text("message") for one in shown}


def _failure(one: Fields, texts: Mapping[tuple[str | None, int | None], str | None]) -> dict[str, object]:
    message = texts.get((one.text("time"), one.number("record_id")))
    details = event_details(one.texts("properties"), message)
    return {
        "time": one.text("time"),
        "device": details.get("DeviceName") or details.get("MachineName"),
        "diagnostic_code": details.get("DiagnosticCode"),
        "diagnostic_text": details.get("DiagnosticText"),
    }


def event_details(properties: list[str], message: str | None) -> dict[str, str]:
    """Return the named details of one event.

    There are two forms: JSON in the first property (older builds), and lines of ``Name: value`` (newer builds).
    Neither is documented; what is of another form has no details.
    """
    for text in (*properties, message or ""):
        details = _from_json(text) or _from_lines(text)
        if details:
            return details
    return {}


def _from_json(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return _dimensions(data) if isinstance(data, Mapping) else {}


def _dimensions(data: Mapping[str, object]) -> dict[str, str]:
    inner = Fields(data).part("Metric").part("Dimensions").data
    return {name: str(value) for name, value in (inner or data).items() if not isinstance(value, (Mapping, list))}


def _from_lines(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    found = {name.strip(): value.strip() for name, colon, value in pairs if colon and name.strip().isidentifier()}
    return found if "DiagnosticCode" in found or "EventType" in found else {}
