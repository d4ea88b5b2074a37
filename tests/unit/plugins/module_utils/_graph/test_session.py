# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Http, Transport
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import FakeClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import FakeSession, Step, answer, put_in_place

URL = "https://graph.example.test/beta/x"
PLAIN = answer(200, {})


def open_http(
    monkeypatch: pytest.MonkeyPatch, *script: Step, transport: Transport | None = None
) -> tuple[Http, FakeSession, FakeClock]:
    session, clock = put_in_place(monkeypatch, script), FakeClock()
    return Http(transport or Transport(), clock, jitter=lambda: 0.5), session, clock


def test_everything_is_given_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport("/ca.pem", "http://proxy.example.test:8080", 5.0)
    http, session, _clock = open_http(monkeypatch, PLAIN, PLAIN, PLAIN, transport=transport)
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
    http, session, _clock = open_http(monkeypatch, PLAIN, PLAIN)
    http.get(URL)
    http.read(URL, "t")
    assert ["Authorization" in sent["headers"] for sent in session.sent] == [False, True]
    assert session.sent[1]["headers"]["Authorization"] == "Bearer t"


def test_the_environment_decides_when_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch, PLAIN)
    http.get(URL)
    assert (session.sent[0]["verify"], session.sent[0]["proxies"]) == (True, None)


def test_every_request_is_counted_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    http, _session, _clock = open_http(monkeypatch, PLAIN, PLAIN, answer(503, ""), PLAIN)
    http.get(URL)
    http.post(URL)
    http.read(URL, "t")
    assert http.operations == {"discovery": 1, "token": 1, "read": 2}


def test_a_busy_service_is_asked_again_after_the_time_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    nested = {"error": {"code": "x", "message": '{"Message": "busy", "RetryAfter": "9"}'}}
    steps = (answer(429, "", {"Retry-After": "7"}), answer(503, nested), answer(504, ""), PLAIN)
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


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 500])
def test_any_other_answer_is_final(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    http, session, _clock = open_http(monkeypatch, answer(status, ""))
    assert http.read(URL, "t").status_code == status
    assert len(session.sent) == 1


def test_a_read_survives_two_broken_connections_and_not_three(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = requests.exceptions.ConnectionError("reset")
    http, _session, clock = open_http(monkeypatch, broken, broken, PLAIN)
    assert http.read(URL, "t").status_code == 200
    assert clock.slept == [1.5, 2.5]
    http, _session, _clock = open_http(monkeypatch, broken, broken, broken)
    with pytest.raises(requests.exceptions.ConnectionError):
        http.read(URL, "t")


def test_a_broken_post_is_never_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch, requests.exceptions.ConnectionError("reset"), PLAIN)
    with pytest.raises(requests.exceptions.ConnectionError):
        http.post(URL)
    assert len(session.sent) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (requests.exceptions.SSLError("bad"), "ca_path"),
        (requests.exceptions.ProxyError("bad"), "HTTPS_PROXY"),
        (requests.exceptions.ConnectTimeout("bad"), "timeout"),
        (requests.exceptions.ReadTimeout("bad"), "timeout"),
    ],
)
def test_what_another_try_does_not_cure_is_final_and_its_advice_names_the_option(
    monkeypatch: pytest.MonkeyPatch, error: Exception, word: str
) -> None:
    http, session, _clock = open_http(monkeypatch, error, PLAIN)
    with pytest.raises(requests.exceptions.RequestException):
        http.read(URL, "t")
    assert len(session.sent) == 1
    failure = http.failure("read", URL, error)
    assert word in failure.advice
    assert failure.got == "bad"


def test_closing_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    http, session, _clock = open_http(monkeypatch)
    http.close()
    assert session.closed
