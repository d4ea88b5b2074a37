# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, GraphError, Row
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import (
    LONGEST_WAIT,
    Http,
    Transport,
    seconds_to_wait,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON, StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import (
    FakeCredential,
    FakeSession,
    Step,
    answer,
    put_in_place,
)

BASE = "https://graph.example.test"
LIST = f"{BASE}/beta/things"
URL = f"{BASE}/beta/x"
ENDPOINTS = {name: f"{BASE}/t/{name}" for name in ("authorization_endpoint", "token_endpoint")}


def plain() -> Step:
    """Return an answer that is good for a discovery, a token and a read."""
    return answer(200, ENDPOINTS)


def read(monkeypatch: pytest.MonkeyPatch, *script: Step) -> tuple[list[Row], FakeSession]:
    session = put_in_place(monkeypatch, script)
    graph = Graph(Http(Transport(), StandingClock()), FakeCredential(), BASE)
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


def open_http(
    monkeypatch: pytest.MonkeyPatch, *script: Step, transport: Transport | None = None
) -> tuple[Http, FakeSession, StandingClock]:
    session, clock = put_in_place(monkeypatch, script), StandingClock()
    return Http(transport or Transport(), clock, jitter=lambda: 0.5), session, clock


def test_everything_is_given_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport("/ca.pem", "http://proxy.example.test:8080", 5.0)
    http, session, _clock = open_http(monkeypatch, plain(), plain(), plain(), transport=transport)
    http.get(URL)
    http.post(URL, data={"client_secret": "s"})
    http.read(URL, "t")
    proxies = {"http": "http://proxy.example.test:8080", "https": "http://proxy.example.test:8080"}
    for sent in session.sent:
        assert sent["verify"] == "/ca.pem"
        assert sent["timeout"] == (5.0, 5.0)
        assert sent["proxies"] == proxies
        assert sent["allow_redirects"] is False


def test_only_a_read_carries_the_token_and_no_call_takes_one_from_netrc(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch, plain(), plain())
    http.get(URL)
    http.read(URL, "t")
    assert ["Authorization" in sent["headers"] for sent in session.sent] == [False, True]
    assert session.sent[1]["headers"]["Authorization"] == "Bearer t"


def test_the_environment_decides_when_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch, plain())
    http.get(URL)
    assert (session.sent[0]["verify"], session.sent[0]["proxies"]) == (True, None)


def test_every_request_is_counted_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    http, _session, _clock = open_http(monkeypatch, plain(), plain(), answer(503, ""), plain())
    http.get(URL)
    http.post(URL)
    http.read(URL, "t")
    assert http.operations == {"discovery": 1, "token": 1, "read": 2}


def test_a_busy_service_is_asked_again_after_the_time_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = {"error": {"code": "x", "message": '{"Message": "busy", "RetryAfter": "9"}'}}
    steps = (answer(429, "", {"Retry-After": "7"}), answer(503, nested), answer(504, ""), plain())
    http, _session, clock = open_http(monkeypatch, *steps)
    assert http.read(URL, "t").status_code == 200
    assert clock.slept == [7.0, 9.0, 4.5]


def test_a_service_that_stays_busy_is_left_alone_after_five_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, clock = open_http(monkeypatch, *[answer(429, "")] * 6)
    assert http.read(URL, "t").status_code == 429
    assert (len(session.sent), clock.slept) == (5, [1.5, 2.5, 4.5, 8.5])


@pytest.mark.parametrize("wait", ["121", "100"])
def test_nobody_waits_longer_than_two_minutes_at_once_or_five_in_all(
    monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    http, _session, clock = open_http(monkeypatch, *[answer(429, "", {"Retry-After": wait})] * 6)
    assert http.read(URL, "t").status_code == 429
    assert sum(clock.slept) == {"121": 0, "100": 300}[wait]


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 501])
def test_any_other_answer_is_final(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    http, session, _clock = open_http(monkeypatch, answer(status, ""))
    assert http.read(URL, "t").status_code == status
    assert len(session.sent) == 1


def test_a_read_survives_two_broken_connections_and_not_three(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = requests.exceptions.ConnectionError("reset")
    http, _session, clock = open_http(monkeypatch, broken, broken, plain())
    assert http.read(URL, "t").status_code == 200
    assert clock.slept == [1.5, 2.5]
    http, _session, _clock = open_http(monkeypatch, broken, broken, broken)
    with pytest.raises(GraphError, match="reset"):
        http.read(URL, "t")


def test_a_broken_post_is_never_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch, requests.exceptions.ConnectionError("reset"), plain())
    with pytest.raises(requests.exceptions.ConnectionError):
        http.post(URL)
    assert len(session.sent) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (requests.exceptions.SSLError("bad"), "ca_path"),
        (requests.exceptions.ProxyError("bad"), "HTTPS_PROXY"),
        (requests.exceptions.ConnectTimeout("bad"), "firewall"),
        (requests.exceptions.ReadTimeout("bad"), "timeout"),
    ],
)
def test_what_another_try_does_not_cure_is_final_and_its_advice_names_the_option(
    monkeypatch: pytest.MonkeyPatch, error: Exception, word: str
) -> None:
    http, session, _clock = open_http(monkeypatch, error, plain())
    with pytest.raises(GraphError) as caught:
        http.read(URL, "t")
    assert len(session.sent) == 1
    assert word in caught.value.advice
    assert caught.value.got == "bad"


def test_closing_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch)
    http.close()
    assert session.closed


@pytest.mark.parametrize(
    ("hints", "seconds"),
    [
        (("7", "99"), 7.0),
        (("", "3"), 3.0),
        (("soon", "3"), 3.0),
        (("0",), 0.0),
        (("86400",), 86400.0),
        (("Tue, 24 Nov 2026 12:00:30 GMT",), 30.0),
        (("Tue, 24 Nov 2026 12:00:30 -0000",), 30.0),
        (("Tue, 24 Nov 2026 11:00:00 GMT",), 0.0),
    ],
)
def test_the_first_hint_that_can_be_read_decides(hints: tuple[str, ...], seconds: float) -> None:
    assert seconds_to_wait(hints, 1, NOON, 0.9) == seconds


def test_without_a_hint_the_wait_doubles_up_to_a_limit() -> None:
    waits = [seconds_to_wait(("", "-5", "٣"), attempt, NOON, 0.25) for attempt in (1, 2, 3, 20)]
    assert waits == [1.25, 2.25, 4.25, LONGEST_WAIT]
