# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import sys
import typing as t

import pytest
import requests

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import GRAPH_OPTIONS, open_graph
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import FakeSession, answer, put_in_place

ROOM = "ansible_collections.hybridjoin.odj.plugins.module_utils"
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
    ("options", "verify"), [({}, True), ({"validate_certs": False}, False), ({"ca_path": __file__}, __file__)]
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


@pytest.mark.parametrize("gone", ["requests", "msal", "cryptography"])
def test_a_library_that_is_missing_is_reported_and_stops_no_import(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    for name in list(sys.modules):
        if name.startswith((f"{ROOM}._graph.", f"{ROOM}._module.graph_options")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    libraries = dict(importlib.import_module(f"{ROOM}._module.graph_options").LIBRARIES)
    assert set(libraries) == {"requests", "msal", "cryptography"}
    assert isinstance(libraries[gone], ImportError)
