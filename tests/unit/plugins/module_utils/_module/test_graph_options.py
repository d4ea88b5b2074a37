# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import os
import sys
import typing as t
from pathlib import Path

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import GRAPH_OPTIONS, open_graph
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import FakeSession, answer, put_in_place

ROOM = "ansible_collections.hybridjoin.odj.plugins.module_utils"
AUTHORITIES = requests.certs.where()
DEFAULTS = {name: option.get("default") for name, option in GRAPH_OPTIONS.items()}


def use(monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> FakeSession:
    session = put_in_place(monkeypatch, [answer(200, {"value": []})])
    with open_graph({**DEFAULTS, "access_token": "t", **options}, StandingClock()) as graph:
        graph.rows("things", permission="x")
    return session


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://graph.microsoft.com/beta/things"),
        ({"cloud_environment": "AzureUSGovernment"}, "https://graph.microsoft.us/beta/things"),
        ({"cloud_environment": "AzureUSGovernmentDoD"}, "https://dod-graph.microsoft.us/beta/things"),
        ({"graph_url": "https://127.0.0.1:8443/"}, "https://127.0.0.1:8443/beta/things"),
        ({"graph_url": "graph.example.test"}, "https://graph.example.test/beta/things"),
    ],
)
def test_the_cloud_decides_the_address_and_an_address_beats_it(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], url: str
) -> None:
    assert use(monkeypatch, **options).sent[0]["url"] == url


@pytest.mark.parametrize(
    ("options", "verify"), [({}, True), ({"validate_certs": False}, False), ({"ca_path": AUTHORITIES}, AUTHORITIES)]
)
def test_how_certificates_are_checked(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], verify: bool | str
) -> None:
    session = use(monkeypatch, **options)
    assert session.sent[0]["verify"] == verify
    assert session.closed


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("graph_url", "http://graph.example.test"),
        ("graph_url", "https://graph.example.test/beta"),
        ("graph_url", "https://user@graph.example.test"),
        ("authority_host", "https://login.example.test/tenant"),
        ("authority_host", "https://"),
        ("authority_host", "https://login.example.test:port"),
        ("authority_host", "https://login.example.test:99999"),
        ("timeout", 10**12),
        ("ca_path", "/nowhere/ca.pem"),
        ("timeout", 0),
        ("proxy", "proxy.example.test"),
        ("proxy", "http://user:pearl@proxy.example.test:8080"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_by_name_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, option: str, value: object
) -> None:
    monkeypatch.setattr(requests, "Session", lambda: pytest.fail("a session was opened"))
    params = {**DEFAULTS, "access_token": "t", option: value}
    with pytest.raises(InvalidInput) as caught, open_graph(params, StandingClock()):
        pytest.fail("it was accepted")
    assert caught.value.on == option
    assert "pearl" not in str(caught.value)


def refused(monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> InvalidInput:
    """Return how options are refused, before a session is opened."""
    monkeypatch.setattr(requests, "Session", lambda: pytest.fail("a session was opened"))
    with (
        pytest.raises(InvalidInput) as caught,
        open_graph({**DEFAULTS, "access_token": "t", **options}, StandingClock()),
    ):
        pytest.fail("it was accepted")
    return caught.value


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(("name", "why"), [("nowhere.pem", "No such file"), ("text.pem", "no certificate in PEM form")])
def test_a_ca_bundle_of_the_environment_that_cannot_be_used_is_named_with_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, name: str, why: str
) -> None:
    (tmp_path / "text.pem").write_text("no certificate", encoding="ascii")
    monkeypatch.setenv(variable, str(tmp_path / name))
    error = refused(monkeypatch)
    assert variable in error.on
    assert str(tmp_path / name) in error.got
    assert why in error.got
    monkeypatch.undo()
    monkeypatch.setenv(variable, str(tmp_path / name))
    assert use(monkeypatch, ca_path=AUTHORITIES).sent
    assert use(monkeypatch, validate_certs=False).sent


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("path", ["/nowhere/ca.pem", __file__, "/etc/ssl\0", "/dev/null"])
def test_a_ca_path_that_cannot_be_used_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    assert refused(monkeypatch, ca_path=path).on == "ca_path"


MALFORMED = (
    "http://svc:Pa55#w0rdX@127.0.0.1:1",
    "http://svc:Pa55/w0rdX@proxy.example.test:8080",
    "http://svc:Pa55?w0rdX@proxy.example.test:8080",
    "http://svc:Pa55 w0rdX@proxy.example.test:8080",
    "http://svc:Pa55\\w0rdX@proxy.example.test:8080",
    "svc:Pa55#w0rdX@proxy.example.test:8080",
    "http://svc:Pa55w0rdX@proxy.example.test:port",
    "http://svc:Pa55w0rdX@proxy.example.test:99999",
    "http://svc:Pa55w0rdX@[proxy.example.test",
    "ftp://svc:Pa55w0rdX@proxy.example.test",
    "http://svc:Pa55w0rdX@",
    "http:/svc:Pa55w0rdX@proxy.example.test",
)
PIECES = ("svc", "Pa55", "w0rdX", "example.test", "127.0.0.1")


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", MALFORMED)
def test_a_malformed_proxy_variable_is_named_and_nothing_of_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = refused(monkeypatch)
    assert variable in error.on
    assert not [piece for piece in PIECES if piece in str(error)]
    assert "percent-encode" in error.advice


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize(
    "value",
    [
        "proxy.example.test:8080",
        "http://proxy.example.test",
        "http://svc:Pa55%23w0rdX@proxy.example.test:8080/",
        "https://svc:p@ss@[::1]:3128",
        "socks5h://127.0.0.1:1080",
    ],
)
def test_a_proxy_variable_in_any_usual_form_is_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert use(monkeypatch).sent


@pytest.mark.usefixtures("bare_environment")
def test_a_malformed_proxy_variable_that_is_not_used_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", MALFORMED[0])
    assert use(monkeypatch, proxy="http://proxy.example.test:8080").sent
    monkeypatch.setenv("NO_PROXY", ".microsoft.com,.microsoftonline.com")
    assert use(monkeypatch).sent


@pytest.mark.parametrize("option", ["proxy", "authority_host", "graph_url"])
@pytest.mark.parametrize("value", [*MALFORMED, "https://svc:Pa55w0rdX@proxy.example.test:8080"])
def test_an_address_with_a_password_is_refused_and_nothing_of_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    error = refused(monkeypatch, **{option: value})
    assert error.on == option
    assert not [piece for piece in PIECES if piece in str(error).replace("proxy.example.com", "")]
    assert value in error.hidden


@pytest.mark.parametrize("option", ["proxy", "authority_host", "graph_url"])
@pytest.mark.parametrize("value", [" ", "  \t", "o o", ":", "/", "no proxy"])
def test_a_refused_text_without_a_password_blackens_nothing_else(
    monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    assert refused(monkeypatch, **{option: value}).hidden == ()


@pytest.mark.parametrize("gone", ["requests", "msal", "cryptography"])
def test_a_library_that_is_missing_is_reported_and_stops_no_import(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    for name in list(sys.modules):
        if name.startswith((f"{ROOM}._graph.", f"{ROOM}._module.graph_options")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    libraries = dict(importlib.import_module(f"{ROOM}._module.graph_options").LIBRARIES)
    assert set(libraries) == {"requests", "msal", "cryptography"}
    assert isinstance(libraries[gone], ImportError)
