# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of joins are counted, and the last failure is told."""

from __future__ import annotations

import json

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
