# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import Explanation, explain

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
    assert explain(body) == Explanation("BadRequest", "Resource not found for the segment 'x'.", "", "r-1")


def test_an_error_of_intune_is_unfolded_to_its_own_words() -> None:
    assert explain(graph("Forbidden", intune(f"No scope{SUPPORT}"))) == Explanation("Forbidden", "No scope")


def test_an_error_nested_twice_is_unfolded_and_the_inner_code_wins() -> None:
    middle = json.dumps(
        {"ErrorCode": "Forbidden", "Message": intune(f"An error has occurred{SUPPORT}"), "Target": None}
    )
    meant = explain(graph("UnknownError", middle, innererror={"request-id": "r-2"}))
    assert meant == Explanation("Forbidden", "An error has occurred", "", "r-2")


def test_the_phrase_for_people_is_preferred_and_the_wait_is_found() -> None:
    meant = explain(graph("TooManyRequests", intune("x", CustomApiErrorPhrase="Slow down", RetryAfter=7)))
    assert (meant.message, meant.retry_after) == ("Slow down", "7")


@pytest.mark.parametrize("body", ["<html>\n blocked </html>", "", "[]", '{"error": "text"}', "null"])
def test_what_is_no_error_of_graph_is_its_own_message(body: str) -> None:
    assert explain(body) == Explanation(message=" ".join(body.split()))


def test_a_page_of_a_proxy_is_shortened() -> None:
    assert len(explain("x" * 9000).message) == 200
