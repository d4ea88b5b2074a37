# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever answers in the place of Entra and Graph: the documented error, or a right answer."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
import typing as t

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph import client, transport
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, GraphError, Row
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credentials import EntraLogin, SecretCredential
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import LONGEST_WAIT, Http, Transport
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import (
    FakeCredential,
    FakeSession,
    Step,
    answer,
    put_in_place,
)

ENTRA, BASE = "https://login.example.test", "https://graph.example.test"
GUID = "0d100000-0000-4000-8000-00000000a995"
SECRET = "pearl-in-the-shell"
LOGIN = EntraLogin(ENTRA, BASE, tenant_id=GUID, client_id=GUID, client_secret=SECRET)
DISCOVERY = {
    "issuer": f"{ENTRA}/{GUID}/v2.0",
    "authorization_endpoint": f"{ENTRA}/{GUID}/oauth2/v2.0/authorize",
    "token_endpoint": f"{ENTRA}/{GUID}/oauth2/v2.0/token",
}
TOKEN = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b.c"}
PAGE = {"value": [{"id": "1", "displayName": "odj01"}]}
DEEP = "[" * 100_000
HTML = "<html><body>Please sign in to the network</body></html>"


def rows(monkeypatch: pytest.MonkeyPatch, *script: Step) -> list[Row]:
    """Read a list with a secret: discovery, token, page."""
    put_in_place(monkeypatch, script)
    clock = StandingClock()
    graph = Graph(Http(Transport(), clock, jitter=lambda: 0.5), SecretCredential(LOGIN), BASE)
    try:
        return graph.rows("things", permission="Things.Read.All")
    finally:
        assert sum(clock.slept) <= transport.PATIENCE


def pages(monkeypatch: pytest.MonkeyPatch, *script: Step) -> tuple[list[Row], FakeSession]:
    """Read a list with a token that is there."""
    session = put_in_place(monkeypatch, script)
    graph = Graph(Http(Transport(), StandingClock()), FakeCredential(), BASE)
    return graph.rows("things", permission="Things.Read.All"), session


def refusal(monkeypatch: pytest.MonkeyPatch, *script: Step) -> GraphError:
    with pytest.raises(GraphError) as caught:
        rows(monkeypatch, *script)
    assert SECRET not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_of_the_discovery_is_told_with_its_status_as_not_from_entra(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    error = refusal(monkeypatch, answer(status, "", {"Location": "https://portal.example.test"}))
    assert (error.status, "is no answer of Entra" in error.got, "HTTPS_PROXY" in error.advice) == (status, True, True)


@pytest.mark.parametrize("body", [HTML, "", "[]", DEEP, '{"a":' * 100_000, "\ufeff<html>", "1" * 5000])
@pytest.mark.parametrize("status", [200, 302, 400, 403, 500])
@pytest.mark.parametrize("at", ["discovery", "token"])
def test_what_is_no_json_of_entra_is_told_with_status_and_advice_on_proxies(
    monkeypatch: pytest.MonkeyPatch, at: str, status: int, body: str
) -> None:
    before = [answer(200, DISCOVERY)] if at == "token" else []
    steps = [answer(status, body, {"Content-Type": "text/html"}) for _try in range(3)]
    error = refusal(monkeypatch, *before, *steps)
    assert (error.status, f"HTTP {status}" in error.got, "HTTPS_PROXY" in error.advice) == (status, True, True)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {**DISCOVERY, "token_endpoint": 7},
        {**DISCOVERY, "token_endpoint": "http://login.example.test/t/token"},
        {**DISCOVERY, "token_endpoint": "https://[x"},
        {**DISCOVERY, "token_endpoint": "token"},
        {**DISCOVERY, "authorization_endpoint": None},
    ],
)
def test_a_discovery_without_a_place_for_the_secret_sends_it_nowhere(
    monkeypatch: pytest.MonkeyPatch, document: dict[str, t.Any]
) -> None:
    assert "Entra" in str(refusal(monkeypatch, answer(200, document)))


@pytest.mark.parametrize(
    "token",
    [
        {},
        {**TOKEN, "access_token": 7},
        {**TOKEN, "access_token": ""},
        {**TOKEN, "access_token": "a\r\nX-Other: 1"},
        {**TOKEN, "access_token": ["a"]},
        {**TOKEN, "expires_in": "soon"},
        {**TOKEN, "expires_in": []},
        {**TOKEN, "expires_in": float("inf")},
        {**TOKEN, "expires_in": "9" * 5000},
        {**TOKEN, "scope": 5},
        {**TOKEN, "id_token": "x"},
        {**TOKEN, "client_info": "x"},
        {"error": 5, "error_description": ["x"]},
        {"error": "x", "error_description": " " * 1_000_000},
        {"error": "x", "error_description": "AADSTS7000215: " + " " * 1_000_000},
        {"error": "x", "error_description": "\ud800" * 1000},
    ],
)
def test_a_token_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, token: dict[str, t.Any]) -> None:
    steps = (answer(200, DISCOVERY), answer(200, token), answer(200, PAGE))
    assert len(str(refusal(monkeypatch, *steps)).encode()) < 3000


@pytest.mark.parametrize("status", [500, 502])
def test_a_read_or_a_discovery_that_fails_in_the_service_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    bad = [answer(status, HTML) for _try in range(4)]
    found = rows(monkeypatch, bad[0], answer(200, DISCOVERY), answer(200, TOKEN), bad[1], bad[2], answer(200, PAGE))
    assert found == PAGE["value"]
    with pytest.raises(GraphError, match=f"HTTP {status}"):
        pages(monkeypatch, *(answer(status, "") for _try in range(3)))
    assert refusal(monkeypatch, answer(200, DISCOVERY), answer(status, {}), answer(200, TOKEN)).status == status


@pytest.mark.parametrize("body", [HTML, {"error": "temporarily_unavailable", "error_description": "AADSTS90033: Try."}])
@pytest.mark.parametrize("status", [503, 504])
def test_an_entra_that_is_not_available_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, status: int, body: object
) -> None:
    error = refusal(monkeypatch, answer(200, DISCOVERY), *(answer(status, body) for _try in range(5)))
    assert (error.status, "try again later" in error.advice) == (status, True)
    assert error.code == ("AADSTS90033" if isinstance(body, dict) else "")


def test_a_tenant_without_intune_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"code": "BadRequest", "message": "Request not applicable to target tenant."}}
    with pytest.raises(GraphError, match="no Intune licence, or tenant_id"):
        pages(monkeypatch, answer(400, body))


def test_a_portal_in_the_place_of_graph_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphError, match=r"HTTP 302.*Something else may have answered"):
        pages(monkeypatch, answer(302, "", {"Location": "https://portal.example.test"}))


@pytest.mark.parametrize(
    "hint",
    ["Fri, 31 Dec 99999999 23:59:59 GMT", "9" * 5000, "Mon, 99 Foo 2026", "inf", "1e9", "-1", "Sat, 01 Jan", "\x00"],
)
def test_a_hint_that_cannot_be_meant_is_skipped_or_too_long_and_never_a_traceback(hint: str) -> None:
    wait = transport.seconds_to_wait((hint,), 1, StandingClock().now(), 0.5)
    assert wait == 1.5 or wait > LONGEST_WAIT


@pytest.mark.parametrize(
    "link",
    [
        "https://[x",
        "https://graph.example.test:port/x",
        "https://graph.example.test:0/x",
        "https://user@graph.example.test/x",
        "https://graph.example.test\\@elsewhere.test/x",
        "https://graph.example.test@elsewhere.test/x",
        "//elsewhere.test/x",
        "/beta/things",
        "https:///x",
        ["https://graph.example.test/x"],
        True,
    ],
)
def test_a_link_that_is_no_address_of_this_graph_is_refused(monkeypatch: pytest.MonkeyPatch, link: object) -> None:
    with pytest.raises(GraphError, match="leads elsewhere"):
        pages(monkeypatch, answer(200, {**PAGE, "@odata.nextLink": link}))


@pytest.mark.parametrize(
    "place", ["https://GRAPH.example.test", "https://graph.example.test:443", "https://Graph.Example.Test."]
)
def test_a_link_to_the_same_host_in_another_spelling_is_followed(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    step = answer(200, {**PAGE, "@odata.nextLink": f"{place}/beta/things?$skiptoken=%32"})
    found, session = pages(monkeypatch, step, answer(200, PAGE))
    assert len(found) == 2
    assert session.sent[1]["url"] == f"{BASE}/beta/things?$skiptoken=%32"


@pytest.mark.parametrize("body", [DEEP, '{"value":' + DEEP, '{"value": [' + "1" * 5000 + "]}", '{"value": [NaN]}'])
def test_an_answer_of_graph_that_no_reader_can_hold_is_an_error(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    with pytest.raises(GraphError, match=r"no list|not a JSON object"):
        pages(monkeypatch, answer(200, body))
    with pytest.raises(GraphError, match="HTTP 404"):
        pages(monkeypatch, answer(404, body))


@pytest.mark.once
def test_a_list_whose_next_page_is_always_new_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    links = (f"{BASE}/beta/things?{number}" for number in range(2 * client.MOST_PAGES))
    steps = (answer(200, {"value": [], "@odata.nextLink": link}) for link in links)
    session = put_in_place(monkeypatch, steps)
    with pytest.raises(GraphError, match="does not end after 1000 pages"):
        Graph(Http(Transport(), StandingClock()), FakeCredential(), BASE).rows("things", permission="x")
    assert len(session.sent) == client.MOST_PAGES


@pytest.mark.once
def test_a_list_without_end_ends_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    filler = [{"id": "x" * (transport.LARGEST_ANSWER - 1000)}]
    links = (f"{BASE}/beta/things?{number}" for number in range(client.MOST_PAGES))
    steps = (answer(200, {"value": filler, "@odata.nextLink": link}) for link in links)
    with pytest.raises(GraphError, match="does not end after 5 pages"):
        pages(monkeypatch, *(next(steps) for _page in range(6)))


def test_a_list_without_end_ends_by_the_time_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    links = (f"{BASE}/beta/things?{number}" for number in range(client.MOST_PAGES))
    steps = (
        step
        for link in links
        for step in (answer(429, "", {"Retry-After": "100"}), answer(200, {**PAGE, "@odata.nextLink": link}))
    )
    with pytest.raises(GraphError, match="does not end after 10 pages"):
        pages(monkeypatch, *(next(steps) for _step in range(40)))


def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    step = answer(200, b" " * (transport.LARGEST_ANSWER + 1_000_000))
    with pytest.raises(GraphError, match="has more than 8388608 bytes"):
        pages(monkeypatch, step)
    assert isinstance(step, requests.Response)
    assert step.raw.tell() < transport.LARGEST_ANSWER + 500_000


def test_an_answer_that_grows_too_large_when_it_is_decompressed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b" " * (transport.LARGEST_ANSWER + 1))
    with pytest.raises(GraphError, match="has more than 8388608 bytes"):
        pages(monkeypatch, answer(200, bomb, {"Content-Encoding": "gzip"}))


def test_compression_is_undone_and_what_is_none_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(json.dumps(PAGE).encode())
    assert pages(monkeypatch, answer(200, packed, {"Content-Encoding": "GZIP"}))[0] == PAGE["value"]
    for data, encoding in ((b"text", "gzip"), (packed, "br"), (packed, "gzip, gzip"), (packed[:-9], "gzip")):
        with pytest.raises(GraphError):
            pages(monkeypatch, answer(200, data, {"Content-Encoding": encoding}))


@pytest.mark.parametrize("host", ["a..example.test", "a" * 64 + ".example.test", "example.test:99999"])
def test_a_host_that_cannot_be_one_is_an_error(host: str) -> None:
    graph = Graph(Http(Transport(timeout=5), StandingClock()), FakeCredential(), f"https://{host}")
    with pytest.raises(GraphError):
        graph.rows("things", permission="x")


def test_no_password_of_a_proxy_is_in_a_message() -> None:
    said = requests.exceptions.ProxyError("Cannot connect to http://svc:Pa55w0rdX@proxy.example.test:1")
    error = Http(Transport(), StandingClock()).failure("read", BASE, said)
    assert "Pa55w0rdX" not in str(error)
    assert "proxy.example.test" in error.got


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Return bytes that differ at a few places: changed, lost, doubled, put in."""
    text = bytearray(data)
    for _edit in range(chance.randint(1, 4)):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            text[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del text[at : at + chance.randint(1, 20)]
        elif kind == 2:
            text[at:at] = text[at : at + 20]
        else:
            text[at:at] = chance.choice((b'"', b"{", b"]", b"null", b"\\ud800", b"-1e999", b"\0", b"AADSTS50: "))
    return bytes(text)


@pytest.mark.once
def test_mutated_answers_are_read_right_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20261128)  # noqa: S311 (a test's choice)
    page = {**PAGE, "@odata.nextLink": f"{BASE}/beta/things?$skiptoken=1"}
    refusing = {"error": {"code": "x", "message": json.dumps({"Message": "m", "RetryAfter": "3"})}}
    good = [json.dumps(part).encode() for part in (DISCOVERY, TOKEN, page, PAGE)]
    outcomes = {"read": 0, "refused": 0}
    for _round in range(1000):
        struck = chance.randrange(5)
        steps = [answer(200, mutated(chance, data) if at == struck else data) for at, data in enumerate(good)]
        if struck == 4:
            body = mutated(chance, json.dumps(refusing).encode())
            steps[2] = answer(chance.choice((302, 400, 401, 403, 418, 501)), body, {"Retry-After": "x"})
        said, found = "", []
        try:
            found = rows(monkeypatch, *steps, *(answer(200, PAGE) for _more in range(4)))
        except OdjError as error:
            said = f"{error} {json.dumps(error.to_json())}"
        assert SECRET.encode() not in said.encode()
        assert all(isinstance(row, dict) for row in found)
        outcomes["refused" if said else "read"] += 1
    assert min(outcomes.values()) > 60


def test_an_answer_is_read_only_once_from_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    step = answer(200, PAGE)
    assert pages(monkeypatch, step)[0] == PAGE["value"]
    assert dataclasses.is_dataclass(transport.Answer)
    assert isinstance(step, requests.Response)
    assert step.raw.closed
