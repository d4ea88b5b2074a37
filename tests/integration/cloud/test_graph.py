# SPDX-License-Identifier: GPL-3.0-or-later
"""The Graph adapter against the lab's Graph over https: pages, throttling, refusals, broken connections."""

from __future__ import annotations

import email.utils
import re
import socket
import time
import typing as t
from collections.abc import Callable

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import (
    Graph,
    GraphError,
    explain_graph,
    read_connectors,
)
from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import PatientClock
from odj_lab.cloud import CLIENT_ID, connectors, serve
from odj_lab.cloud.state import DOMAIN_JOIN, requests_log, store
from odj_lab.processes import LabError
from odj_lab.settings import Lab

Opened = Callable[..., Graph]
CONNECTORS = "deviceManagement/domainJoinConnectors"
PATIENCE = 120  # seconds; answers take milliseconds


def fault(lab: Lab, *rules: dict[str, t.Any]) -> None:
    with store(lab).edit("faults") as state:
        state["faults"]["rules"] = list(rules)


def enrol(lab: Lab, count: int) -> list[str]:
    return [connectors.register(lab, f"odj{number:02}", "6.2604.2000.3") for number in range(1, count + 1)]


def bearer(lab: Lab) -> dict[str, str]:
    """Return the header of a caller with a token of its own."""
    form = {
        "client_id": CLIENT_ID,
        "client_secret": lab.passwords["graph-app"],
        "grant_type": "client_credentials",
        "scope": f"{lab.cloud_url}/.default",
    }
    url = f"{lab.cloud_url}/{lab.tenant_id}/oauth2/v2.0/token"
    answer = requests.post(url, data=form, verify=str(lab.ca_path), timeout=PATIENCE)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize(("count", "reads"), [(0, 1), (2, 1), (3, 2), (5, 3)])
def test_all_pages_are_read(lab: Lab, opened: Opened, count: int, reads: int) -> None:
    ids = enrol(lab, count)
    graph = opened()
    assert [row["id"] for row in read_connectors(graph)] == ids
    assert graph.operations()["read"] == reads


def test_a_link_to_a_foreign_host_is_refused_and_the_token_stays_here(lab: Lab, opened: Opened) -> None:
    enrol(lab, 3)
    with store(lab).edit("lead away") as state:
        state["next_link"] = f"https://localhost:8443/beta/{CONNECTORS}"
    with pytest.raises(GraphError, match="leads elsewhere, to 'https://localhost:8443/"):
        read_connectors(opened())


def test_throttling_is_waited_for_as_told(lab: Lab, opened: Opened, clock: PatientClock) -> None:
    enrol(lab, 1)
    date = email.utils.formatdate(time.time() + 110, usegmt=True)
    fault(
        lab,
        {"do": "throttle", "kind": "read", "retry_after": "7"},
        {"do": "unavailable", "kind": "read", "retry_after": date},
        {"do": "throttle", "kind": "read", "nested_retry_after": "11"},
        {"do": "throttle", "kind": "read"},
    )
    graph = opened()
    assert len(read_connectors(graph)) == 1
    assert graph.operations()["read"] == 5
    told, dated, nested, own = clock.slept
    assert (told, nested) == (7.0, 11.0)
    assert 20 < dated <= 110
    assert 8 <= own < 9


def test_throttling_without_end_is_told_with_the_request_id(lab: Lab, opened: Opened, clock: PatientClock) -> None:
    fault(lab, {"do": "throttle", "kind": "read", "count": 99})
    with pytest.raises(GraphError, match=r"HTTP 429, TooManyRequests: Too many requests\..*fewer tasks") as caught:
        read_connectors(opened())
    assert caught.value.request_id
    assert len(clock.slept) == 4


def test_a_throttled_token_is_waited_for_too(lab: Lab, opened: Opened, clock: PatientClock) -> None:
    fault(lab, {"do": "throttle", "kind": "token", "retry_after": "3"}, {"do": "unavailable", "kind": "discovery"})
    graph = opened()
    assert read_connectors(graph) == []
    assert graph.operations() == {"discovery": 2, "token": 2, "read": 1}
    assert clock.slept[-1] == 3.0


def test_a_connection_that_drops_in_the_middle_is_made_again(lab: Lab, opened: Opened, clock: PatientClock) -> None:
    ids = enrol(lab, 3)
    fault(lab, {"do": "drop", "kind": "read", "skip": 1})
    assert [row["id"] for row in read_connectors(opened())] == ids
    assert len(clock.slept) == 1


def test_a_token_revoked_in_the_middle_is_replaced_once(lab: Lab, opened: Opened) -> None:
    ids = enrol(lab, 3)
    fault(lab, {"do": "revoke", "kind": "read", "skip": 1})
    graph = opened()
    assert [row["id"] for row in read_connectors(graph)] == ids
    assert graph.operations() == {"discovery": 1, "token": 2, "read": 3}
    assert [entry["status"] for entry in requests_log(lab).entries() if entry["kind"] == "read"] == [200, 401, 200]


def test_a_missing_permission_is_unfolded_and_named(lab: Lab, opened: Opened) -> None:
    with store(lab).edit("take the permission away") as state:
        state["apps"][CLIENT_ID]["permissions"] = ["DeviceManagementServiceConfig.Read.All"]
    with pytest.raises(GraphError) as caught:
        read_connectors(opened())
    assert caught.value.got.startswith("HTTP 403, Forbidden: Application is not authorized")
    assert "Operation ID" not in caught.value.got
    assert "DeviceManagementConfiguration.Read.All, with an administrator's consent" in caught.value.advice


def test_the_lab_answers_a_delete_as_it_is_in_life(lab: Lab) -> None:
    connector = enrol(lab, 1)[0]
    with store(lab).edit("allow writing") as state:
        state["apps"][CLIENT_ID]["permissions"] = ["DeviceManagementConfiguration.ReadWrite.All"]
    url = f"{lab.cloud_url}/beta/{CONNECTORS}/{connector}"
    answer = requests.delete(url, headers=bearer(lab), verify=str(lab.ca_path), timeout=PATIENCE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "UnknownError")
    assert (explain_graph(answer.text).code, explain_graph(answer.text).message) == (
        "Forbidden",
        "An error has occurred",
    )
    assert len(connectors.listed(lab)) == 1


def test_the_lab_knows_these_resources_in_beta_only(lab: Lab) -> None:
    headers = bearer(lab)
    for name in ("domainJoinConnectors", "deviceConfigurations", "windowsAutopilotDeploymentProfiles"):
        path = f"deviceManagement/{name}"
        found, lost = (
            requests.get(
                f"{lab.cloud_url}/{version}/{path}", headers=headers, verify=str(lab.ca_path), timeout=PATIENCE
            )
            for version in ("beta", "v1.0")
        )
        assert found.status_code == 200
        assert lost.status_code == 400
        assert lost.json()["error"]["message"] == f"Resource not found for the segment '{name}'."


def test_domain_join_profiles_come_by_type_with_their_assignments(lab: Lab, opened: Opened) -> None:
    with store(lab).edit("add another kind of profile") as state:
        other = {"@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "id": "other", "assignments": []}
        state["device_configurations"].insert(0, other)
    graph = opened()
    query = {"$filter": "isof('microsoft.graph.windowsDomainJoinConfiguration')", "$expand": "assignments"}
    rows = graph.rows("deviceManagement/deviceConfigurations", permission="x", query=query)
    assert rows == connectors.profiles(lab)
    assert rows[0]["@odata.type"] == DOMAIN_JOIN
    assert rows[0]["organizationalUnit"] == "OU=Autopilot,DC=contoso,DC=test"
    assert rows[0]["assignments"]


def test_a_query_that_the_lab_does_not_know_fails_loudly(opened: Opened) -> None:
    with pytest.raises(GraphError, match=r"The lab does not answer.*\$top"):
        opened().rows(CONNECTORS, permission="x", query={"$top": "1"})


@pytest.mark.parametrize(
    ("silent", "state"), [(0, "active"), (3500, "active"), (3700, "error"), (6 * 86400, "inactive")]
)
def test_the_state_follows_from_the_last_contact(lab: Lab, silent: int, state: str) -> None:
    connector = enrol(lab, 1)[0]
    with store(lab).edit("time passes") as document:
        document["clock_offset"] = silent
    assert connectors.listed(lab)[0]["state"] == state
    connectors.beat(lab, connector)
    assert connectors.listed(lab)[0]["state"] == "active"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda row: row.pop("id"), r"connectors\[0\] \(odj01\) has no text as id"),
        (lambda row: row.pop("displayName"), r"connectors\[0\] \([0-9a-f-]{36}\) has no text as displayName"),
        (lambda row: row.pop("version"), r"connectors\[0\] \(odj01\) has no text as version"),
        (lambda row: row.update(version=6), r"connectors\[0\] \(odj01\) has no text as version"),
        (lambda row: row.pop("lastConnectionDateTime"), r"\(odj01\) has no text as lastConnectionDateTime"),
        (lambda row: row.update(lastConnectionDateTime="soon"), r"\(odj01\) has no time"),
        (lambda row: row.update(lastConnectionDateTime="2026-01-01T00:00:00"), r"\(odj01\) has no time with its zone"),
    ],
)
def test_a_row_that_a_test_has_spoilt_is_named(
    lab: Lab, opened: Opened, spoil: Callable[[dict[str, t.Any]], object], said: str
) -> None:
    enrol(lab, 2)
    with store(lab).edit("spoil a row") as state:
        spoil(state["connectors"][0])
    with pytest.raises(LabError, match=said):
        connectors.listed(lab)
    with pytest.raises(GraphError, match=rf"HTTP 500, InternalServerError: .*{said}"):
        read_connectors(opened())


def test_a_row_needs_no_state_of_its_own(lab: Lab, opened: Opened) -> None:
    enrol(lab, 1)
    with store(lab).edit("as somebody writes it by hand") as state:
        del state["connectors"][0]["state_override"]
        state["connectors"][0]["unknown"] = "ignored"
    assert [row["state"] for row in read_connectors(opened())] == ["active"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda state: state["connectors"].append("odj01"), r"connectors\[0\] is no object"),
        (lambda state: state["device_configurations"].append({"id": "x"}), r"device_configurations\[1\] \(x\)"),
        (lambda state: state.pop("tokens"), "KeyError\\('tokens'\\)"),
        (lambda state: state["faults"].pop("rules"), "KeyError\\('rules'\\)"),
        (lambda state: state.update(page_size="two"), "ValueError"),
    ],
)
def test_whatever_is_spoilt_is_answered(lab: Lab, spoil: Callable[[dict[str, t.Any]], object], said: str) -> None:
    headers = bearer(lab)
    with store(lab).edit("spoil it") as state:
        spoil(state)
    found = [
        requests.get(
            f"{lab.cloud_url}/beta/deviceManagement/{name}", headers=headers, verify=str(lab.ca_path), timeout=PATIENCE
        )
        for name in ("domainJoinConnectors", "deviceConfigurations")
    ]
    assert 500 in [answer.status_code for answer in found]
    assert [answer for answer in found if re.search(said, answer.text)]
    store(lab).path.write_text("{", encoding="utf-8")
    broken = requests.get(f"{lab.cloud_url}/beta/x", verify=str(lab.ca_path), timeout=PATIENCE)
    assert (broken.status_code, "state.json is not JSON" in broken.text) == (500, True)


def test_a_heartbeat_of_nobody_is_an_error(lab: Lab) -> None:
    with pytest.raises(LookupError, match="no connector nobody"):
        connectors.beat(lab, "nobody")


def test_a_client_that_says_nothing_keeps_nobody_waiting(lab: Lab, opened: Opened) -> None:
    with socket.create_connection((lab.cloud_address, 8443)):
        assert read_connectors(opened(timeout=PATIENCE)) == []


def test_a_closed_cloud_is_gone_and_can_come_back(lab: Lab, opened: Opened) -> None:
    neighbour = lab.on_net(nets.net("neighbour"))
    (lab.pki_dir / "cloud.pem").rename(lab.pki_dir / "kept.pem")  # the leaf is for one address
    try:
        cloud = serve(neighbour)
        cloud.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((neighbour.cloud_address, 8443), timeout=PATIENCE)
        serve(neighbour).close()
    finally:
        (lab.pki_dir / "kept.pem").replace(lab.pki_dir / "cloud.pem")
