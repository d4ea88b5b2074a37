# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of connector servers alone: no directory, no cloud, on addresses of its own."""

from __future__ import annotations

import sys
import threading
import types
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.windows.scenery import (
    NET,
    PATIENCE,
    SERVER,
    Change,
    Site,
    collections_path,
    listens,
)
from odj_lab import windows
from odj_lab.settings import Lab
from odj_lab.windows import shells, wire
from odj_lab.windows.programs import ProgramResult


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run the three servers for the whole session."""
    if listens():
        pytest.fail(f"something listens on {NET}.11:5985 already")
    home = tmp_path_factory.mktemp("lab")
    lab = Lab.new("windows-tests", NET, home)
    lab.save()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_COLLECTIONS_PATH", collections_path())
        with windows.serve(lab):
            yield Site(lab, home)
    assert not listens()


@pytest.fixture(autouse=True)
def fresh(site: Site) -> None:
    """Begin each test with the first state of the server and an empty log."""
    site.machine.executions.path.unlink(missing_ok=True)
    with site.machine.edit("a test begins") as state:
        state.clear()
        state.update(windows.create_state(site.lab, SERVER))


@pytest.fixture
def change(site: Site) -> Change:
    """Change the server's state."""
    return site.machine.edit


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the product's programs by one that notes its command lines, answers `3010` when told so, or is slow.

    A slow one goes on until the client has asked for its output for the third time; each round is short.
    """
    lines: list[str] = []
    asked_thrice = threading.Event()
    receive = shells.Command.receive

    def counted(command: shells.Command, request: wire.Request) -> bytes:
        if command.counts["receive"] == 3:
            asked_thrice.set()
        return receive(command, request)

    monkeypatch.setattr(shells.Command, "receive", counted)
    monkeypatch.setattr(shells, "FIRST_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(shells, "BUSY_ROUND_SECONDS", 0.05)

    def execute(lab: Lab, server: str, command_line: str) -> ProgramResult:
        lines.append(command_line)
        if "slow" in command_line:
            asked_thrice.wait(PATIENCE)
        return ProgramResult(3010 if "3010" in command_line else 5 if "fails" in command_line else 0, "done", "")

    part = types.ModuleType("odj_lab.product.programs")
    part.execute = execute  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "odj_lab.product.programs", part)
    return lines


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[t.Any, ...]]:
    """Replace the product's ear for services by one that notes what it hears."""
    heard: list[tuple[t.Any, ...]] = []
    part = types.ModuleType("odj_lab.product.services")
    part.on_service = lambda lab, *what: heard.append(what)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "odj_lab.product.services", part)
    return heard
