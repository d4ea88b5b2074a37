# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the parts of our PowerShell that work on any system."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.powershell.pwsh import Engine, needs_engine

pytestmark = needs_engine

Answer = dict[str, t.Any]
ENGINE: list[Engine] = []


@pytest.fixture(autouse=True)
def _engine(plain: Engine) -> Iterator[None]:
    ENGINE.append(plain)
    yield
    ENGINE.clear()


def run(module: str, arguments: Answer) -> Answer:
    """Run a script as the module wrapper does: one JSON document out, nothing else."""
    return ENGINE[0].run(module, arguments)


def ask(**probe: object) -> Answer:
    """Ask one question and return its answer."""
    return t.cast(Answer, run("odj_server_probe", {"probes": [{"id": "it", **probe}]})["answers"]["it"])


def test_host_tells_clock_and_powershell() -> None:
    value = ask(kind="host")["value"]
    assert value["ticks_end"] >= value["ticks_start"] > 638_000_000_000_000_000
    assert value["powershell"]["language_mode"] == "FullLanguage"


def test_a_failing_question_leaves_the_others() -> None:
    probes = [{"id": "bad", "kind": "nonsense"}, {"id": "empty", "kind": "file"}, {"id": "good", "kind": "host"}]
    answers = run("odj_server_probe", {"probes": probes})["answers"]
    assert [answers["bad"]["error"]["id"], answers["empty"]["error"]["id"]] == ["UnknownKind", "BadArgument"]
    assert answers["good"]["ok"]


@pytest.mark.parametrize("content", [b"", b"x", b"\xef\xbb\xbf<a/>\r\n", bytes(range(256)) * 20])
def test_file_content_and_hash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a file [1].config"
    path.write_bytes(content)
    value = ask(kind="file", path=str(path), hash=True, content=100_000, tail=3)["value"]
    assert value["sha256"] == hashlib.sha256(content).hexdigest()
    assert base64.b64decode(value["content"]) == content
    assert base64.b64decode(value["tail"]) == content[-3:]
    assert (value["length"], value["truncated"]) == (len(content), False)


def test_file_over_the_limit_is_truncated(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    value = ask(kind="file", path=str(tmp_path / "f"), content=4)["value"]
    assert (base64.b64decode(value["content"]), value["truncated"]) == (b"0123", True)


def test_missing_file_and_directory_are_answers(tmp_path: Path) -> None:
    assert ask(kind="file", path=str(tmp_path / "none"))["value"] == {"exists": False}
    assert ask(kind="directory", path=str(tmp_path / "none"))["value"]["exists"] is False


@pytest.mark.parametrize("count", [0, 1, 3])
def test_directory_lists_up_to_the_limit(tmp_path: Path, count: int) -> None:
    for number in range(count):
        (tmp_path / f"{number}.log").write_text("x")
    value = ask(kind="directory", path=str(tmp_path), pattern="*.log", limit=2)["value"]
    assert (len(value["entries"]), value["truncated"]) == (min(count, 2), count > 2)


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                connection, _peer = server.accept()
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        socket.create_connection(server.getsockname()).close()
        thread.join()


def test_endpoints_tell_the_stage_that_failed(listener: int) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        targets = [
            {"host": "127.0.0.1", "port": listener, "tls": False},
            {"host": "127.0.0.1", "port": unused.getsockname()[1], "tls": False},
            {"host": "127.0.0.1", "port": listener, "tls": True},
            {"host": "no-such-name.invalid", "port": 443, "tls": True},
        ]
        answers = ask(kind="endpoint", targets=targets, timeout_ms=3000)["value"]["targets"]
    assert [one["connected"] for one in answers] == [True, False, True, False]
    assert [(one["error"] or {}).get("stage") for one in answers] == [None, "connect", "tls", "dns"]


def replacement(path: Path, content: bytes, expected: bytes, **more: object) -> Answer:
    return run(
        "odj_server_change",
        {
            "operation": "replace_file",
            "path": str(path),
            "content": base64.b64encode(content).decode(),
            "expected_sha256": hashlib.sha256(expected).hexdigest(),
            "backup_path": f"{path}.bak",
            **more,
        },
    )


def test_replace_file_keeps_a_backup(tmp_path: Path) -> None:
    path = tmp_path / "x.config"
    path.write_bytes(b"old")
    answer = replacement(path, b"new\r\n", b"old")
    assert (answer["changed"], answer["stale"]) == (True, False)
    assert answer["after_sha256"] == hashlib.sha256(b"new\r\n").hexdigest()
    assert (path.read_bytes(), Path(f"{path}.bak").read_bytes()) == (b"new\r\n", b"old")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["x.config", "x.config.bak"]


def test_replace_file_leaves_a_stale_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.config"
    path.write_bytes(b"changed by somebody")
    answer = replacement(path, b"new", b"old")
    assert (answer["changed"], answer["stale"], path.read_bytes()) == (False, True, b"changed by somebody")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.config"]


def test_replace_file_in_check_mode_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.config"
    path.write_bytes(b"old")
    answer = replacement(path, b"new", b"old", _ansible_check_mode=True)
    assert (answer["changed"], path.read_bytes()) == (True, b"old")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.config"]


def test_a_change_that_cannot_be_made_fails_with_its_id(tmp_path: Path) -> None:
    assert replacement(tmp_path / "none", b"", b"")["failed"]
    answer = run("odj_server_change", {"operation": "replace_file", "path": "x"})
    assert (answer["failed"], answer["error"]["id"]) == (True, "BadArgument")
