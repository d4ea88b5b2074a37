# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import (
    GraphRefusal,
    explain_entra,
    explain_graph,
    graph_advice,
)

SECRET = "AADSTS7000222: The provided client secret keys for app 'x' are expired. Trace ID: 1 Correlation ID: 2"
DISCOVERY = (
    'OIDC Discovery failed on https://x/y. HTTP status: 400, Error: {"error":"invalid_tenant",'
    '"error_description":"AADSTS90002: Tenant \'nope\' not found. Check it.\\r\\nTrace ID: 3","error_codes":[90002]}'
)
SUPPORT = (
    " - Operation ID (for customer support): 0000 - Activity ID: 1c6e - Url: https://fef.example.test/x?api-version=1"
)


def intune(message: str, **other: object) -> str:
    body = {"_version": 3, "Message": message, "CustomApiErrorPhrase": "", "RetryAfter": None, **other}
    return json.dumps(body, indent=1).replace("\n", "\r\n")


def graph(code: str, message: str, **other: object) -> str:
    return json.dumps({"error": {"code": code, "message": message, **other}})


def test_a_plain_error_of_graph_is_taken_as_it_is() -> None:
    body = graph("BadRequest", "Resource not found for the segment 'x'.", innerError={"request-id": "r-1"})
    assert explain_graph(body) == GraphRefusal("BadRequest", "Resource not found for the segment 'x'.", "", "r-1")


def test_an_error_of_intune_is_unfolded_to_its_own_words() -> None:
    assert explain_graph(graph("Forbidden", intune(f"No scope{SUPPORT}"))) == GraphRefusal("Forbidden", "No scope")


def test_an_error_nested_twice_is_unfolded_and_the_inner_code_wins() -> None:
    middle = json.dumps(
        {"ErrorCode": "Forbidden", "Message": intune(f"An error has occurred{SUPPORT}"), "Target": None}
    )
    meant = explain_graph(graph("UnknownError", middle, innererror={"request-id": "r-2"}))
    assert meant == GraphRefusal("Forbidden", "An error has occurred", "", "r-2")


def test_the_phrase_for_people_is_preferred_and_the_wait_is_found() -> None:
    meant = explain_graph(graph("TooManyRequests", intune("x", CustomApiErrorPhrase="Slow down", RetryAfter=7)))
    assert (meant.message, meant.retry_after) == ("Slow down", "7")


@pytest.mark.parametrize("body", ["<html>\n blocked </html>", "", "[]", '{"error": "text"}', "null"])
def test_what_is_no_error_of_graph_is_its_own_message(body: str) -> None:
    assert explain_graph(body) == GraphRefusal(message=" ".join(body.split()))


def test_a_page_of_a_proxy_is_shortened() -> None:
    assert len(explain_graph("x" * 9000).message) == 200


def test_a_known_code_becomes_what_to_do() -> None:
    meant = explain_entra(SECRET)
    assert meant.code == "AADSTS7000222"
    assert meant.sentence == "AADSTS7000222: The provided client secret keys for app 'x' are expired."
    assert "has expired" in meant.advice


def test_a_code_is_found_in_the_middle_of_a_body() -> None:
    meant = explain_entra(DISCOVERY)
    assert meant.sentence == "AADSTS90002: Tenant 'nope' not found. Check it."
    assert "tenant_id" in meant.advice


def test_an_unknown_code_leads_to_its_page_and_no_code_to_the_options() -> None:
    assert explain_entra("AADSTS1: odd").advice.endswith("/error?code=1")
    assert "tenant_id" in explain_entra("<html> blocked").advice
    assert explain_entra("<html>\n blocked").sentence == "<html> blocked"


def test_only_a_403_speaks_of_the_permission() -> None:
    assert "A.Read.All" in graph_advice(403, "A.Read.All")
    assert all("A.Read.All" not in graph_advice(status, "A.Read.All") for status in (400, 401, 404, 429, 500, 503))
