# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of joins are counted, and the last failure is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import CHANNELS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.events import event_details
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts


def test_events_are_counted_and_the_last_failure_told() -> None:
    server = FakeWindows()
    lines = "EventType: x\nDeviceName: PC-7\nDiagnosticCode: 0x00000800\nDiagnosticText: no: rights"
    server.events = {
        CHANNELS[0]: [
            {"id": 30132, "time": "2026-11-24T02", "properties": [lines]},
            {"id": 30130, "time": "2026-11-24T03", "properties": []},
        ],
        CHANNELS[1]: [{"id": 30132, "time": "2026-11-24T01", "properties": []}],
    }
    events = facts(server)["events"]
    assert (events["successes"], events["failures"], events["last_success"]) == (1, 2, "2026-11-24T03")
    assert events["last_failure"] == {
        "time": "2026-11-24T02",
        "device": "PC-7",
        "diagnostic_code": "0x00000800",
        "diagnostic_text": "no: rights",
    }
    server.broken = {"events_0"}
    assert facts(server)["events"]["failures"] is None


def test_the_text_of_the_last_failure_is_asked_for_because_names_may_stand_there_only() -> None:
    server = FakeWindows()
    failure = {"id": 30132, "time": "2026-11-24T02", "record_id": 7, "properties": ["PC-7", "0x00000800"]}
    lines = "EventType: x\nDeviceName: PC-7\nDiagnosticCode: 0x00000800\nDiagnosticText: no rights"
    server.events = {CHANNELS[0]: [{**failure, "message": lines}]}
    last = facts(server)["events"]["last_failure"]
    assert (last["device"], last["diagnostic_text"]) == ("PC-7", "no rights")
    server.broken = {"failure_0"}
    assert facts(server)["events"]["last_failure"]["device"] is None
    assert facts(server)["events"]["failures"] == 1


def test_the_old_form_of_an_event_is_json() -> None:
    body = {"Metric": {"Dimensions": {"MachineName": "PC", "DiagnosticCode": "0x0", "More": {"x": 1}}}}
    assert event_details([json.dumps(body)], None) == {"MachineName": "PC", "DiagnosticCode": "0x0"}
    assert event_details(["free text: yes", "[1]", "5"], "") == {}


MICROSOFTS = {  # the event that Microsoft shows, in its own shape
    "Metric": {
        "Dimensions": {
            "RequestId": "1",
            "DomainName": "contoso.com",
            "ErrorCode": "5",
            "InstanceId": "2",
            "DiagnosticCode": "0x00000800",
            "DiagnosticText": 'Failed to get the ODJ Blob. [Exception Message: "DiagnosticException: 0x00000800."] '
            '[Exception Message: "Failed to call NetProvisionComputerAccount machineName=PC-7"]',
        },
        "Name": "RequestOfflineDomainJoinBlob_Failure",
        "Value": 0,
    }
}


def failure(time: str, *properties: str, **other: object) -> dict[str, object]:
    return {"id": 30132, "time": time, "properties": list(properties), **other}


def told(first: list[dict[str, object]], second: list[dict[str, object]]) -> dict[str, Any]:
    server = FakeWindows()
    server.events = {CHANNELS[0]: first, CHANNELS[1]: second}
    found: dict[str, Any] = facts(server)["events"]
    return found


def test_the_device_of_microsofts_own_event_is_read_from_its_text() -> None:
    last = told([failure("2026-11-24T02:00:00.0000000Z", json.dumps(MICROSOFTS))], [])["last_failure"]
    assert (last["device"], last["diagnostic_code"]) == ("PC-7", "0x00000800")
    message = "Failed to call NetProvisionComputerAccount machineName=PC-8."
    last = told([failure("2026-11-24T02:00:00.0000000Z", message=message)], [])["last_failure"]
    assert last["device"] == "PC-8."


def lines(device: str) -> str:
    return f"EventType: x\nDeviceName: {device}\nDiagnosticCode: 0x00000800"


def test_one_join_in_both_channels_is_counted_once() -> None:
    first = [failure(f"2026-11-24T02:00:0{second}.1000000Z", lines("PC-7")) for second in (0, 9)]
    second = [failure(f"2026-11-24T02:00:0{second}.2000000Z", lines("pc-7")) for second in (0, 9)]
    assert told(first, second)["failures"] == 2
    assert told(first, [])["failures"] == 2
    assert told([], second)["failures"] == 2
    good = [{**each, "id": 30130} for each in first]
    assert (told([*good, *first], second)["successes"], told([*good, *first], second)["failures"]) == (2, 2)


@pytest.mark.parametrize(
    ("first", "second", "joins"),
    [
        (["00.0", "01.0"], ["00.1", "01.1"], 2),
        (["00.0", "01.0"], ["01.1", "01.2"], 2),
        (["00.0"], ["05.0"], 1),
        (["00.0"], ["05.1"], 2),
        (["00.0", "00.0"], [], 2),
        (["00.0"], ["00.0", "00.0", "00.0"], 3),
        (["04.0"], ["00.0"], 1),
    ],
)
def test_events_of_one_device_are_matched_by_their_time(first: list[str], second: list[str], joins: int) -> None:
    channels = [
        [failure(f"2026-11-24T02:00:{time}000000Z", lines("PC-7")) for time in times] for times in (first, second)
    ]
    assert told(*channels)["failures"] == joins


def test_events_of_different_devices_are_different_joins() -> None:
    time = "2026-11-24T02:00:00.0000000Z"
    assert told([failure(time, lines("PC-7"))], [failure(time, lines("PC-8"))])["failures"] == 2
    assert told([failure(time, "free text")], [failure(time, "free text")])["failures"] == 1
    assert told([failure(time, "free text")], [failure(time, "other text")])["failures"] == 2
    assert told([failure("soon", "free text")], [failure("soon", "free text")])["failures"] == 1
    assert told([failure("soon", "free text")], [failure("later", "free text")])["failures"] == 2


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "\ud800", "machineName=", "machineName=" * 10_000, ": " * 10_000],
)
def test_no_text_of_an_event_is_too_odd_to_count_it(text: str) -> None:
    found = told([failure("2026-11-24T02:00:00.0000000Z", text, message=text)], [failure("9" * 5000, text)])
    assert found["failures"] == 2
