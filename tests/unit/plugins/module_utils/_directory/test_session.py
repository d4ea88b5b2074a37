# SPDX-License-Identifier: GPL-3.0-or-later
"""The door itself, as far as it can be tried without a domain controller (see tests/integration/directory)."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import COMPUTERS, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_contract import keep_the_contract

SETTINGS: dict[str, t.Any] = {"server": "127.0.0.1", "username": "CONTOSO\\x", "password": "secret-word", "timeout": 1}


@contextmanager
def listener(answer: Callable[[bytes], bytes] | None) -> Iterator[int]:
    """Yield the port of something that takes one connection and answers one request, or (None) says nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            connection, __ = server.accept()
            with connection:
                if answer is not None:
                    connection.sendall(answer(connection.recv(1000)))
                else:
                    done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join()


def failure(**settings: t.Any) -> str:
    with (
        pytest.raises((DirectoryError, InvalidInput)) as caught,
        open_directory(Settings(**{**SETTINGS, **settings}), SystemClock()),
    ):
        pass
    assert "secret-word" not in str(caught.value) + repr(Settings(**SETTINGS))
    return str(caught.value)


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "Nothing listens there" in failure(port=port)


@pytest.mark.once
def test_a_server_that_stays_silent_does_not_hold_the_task() -> None:
    with listener(None) as port:
        assert "timeout" in failure(port=port)


def test_a_server_that_does_not_speak_tls() -> None:
    with listener(lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert f"Could not connect to the directory (127.0.0.1:{port})" in failure(port=port)


def test_a_server_that_refuses_start_tls_is_not_told_the_password() -> None:
    def unavailable(request: bytes) -> bytes:
        """Return an extended response with code 52 to the message of that id (RFC 4511 4.14.2)."""
        body = request[2 : 4 + request[3]] + bytes.fromhex("7807 0a0134 0400 0400")
        return bytes((0x30, len(body))) + body

    with listener(unavailable) as port:
        assert "start TLS" in failure(port=port, tls_mode="start_tls")


def test_bad_settings_are_refused_before_anything_is_contacted() -> None:
    assert "username or password is empty" in failure(password="")
    assert "username or password is empty" in failure(username=" ")
    assert "/nowhere/ca.pem" in failure(ca_path="/nowhere/ca.pem")


def test_a_file_that_is_no_certificate(tmp_path: t.Any) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    assert "PEM file" in failure(ca_path=str(tmp_path / "ca.pem"))


def test_a_server_that_is_no_active_directory_is_refused() -> None:
    fake = FakeDirectory()
    fake.put("", defaultNamingContext=())
    with pytest.raises(DirectoryError, match="no defaultNamingContext"):
        root_dse(fake, "defaultNamingContext")


def test_the_fake_keeps_the_contract() -> None:
    keep_the_contract(FakeDirectory(), COMPUTERS)
