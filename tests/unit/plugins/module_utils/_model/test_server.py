# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a server become facts about it."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import CHANNELS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import known_connector
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.events import event_details
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.look import (
    SUBSETS,
    Scope,
    facts_of,
    parse_endpoint,
    questions,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Look
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG

ALL = Scope(frozenset(SUBSETS))


def facts(server: FakeWindows, scope: Scope = ALL) -> dict[str, t.Any]:
    return facts_of(server.look(questions(scope)), scope)


def test_an_empty_server() -> None:
    result = facts(FakeWindows())
    assert (result["state"], result["config"], result["errors"]) == ("absent", None, {})
    assert (result["host"]["fqdn"], result["host"]["os_build"]) == ("odj01.contoso.com", 20348)
    assert result["dotnet"] == {"release": 528449, "version_at_least_4_7_2": True}
    json.dumps(result)


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_subset_is_a_choice_of_questions(subset: str) -> None:
    scope = Scope(frozenset({subset}))
    assert set(facts(FakeWindows(), scope)) - {"errors"} >= {subset}
    assert len(questions(scope)) < len(questions(ALL))
    ids = [probe["id"] for probe in questions(scope)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("build", "changes", "state"),
    [
        ("6.2407.2000.8", {}, "legacy"),
        ("6.2604.2000.3", {}, "signed_in"),
        ("6.2604.2000.3", {"state": "Stopped"}, "ready_to_sign_in"),
        ("6.2604.2000.3", {"start_name": "LocalSystem"}, "ready_to_sign_in"),
        ("6.2604.2000.3", {"start_name": r"CONTOSO\someone"}, "ready_to_sign_in"),
        ("6.2604.2000.3", {"start_name": "msaODJab1cd$@contoso.com"}, "signed_in"),
    ],
)
def test_states(build: str, changes: dict[str, str], state: str) -> None:
    server = FakeWindows()
    server.install(build)
    server.sign_in()
    server.service |= changes
    result = facts(server)
    assert result["state"] == state
    assert len(result["enrollment"]["missing"]) == len(changes) * (state == "ready_to_sign_in")


def test_without_a_certificate_nobody_has_signed_in() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.sign_in()
    server.certificates = []
    assert facts(server)["enrollment"]["missing"] == [
        "No certificate of CN=Microsoft Intune ODJ Connector CA is in the computer's store."
    ]


def test_the_newest_certificate_counts_and_may_have_expired() -> None:
    server = FakeWindows()
    server.certificates = [
        {"thumbprint": "NEW", "not_after": "2020-01-01T00:00:00.0000000Z"},
        {"thumbprint": "OLD", "not_after": "2019-01-01T00:00:00.0000000Z"},
    ]
    certificate = facts(server)["enrollment"]["certificate"]
    assert (certificate["thumbprint"], certificate["expired"]) == ("NEW", True)


@pytest.mark.parametrize("probe", ["uninstall_64", "uninstall_32", "service", "certificate"])
def test_a_question_without_an_answer_is_never_an_absent_connector(probe: str) -> None:
    server = FakeWindows(broken={probe})
    result = facts(server)
    assert (result["state"], list(result["errors"])) == ("unknown", [probe])
    with pytest.raises(OdjError, match="AccessDenied: Zugriff verweigert"):
        known_connector(server.look(questions(ALL)), "odj01")
    with pytest.raises(OdjError, match="no answer"):
        known_connector(Look({}, 0.0, 0.0), "odj01")


@pytest.mark.parametrize(
    ("command", "root"),
    [
        (r'"D:\Dienste\Straße\odjconnectorsvc\ODJCONNECTORSVC.EXE" -x', r"D:\Dienste\Straße"),
        (r"D:\ODJ\ODJConnectorSvc\ODJConnectorSvc.exe", r"D:\ODJ"),
        (r"D:\other.exe", r"C:\Program Files\Microsoft Intune\ODJConnector"),
    ],
)
def test_the_service_tells_where_the_connector_lies(command: str, root: str) -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.service["path"] = command
    assert facts(server)["connector"]["install_path"] == root


def test_the_set_up_program_comes_before_its_msi() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.entries = dict(reversed(server.entries.items()))
    entries = facts(server)["connector"]["uninstall_entries"]
    assert [(entry["key"], entry["msi"]) for entry in entries] == [("{B}", False), ("{M}", True)]


def test_configuration_and_its_errors() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    assert facts(server)["config"]["keys"] == {"SignInURL": "x"}
    server.files[CONFIG] = b"<"
    assert "not well-formed" in facts(server)["config"]["error"]
    server.files[CONFIG] = b" " * 2_000_000
    assert "more than" in facts(server)["config"]["error"]


def test_the_misspelt_name_is_the_second_choice() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    misspelt = CONFIG.replace("Wizard.exe", "Wiazard.exe")
    server.files[misspelt] = server.files[CONFIG]
    assert facts(server)["config"]["path"] == CONFIG
    del server.files[CONFIG]
    assert facts(server)["config"]["path"] == misspelt


@pytest.mark.parametrize("offset", [-400.0, -0.0, 301.0])
def test_the_clock_is_bracketed_by_the_controllers(offset: float) -> None:
    result = facts(FakeWindows(clock_offset=offset))["host"]
    assert result["clock_skew_seconds"] == pytest.approx(offset, abs=0.2)


def test_a_server_clock_within_the_bracket_is_right() -> None:
    server = FakeWindows()
    look = server.look(questions(ALL))
    wide = Look(look.answers, look.asked_at - 2, look.answered_at + 3)
    host = facts_of(wide, ALL)["host"]
    assert isinstance(host, dict)
    assert (host["clock_skew_seconds"], host["clock_uncertainty_seconds"]) == (0.0, 5.0)


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


@pytest.mark.parametrize("bad", ["host", "host:", ":443", "https://host:443", "host:0", "host:70000", "host:٤٤٣"])
def test_a_malformed_endpoint_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        parse_endpoint(bad)


def test_endpoints() -> None:
    assert parse_endpoint("manage.microsoft.com:443") == ("manage.microsoft.com", 443)
    assert parse_endpoint("[::1]:8443") == ("::1", 8443)
