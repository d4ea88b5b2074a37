# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job: from nothing over the sign-in to a fleet that a second run does not change, counted on the way."""

from __future__ import annotations

import json
import re
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.staging import first_day
from odj_lab import audit, inventory, plays, population
from odj_lab.product import sign_in
from odj_lab.settings import Lab
from odj_lab.store import JsonLog, JsonStore

SITE = "hybridjoin.odj.site"
SERVERS = ("odj01", "odj02")
FAST = {"odj_poll_interval": 1}


@pytest.fixture(scope="module")
def estate(lab: Lab) -> Iterator[Lab]:
    inventory.write(lab, SERVERS)
    with first_day(lab):
        yield lab


@pytest.fixture(scope="module")
def stopped(estate: Lab) -> plays.Play:
    """Run it for the first time, told not to wait."""
    return plays.run(estate, SITE, variables={**FAST, "odj_sign_in": "stop"})


@pytest.fixture(scope="module")
def resumed(estate: Lab, stopped: plays.Play) -> plays.Play:
    """Run it again after a person has signed in at both servers."""
    assert stopped.code == 0, stopped.output
    for server in SERVERS:
        sign_in.sign_in(estate, server)
    return plays.run(estate, SITE, variables=FAST)


class Counted(t.NamedTuple):
    """The run after that, with what the servers, the domain controller and the cloud saw of it."""

    play: plays.Play
    executions: dict[str, list[str]]
    binds: list[str]
    requests: list[str]


@pytest.fixture(scope="module")
def converged(estate: Lab, resumed: plays.Play) -> Counted:
    assert resumed.code == 0, resumed.output
    begun = time.time()
    play = plays.run(estate, SITE, variables=FAST)
    executions = {
        server: [
            entry["name"]
            for entry in JsonLog(estate.server_dir(server) / "executions.jsonl").entries()
            if entry["time"] >= begun
        ]
        for server in SERVERS
    }
    binds = [
        bind["account"] for bind in audit.ldap_binds(estate.domains[0], begun) if bind["account"] == "odj-automation"
    ]
    requests = [
        entry["kind"] for entry in JsonLog(estate.cloud_dir / "requests.jsonl").entries() if entry["time"] >= begun
    ]
    return Counted(play, executions, binds, requests)


@pytest.mark.each_core
def test_first_run_stops_before_the_sign_in(estate: Lab, stopped: plays.Play) -> None:
    assert stopped.code == 0, stopped.output
    for server in SERVERS:
        assert f"{server} is ready to sign in" in stopped.output
        services = JsonStore(estate.server_dir(server) / "state.json").read()["services"]
        assert services["ODJConnectorSvc"]["start_name"] == "LocalSystem"
    assert "Intune Administrator" in stopped.output
    assert "Sign In" in stopped.output


def test_waiting_in_vain_says_what_is_missing(estate: Lab, stopped: plays.Play) -> None:
    assert stopped.code == 0, stopped.output
    play = plays.run(estate, SITE, variables={**FAST, "odj_sign_in_timeout": 1})
    said = " ".join(play.output.split())
    assert play.code != 0
    for server in SERVERS:
        assert f"Could not see the sign-in at the connector ({server}): nobody signed in within 1 s" in said
        assert (
            f"[{server}]: waiting for an Intune Administrator to sign in with the connector's wizard on {server}."
            in said
        )


@pytest.mark.each_core
def test_resumed_run_delegates_and_sees_both_active(estate: Lab, resumed: plays.Play) -> None:
    assert resumed.code == 0, resumed.output
    sids = [account["sid"] for account in population.service_accounts(estate.domains[0])]
    assert len(sids) >= len(SERVERS)
    for text in audit.descriptors(estate.domains[0], *estate.domains[0].organizational_units):
        granted = re.findall(r"\(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;(S-[\d-]+)\)", text)
        assert set(granted) >= set(current_sids(estate))


def current_sids(estate: Lab) -> list[str]:
    """Return the SIDs of the accounts that the servers' services run as by now."""
    names = {
        JsonStore(estate.server_dir(server) / "state.json").read()["services"]["ODJConnectorSvc"]["start_name"]
        for server in SERVERS
    }
    return [
        a["sid"]
        for a in population.service_accounts(estate.domains[0])
        if f"{estate.domains[0].netbios}\\{a['name']}" in names
    ]


@pytest.mark.each_core
def test_converged_run_changes_nothing(converged: Counted) -> None:
    assert converged.play.code == 0, converged.play.output
    assert converged.play.changed() == dict.fromkeys(SERVERS, 0)


@pytest.mark.each_core
def test_converged_run_costs_one_execution_a_server(converged: Counted) -> None:
    for server, names in converged.executions.items():
        assert [name.rpartition(".")[2] for name in names] == ["odj_server_probe"], (server, names)


@pytest.mark.each_core
def test_converged_run_costs_one_bind_a_directory_task(converged: Counted) -> None:
    assert len(converged.binds) == 2  # odj_organizational_unit_info and odj_ou_delegate, each once for the domain group


@pytest.mark.each_core
def test_converged_run_costs_one_token_and_one_read_a_cloud_task(converged: Counted) -> None:
    tasks = 2  # odj_connector_info before anything is changed, and again at the end
    assert [kind for kind in converged.requests if kind in {"token", "read"}] == ["token", "read"] * tasks


def test_the_description_of_the_delegation_reaches_it(estate: Lab, converged: Counted, tmp_path: Path) -> None:
    """The tag says how to do this part of the job alone."""
    assert converged.play.code == 0, converged.play.output
    path = tmp_path / "points.json"
    wish = {"rights": ["create_computer", "delete_computer"], "applies_to": "subtree", "backup_path": str(path)}
    runs = [plays.run(estate, SITE, "--tags", "ou_delegation", variables={"odj_delegation": wish}) for __ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[0].output
    assert [run.changed() for run in runs] == [{"odj01": 1, "odj02": 0}, {"odj01": 0, "odj02": 0}]
    units = estate.domains[0].organizational_units
    sids = current_sids(estate)
    for text in audit.descriptors(estate.domains[0], *units):
        for sid in sids:
            for right in ("CC", "DC"):
                assert f"(OA;CI;{right};bf967a86-0de6-11d0-a285-00aa003049e2;;{sid})" in text
    points = json.loads(path.read_text(encoding="utf-8"))["restore_points"]
    assert sorted(point["dn"] for point in points) == sorted(units)


def test_a_degraded_server_fails_with_its_reasons_whatever_is_done_about_the_sign_in(
    estate: Lab, converged: Counted
) -> None:
    """Nobody is asked to sign in again, and the run does not leave the server unseen."""
    assert converged.play.code == 0, converged.play.output
    store = JsonStore(estate.server_dir("odj02") / "state.json")
    with store.edit("the account may not log on") as state:
        state["user_rights"]["SeServiceLogonRight"] = []
        state["services"]["ODJConnectorSvc"].update(state="Stopped", process_id=0, exit_code=1069)
    for sign_in_too in ("stop", "wait"):
        play = plays.run(estate, SITE, "--tags", "sign_in", variables={**FAST, "odj_sign_in": sign_in_too}, warm=True)
        said = " ".join(play.output.split())
        assert play.code != 0
        assert "Could not count on the connector (odj02): it is degraded." in said
        assert "could not log on as" in said
        assert "right to log on as a service" in said
        assert "is ready to sign in" not in said
        assert {host: counts["failed"] for host, counts in play.recap.items()} == {"odj01": 0, "odj02": 1}
    with store.edit("the account may log on again") as state:
        state["user_rights"]["SeServiceLogonRight"] = ["S-1-5-80-0", state["product"]["account"]["sid"]]
    checked, mended, again = (
        plays.run(estate, SITE, "--tags", "sign_in", *words, variables=FAST, warm=True)
        for words in (("--check",), (), ())
    )
    assert [one.code for one in (checked, mended, again)] == [0, 0, 0], checked.output
    assert [one.changed()["odj02"] for one in (checked, mended, again)] == [1, 1, 0]
    assert store.read()["services"]["ODJConnectorSvc"]["state"] == "Running"
