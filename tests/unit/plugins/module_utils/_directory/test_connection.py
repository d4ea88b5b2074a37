# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several domain controllers a task stays with, and to whom the password is sent."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import connection
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.connection import Place
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.certificate import server_context
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import SEARCH, Request, listening

READ_ONLY = "1.2.840.113556.1.4.1920"
HOSTS = [f"127.0.0.{n}" for n in range(1, 9)]
BIND = 0


class Controllers:
    """Domain controllers on addresses of loopback, and what each of them was asked."""

    def __init__(self, stack: ExitStack, scratch: Path) -> None:
        self._stack = stack
        self.ca_path = scratch / "ca.pem"
        self._tls = server_context(self.ca_path, *HOSTS)
        with socket.create_server(("", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.asked: dict[str, list[int]] = {}

    def add(self, host: str, *capabilities: str, refuses: bool = False) -> None:
        kinds = self.asked[host] = []

        def answer(requests: list[Request]) -> list[bytes]:
            kinds.extend(request.kind for request in requests)
            return [message for request in requests for message in self._answer(request, capabilities, refuses)]

        self._stack.enter_context(listening(answer, (host, self.port), self._tls))

    @staticmethod
    def _answer(request: Request, capabilities: tuple[str, ...], refuses: bool) -> list[bytes]:
        if request.kind == SEARCH:
            root = {"defaultNamingContext": ["DC=contoso,DC=test"], "supportedCapabilities": ["1", *capabilities]}
            return [request.entry("", **root), request.done()]
        return [request.done(49 if refuses else 0, "80090308: data 52e, v1" if refuses else "")]


@pytest.fixture
def controllers(tmp_path: Path) -> Iterator[Controllers]:
    with ExitStack() as stack:
        yield Controllers(stack, tmp_path)


Go = Callable[..., str]


@pytest.fixture
def go(controllers: Controllers, monkeypatch: pytest.MonkeyPatch) -> Go:
    """Open the directory with what DNS has, and return where it was opened."""

    def run(*hosts: str, **settings: t.Any) -> str:
        if hosts:
            monkeypatch.setattr(connection, "places", lambda settings: iter([Place(host, host) for host in hosts]))
        given = {"domain": "contoso.test", "username": "x", "password": "secret-word", "timeout": 5}
        given |= {"server": None, "port": controllers.port, "ca_path": str(controllers.ca_path)}
        with open_directory(Settings(**{**given, **settings}), SystemClock()) as directory:
            assert root_dse(directory, "defaultNamingContext").text("defaultNamingContext") == "DC=contoso,DC=test"
            facts = directory.facts()
            assert facts["operations"] == {"bind": 1, "search": 1, "modify": 0, "add": 0, "delete": 0}
            return t.cast(str, facts["server"])

    return run


def test_the_first_one_that_will_do_is_kept(controllers: Controllers, go: Go) -> None:
    controllers.add(HOSTS[1], READ_ONLY)
    controllers.add(HOSTS[2])
    controllers.add(HOSTS[3])
    assert go(*HOSTS[:4]) == HOSTS[2]  # nothing listens on the first
    assert controllers.asked == {HOSTS[1]: [SEARCH], HOSTS[2]: [SEARCH, BIND], HOSTS[3]: []}


def test_a_read_only_one_that_is_named_is_refused_before_the_password_is_sent(controllers: Controllers, go: Go) -> None:
    controllers.add(HOSTS[0], READ_ONLY)
    with pytest.raises(DirectoryError, match=rf"{HOSTS[0]}.*read-only.*domain"):
        go(server=HOSTS[0])
    assert controllers.asked == {HOSTS[0]: [SEARCH]}


def test_a_wrong_password_is_not_tried_elsewhere(controllers: Controllers, go: Go) -> None:
    controllers.add(HOSTS[0], refuses=True)
    controllers.add(HOSTS[1])
    with pytest.raises(DirectoryError, match="password is wrong") as caught:
        go(*HOSTS[:2])
    assert "secret-word" not in str(caught.value)
    assert controllers.asked == {HOSTS[0]: [SEARCH, BIND], HOSTS[1]: []}


def test_each_one_that_was_tried_is_named_and_not_too_many_are(controllers: Controllers, go: Go) -> None:
    controllers.add(HOSTS[5])
    with pytest.raises(DirectoryError) as caught:
        go(*HOSTS)
    named = [host for host in HOSTS if host in str(caught.value)]
    assert named == HOSTS[:5]
    assert controllers.asked == {HOSTS[5]: []}


def test_one_that_is_not_trusted_does_not_see_the_password(controllers: Controllers, go: Go, tmp_path: Path) -> None:
    server_context(tmp_path / "other.pem", *HOSTS)
    controllers.add(HOSTS[0])
    with pytest.raises(DirectoryError, match="ca_path"):
        go(HOSTS[0], ca_path=str(tmp_path / "other.pem"))
    assert controllers.asked == {HOSTS[0]: []}


def test_what_the_first_ones_said_is_kept_when_dns_fails_later(
    controllers: Controllers, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(settings: Settings) -> Iterator[Place]:
        yield Place(HOSTS[0], HOSTS[0])
        yield Place(HOSTS[1], HOSTS[1])
        raise DirectoryError("look up domain controllers", got="SERVFAIL")

    monkeypatch.setattr(connection, "places", failing)
    controllers.add(HOSTS[1], READ_ONLY)
    with pytest.raises(DirectoryError, match=rf"{HOSTS[0]}.*Nothing listens.*{HOSTS[1]}.*read-only.*SERVFAIL"):
        go()
