# SPDX-License-Identifier: GPL-3.0-or-later
"""The module itself, with the real AnsibleModule, against the lab's cloud."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.hybridjoin.odj.plugins.modules import odj_connector_info
from ansible_collections.hybridjoin.odj.tests.unit.fakes.module_arguments import patch_module_args
from odj_lab.cloud import connectors
from odj_lab.cloud.state import requests_log, store
from odj_lab.settings import Lab

Run = Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(options: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> Run:
    def run_with(**other: t.Any) -> dict[str, t.Any]:
        given = {name: value for name, value in {**options, **other}.items() if value is not None}
        with patch_module_args(given), pytest.raises(SystemExit):
            odj_connector_info.main()
        result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
        return result

    return run_with


def test_the_fleet_is_told_with_one_token_and_one_read(lab: Lab, run: Run) -> None:
    connector = connectors.register(lab, "ODJ01", "6.2604.2000.3")
    result = run()
    assert result["changed"] is False
    assert result["all_active"] is True
    assert result["graph"] == {"operations": {"discovery": 1, "token": 1, "read": 1}}
    told = result["connectors"][0]
    assert (told["id"], told["display_name"], told["state"]) == (connector, "ODJ01", "active")
    assert (told["age_minutes"], told["stale"], told["below_minimum"], told["duplicates"]) == (0, False, False, [])


def test_check_mode_reads_the_same(lab: Lab, run: Run) -> None:
    connectors.register(lab, "odj01", "6.2604.2000.3")
    assert run(_ansible_check_mode=True)["all_active"] is True


def test_a_new_enrolment_makes_the_old_entry_a_duplicate(lab: Lab, run: Run) -> None:
    first = connectors.register(lab, "odj01", "6.2501.2000.5")
    second = connectors.register(lab, "odj01", "6.2604.2000.3")
    told = run(names=["odj01"])["connectors"]
    assert [(each["id"], each["duplicates"]) for each in told] == [(second, [first])]


def test_what_is_not_well_is_listed_and_fails_only_when_asked(lab: Lab, run: Run) -> None:
    silent = connectors.register(lab, "odj01", "6.2407.2000.8")
    with store(lab).edit("two hours pass") as state:
        state["connectors"][0]["lastConnectionDateTime"] = "2026-01-01T00:00:00.0000000Z"
    connectors.register(lab, "odj02", "6.2604.2000.3")
    names = ["odj01", "odj02", "odj03.contoso.test"]
    result = run(names=names)
    assert result["all_active"] is False
    assert result["missing"] == ["odj03.contoso.test"]
    assert result["connectors"][0]["id"] == silent
    assert result["problems"] == [
        "odj03.contoso.test is not there",
        "odj01 is inactive, not active",
        "odj01 is silent since 2026-01-01T00:00:00Z",
        "odj01 has build 6.2407.2000.8, below 6.2501.2000.5",
    ]
    failed = run(names=names, require_active=True)
    assert failed["failed"] is True
    assert all(problem in failed["msg"] for problem in result["problems"])


def test_a_server_that_intune_shows_by_its_netbios_name_is_found_by_its_own(lab: Lab, run: Run) -> None:
    connectors.register(lab, "CONTOSO-ODJCONN", "6.2604.2000.3")
    for name in ("contoso-odjconn01.contoso.test", "contoso-odjconn01", "contoso-odjconn01.contoso.test."):
        assert run(names=[name])["problems"] == []


def test_a_connector_without_a_build_is_not_counted_as_active(lab: Lab, run: Run) -> None:
    connectors.register(lab, "odj01", "6.2604.2000.3.1")
    result = run(names=["odj01"])
    assert (result["all_active"], result["connectors"][0]["below_minimum"]) == (False, None)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"minimum_build": "newest"}, "'newest'"),
        ({"stale_after": 0}, "stale_after"),
        ({"names": ["odj01", " "]}, "names"),
        ({"tenant_id": "common"}, "tenant_id"),
        ({"client_secret": None}, "client_secret"),
        ({"cloud_environment": "AzureChinaCloud"}, "AzureUSGovernment"),
    ],
)
def test_bad_input_is_named_before_anything_is_sent(lab: Lab, run: Run, other: dict[str, t.Any], named: str) -> None:
    failed = run(**other)
    assert failed["failed"] is True
    assert named in failed["msg"]
    assert requests_log(lab).entries() == []


def test_a_refusal_of_entra_fails_the_task_in_words_and_in_parts(run: Run) -> None:
    failed = run(client_secret="wrong-and-hidden")
    assert failed["error"]["code"] == "AADSTS7000215"
    assert "not its id" in failed["msg"]
    assert "wrong-and-hidden" not in json.dumps(failed)


@pytest.mark.parametrize("option", ["proxy", "authority_host", "graph_url"])
@pytest.mark.parametrize("value", ["http://svc:Pa55#w0rdX@127.0.0.1:1", "https://svc:Pa55w0rdX@127.0.0.1:1"])
def test_an_address_with_a_password_is_nowhere_in_the_result(lab: Lab, run: Run, option: str, value: str) -> None:
    failed = run(**{option: value})
    assert (failed["failed"], failed["error"]["on"]) == (True, option)
    assert not [piece for piece in ("svc", "Pa55", "w0rdX", "127.0.0.1:1") if piece in json.dumps(failed)]
    assert requests_log(lab).entries() == []


def test_a_malformed_proxy_variable_stops_the_task_before_anything_is_sent(
    lab: Lab, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://svc:Pa55#w0rdX@127.0.0.1:1")
    failed = run()
    assert "HTTPS_PROXY" in failed["msg"]
    assert not [piece for piece in ("svc", "Pa55", "w0rdX", "127.0.0.1:1") if piece in json.dumps(failed)]
    assert requests_log(lab).entries() == []


def test_the_automation_platform_can_inject_everything_even_empty_variables(
    lab: Lab, run: Run, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AZURE_TENANT": "",
        "AZURE_TENANT_ID": options["tenant_id"],
        "AZURE_CLIENT_ID": options["client_id"],
        "AZURE_SECRET": options["client_secret"],
        "AZURE_CLOUD_ENVIRONMENT": "",
        "AZURE_AUTHORITY_HOST": options["authority_host"].removeprefix("https://"),
    }.items():
        monkeypatch.setenv(name, value)
    nothing = dict.fromkeys(("tenant_id", "client_id", "client_secret", "authority_host"))
    connectors.register(lab, "odj01", "6.2604.2000.3")
    assert run(**nothing)["all_active"] is True
