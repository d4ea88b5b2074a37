# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, Http, Row, Transport
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import GraphError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import FakeClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import (
    FakeCredential,
    FakeSession,
    Step,
    answer,
    put_in_place,
)

BASE = "https://graph.example.test"
LIST = f"{BASE}/beta/things"


def read(monkeypatch: pytest.MonkeyPatch, *script: Step) -> tuple[list[Row], FakeSession]:
    session = put_in_place(monkeypatch, script)
    graph = Graph(Http(Transport(), FakeClock()), FakeCredential(), BASE)
    return graph.rows("things", permission="Things.Read.All", query={"$expand": "a b"}), session


def page(*names: str, link: object = None) -> Step:
    body: dict[str, object] = {"value": [{"id": name} for name in names]}
    return answer(200, body if link is None else {**body, "@odata.nextLink": link})


def test_all_pages_are_read_in_order_even_past_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (page("a", "b", link=f"{LIST}?$skiptoken=1"), page(link=f"{LIST}?$skip=9"), page("c"))
    rows, session = read(monkeypatch, *steps)
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [sent["url"] for sent in session.sent] == [
        f"{LIST}?%24expand=a+b",
        f"{LIST}?$skiptoken=1",
        f"{LIST}?$skip=9",
    ]


@pytest.mark.parametrize(
    "link", ["https://elsewhere.test/x", "http://graph.example.test/x", "https://graph.example.test:444/x", 7]
)
def test_a_link_to_another_place_is_refused_before_the_token_goes_there(
    monkeypatch: pytest.MonkeyPatch, link: object
) -> None:
    with pytest.raises(GraphError, match="leads elsewhere"):
        read(monkeypatch, page("a", link=link))


def test_links_in_a_circle_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphError, match="leads back"):
        read(monkeypatch, page("a", link=f"{LIST}?2"), page("b", link=f"{LIST}?2"))


def test_a_refused_token_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, session = read(monkeypatch, answer(401, ""), page("a"))
    assert [row["id"] for row in rows] == ["a"]
    assert [sent["headers"]["Authorization"] for sent in session.sent] == ["Bearer token-1", "Bearer token-2"]
    with pytest.raises(GraphError, match="HTTP 401"):
        read(monkeypatch, answer(401, ""), answer(401, ""), page("a"))


def test_a_missing_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"code": "Forbidden", "message": "no", "innerError": {"request-id": "r-1"}}}
    with pytest.raises(GraphError, match=r"Forbidden: no.*Things\.Read\.All") as caught:
        read(monkeypatch, answer(403, body))
    told = caught.value.to_json()
    assert (told["status"], told["code"], told["request_id"]) == ("403", "Forbidden", "r-1")
    assert told["on"] == LIST


@pytest.mark.parametrize("body", ["<html>", "[]", {"value": {}}, {"value": ["text"]}, {}])
def test_an_answer_that_is_no_list_of_graph_is_an_error(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    with pytest.raises(GraphError, match="Check graph_url"):
        read(monkeypatch, answer(200, body))


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphError, match="HTTP 302"):
        read(monkeypatch, answer(302, "", {"Location": "https://elsewhere.test"}))
