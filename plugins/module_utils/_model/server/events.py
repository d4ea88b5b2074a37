# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Joins in the connector's event log: how many went well or failed, and what the last failure said.

The connector may write one join into both of its channels. So events are counted by device and time, not as they stand.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

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
# Two events of one device in two channels are one join when they are that near; another join takes minutes.
SAME_JOIN = timedelta(seconds=5)

_MACHINE_NAME = re.compile(r"machineName=([^\s\"'\\\]<>]{1,255})", re.IGNORECASE)
_UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)


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
        "successes": _joins(answers, EVENT_SUCCESS) if readable else None,
        "failures": _joins(answers, EVENT_FAILURE) if readable else None,
        "truncated": any(len(answer.parts("events")) >= LIMIT for answer in answers),
        "last_success": good[-1].text("time") if good else None,
        "last_failure": _failure(bad[-1], _texts(snapshot)) if bad else None,
    }


def _joins(answers: Sequence[Fields], event_id: int) -> int:
    """Return how many joins the events of one id in all channels are."""
    moments: dict[Hashable, list[tuple[datetime, int]]] = {}
    for channel, answer in enumerate(answers):
        for one in answer.parts("events"):
            if one.number("id") == event_id:
                moment = _moment(one.text("time"))
                # Without a time that can be read, only the very same text is the same moment.
                key = (_device(one), one.text("time") if moment == _UNKNOWN_TIME else None)
                moments.setdefault(key, []).append((moment, channel))
    return sum(_distinct(sorted(each), len(answers)) for each in moments.values())


def _distinct(events: Sequence[tuple[datetime, int]], channels: int) -> int:
    """Return how many joins the events of one device are: each has at most one event in each channel."""
    joins: deque[tuple[datetime, set[int]]] = deque()  # those that may still have an event in another channel
    count = 0
    for moment, channel in events:
        while joins and (moment - joins[0][0] > SAME_JOIN or len(joins[0][1]) == channels):
            joins.popleft()
        seen = next((seen for _begin, seen in joins if channel not in seen), None)
        if seen is None:
            joins.append((moment, {channel}))
            count += 1
        else:
            seen.add(channel)
    return count


def _device(one: Fields) -> Hashable:
    properties = one.texts("properties")
    details = event_details(properties, None)
    name = details.get("DeviceId") or _device_name(details, properties)
    return name.casefold() if name else tuple(properties)


def _device_name(details: Mapping[str, str], texts: Sequence[str]) -> str | None:
    told = details.get("DeviceName") or details.get("MachineName")
    if told:
        return told
    # In a failure the name may stand in the text of the inner error only.
    found = next((match for text in texts if (match := _MACHINE_NAME.search(text))), None)
    return found[1] if found else None


def _moment(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        return _UNKNOWN_TIME


def _texts(snapshot: Snapshot) -> dict[tuple[str | None, int | None], str | None]:
    shown = (one for index in range(len(CHANNELS)) for one in snapshot.value(f"failure_{index}").parts("events"))
    return {(one.text("time"), one.number("record_id")): one.text("message") for one in shown}


def _failure(one: Fields, texts: Mapping[tuple[str | None, int | None], str | None]) -> dict[str, object]:
    message = texts.get((one.text("time"), one.number("record_id")))
    properties = one.texts("properties")
    details = event_details(properties, message)
    return {
        "time": one.text("time"),
        "device": _device_name(details, [*properties, message or ""]),
        "diagnostic_code": details.get("DiagnosticCode"),
        "diagnostic_text": details.get("DiagnosticText"),
    }


def event_details(properties: list[str], message: str | None) -> dict[str, str]:
    """Return the named details of one event.

    There are two forms: JSON in the first property (older builds), and lines of ``Name: value`` (newer builds).
    Microsoft shows one event of the first; what is of another form has no details.
    https://learn.microsoft.com/en-us/autopilot/troubleshooting-faq
    """
    for text in (*properties, message or ""):
        details = _from_json(text) or _from_lines(text)
        if details:
            return details
    return {}


def _from_json(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return _dimensions(data) if isinstance(data, Mapping) else {}


def _dimensions(data: Mapping[str, object]) -> dict[str, str]:
    inner = Fields(data).part("Metric").part("Dimensions").data
    return {name: str(value) for name, value in (inner or data).items() if not isinstance(value, (Mapping, list))}


def _from_lines(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    found = {name.strip(): value.strip() for name, colon, value in pairs if colon and name.strip().isidentifier()}
    return found if "DiagnosticCode" in found or "EventType" in found else {}
