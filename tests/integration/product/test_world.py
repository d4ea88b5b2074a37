# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs come and go: up, down, taken ports, two at once, forgotten ones. Nothing is left running."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.integration.product.scene import (
    LAUNCHER,
    command,
    install,
    lab_at,
    sentence,
)
from odj_lab import directory, directory_acl, population, processes, world
from odj_lab.processes import LabError
from odj_lab.product import accounts, builds, host
from odj_lab.settings import Domain, Lab

PATIENCE = 300  # seconds for what takes one or two


@pytest.fixture(scope="module")
def standing(short_home: Path) -> Iterator[Lab]:
    lab = lab_at(short_home, "other", nets.net("other"))
    yield lab
    world.wipe(lab, lambda __: None)


@pytest.fixture
def other(standing: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Return a second lab, which may be there already, and be up or not."""
    monkeypatch.setenv("ODJ_LAB_NET", standing.net)
    return standing


def test_a_second_lab_lives_beside_the_first_and_leaves_nothing(estate: Lab, other: Lab) -> None:
    said: list[str] = []
    world.up(other, said.append)
    assert world.is_up(other)
    assert world.is_up(estate)
    assert "up; inventory" in said[-1]
    pids = [pid for process in world.running(other).values() for pid in processes.tree(process.pid)]
    assert sum(processes.memory_mib(pid) for pid in pids) < 700

    install(other, "odj01")
    status = command(other, "status")
    assert status.returncode == 0
    assert "odj02" in status.stdout

    world.down(other, lambda __: None)
    assert world.running(other) == {}
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists() and processes.memory_mib(pid)]
    assert all(processes.is_free(other.domains[0].dc_address, port) for port in directory.PORTS)
    assert command(other, "status").returncode == 3

    world.up(other, lambda __: None)
    assert world.is_up(other)
    assert host.product(host.store(other, "odj01").read())["build"] == builds.NEWEST
    with directory.connected(other.domains[0], "odj-automation") as connection:
        connection.add(f"CN=msaLate,{other.domains[0].msa_container}", accounts.CLASS, {"sAMAccountName": "msaLate$"})
    assert len(population.service_accounts(other.domains[0])) == 1

    assert command(other, "reset").returncode == 0
    assert world.is_up(other)
    assert host.product(host.store(other, "odj01").read())["build"] is None
    assert population.service_accounts(other.domains[0]) == []


def test_a_lab_stays_with_the_samba_that_made_it(other: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer Samba writes what an older one cannot read."""
    world.up(other, lambda __: None)
    before = samba_of(other)
    world.down(other, lambda __: None)
    with monkeypatch.context() as patch:
        patch.setenv("LAB_CHROOT", "/")
        with pytest.raises(LabError, match=r"was made by Samba of .*, LAB_CHROOT is /: wipe it first"):
            world.up(other, lambda __: None)
        assert world.running(other) == {}
    monkeypatch.delenv("LAB_CHROOT", raising=False)
    world.up(other, lambda __: None)
    assert samba_of(other) == before


def samba_of(lab: Lab) -> tuple[bytes, bytes]:
    """Return the version and the functional level that the domain controller tells."""
    with directory.connected(lab.domains[0], "Administrator") as connection:
        names = ["vendorVersion", "domainControllerFunctionality"]
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=names)
        values = directory_acl.responses(connection)[0]["raw_attributes"]
    return values[names[0]][0], values[names[1]][0]


def test_taken_ports_are_named_and_nothing_starts(estate: Lab, short_home: Path) -> None:
    rival = lab_at(short_home, "rival", estate.net)
    said = sentence(command(rival, "up"))
    assert f"{estate.net}.2:389" in said
    assert "ODJ_LAB_NET" in said
    assert not rival.home.exists()


def test_a_net_on_which_a_lab_is_just_starting_is_refused_at_once(
    other: Lab, short_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ports are still free then, and would be taken while the second one makes its own directory."""
    rival = lab_at(short_home, "rival", other.net)
    seen: list[subprocess.CompletedProcess[str]] = []

    def meanwhile(domain: Domain, fill: Callable[[Domain], None]) -> None:
        seen.append(command(rival, "up"))
        raise LabError("that is enough")

    world.down(other, lambda __: None)
    monkeypatch.setattr(directory, "start", meanwhile)
    with pytest.raises(LabError, match="that is enough"):
        world.up(other, lambda __: None)
    (done,) = seen
    assert sentence(done) == (
        f"lab: Another lab is being started on {other.net} just now: choose other addresses with ODJ_LAB_NET and "
        "another ODJ_LAB_NAME."
    )
    assert not rival.home.exists()


def test_one_command_at_a_time_starts_or_stops_a_lab(other: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[subprocess.CompletedProcess[str]] = []

    def meanwhile(lab: Lab, keep: tuple[str, ...] = ()) -> list[str]:
        seen.extend(command(lab, verb) for verb in ("up", "down", "wipe"))
        return []

    with monkeypatch.context() as patch:
        patch.setattr(world, "_stop", meanwhile)
        world.down(other, lambda __: None)
    said = {sentence(done) for done in seen}
    assert said == {f"lab: Another command is starting or stopping lab {other.name} just now."}


def test_failed_start_is_taken_back(other: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(__: Lab) -> None:
        raise LabError("as a test wants it")

    world.down(other, lambda __: None)
    monkeypatch.setattr(world, "_restart_daemon", fail)
    with pytest.raises(LabError, match="as a test wants it"):
        world.up(other, lambda __: None)
    assert world.running(other) == {}
    assert directory.alive(other) == []
    assert processes.is_free(other.domains[0].dc_address, 389)


def test_lab_whose_directory_is_gone_ends_by_itself(other: Lab) -> None:
    world.up(other, lambda __: None)
    descriptors = [os.pidfd_open(process.pid) for process in world.running(other).values()]
    shutil.rmtree(other.home)
    waiting = set(descriptors)
    while waiting:
        ended, __, __ = select.select(waiting, [], [], PATIENCE)
        assert ended, "a process of a deleted lab still runs"
        waiting -= set(ended)
    for descriptor in descriptors:
        os.close(descriptor)


def test_lab_ends_by_itself_when_forgotten(other: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon ends it; the domain controller has the same limit for when the daemon has died."""
    monkeypatch.setenv("ODJ_LAB_MAXRUN", "4321")
    world.up(other, lambda __: None)
    controller = directory.process(other.domains[0])
    assert controller is not None
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes.tree(controller.pid)]
    assert any(b"--maximum-runtime=4321" in command for command in commands)
    processes.stop(world.running(other)["daemon"])
    monkeypatch.setenv("ODJ_LAB_MAXRUN", "1")
    descriptor = os.pidfd_open(controller.pid)
    world.up(other, lambda __: None)
    assert select.select([descriptor], [], [], PATIENCE)[0], "a forgotten lab still runs"
    os.close(descriptor)
    assert directory.alive(other) == []


def test_values_are_read_and_set_by_path(estate: Lab) -> None:
    assert command(estate, "set", "odj03", "os.build", '"14393"').returncode == 0
    assert command(estate, "get", "odj03", "os.build").stdout.strip() == '"14393"'
    pointer = "/network/login.microsoftonline.com:443/connect"
    assert command(estate, "set", "odj03", pointer, "timeout").returncode == 0
    assert command(estate, "get", "odj03", pointer).stdout.strip() == '"timeout"'
    assert command(estate, "set", "odj03", pointer, "true").returncode == 0
    assert command(estate, "set", "odj03", "product.exit_codes", "[3010]").returncode == 0
    assert install(estate, "odj03") == 3010
    wrong = command(estate, "get", "odj03", "os.none")
    assert sentence(wrong) == "lab: There is no 'none' in 'os.none'."


def test_verbs_need_a_lab_that_is_up(short_home: Path) -> None:
    absent = lab_at(short_home, "absent", nets.net("nowhere"))
    for words in (("sign-in", "odj01"), ("enrol-device", "LAB-1"), ("inventory",), ("get", "odj01")):
        assert "up" in sentence(command(absent, *words))


def test_missing_package_is_one_sentence(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    environment = {**os.environ, "ODJ_LAB_PYTHON": str(bare / "bin" / "python"), "PYTHONPATH": ""}
    done = subprocess.run([LAUNCHER, "status"], env=environment, capture_output=True, text=True, check=False)
    assert "lacks the Python package" in sentence(done)
