# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of which a part has died, was made half, or is of before a reboot: bringing it up makes it whole again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.integration.product.scene import command, lab_at, sentence
from odj_lab import directory, processes, world
from odj_lab.cloud import connectors
from odj_lab.processes import LabError
from odj_lab.settings import Domain, Lab
from odj_lab.windows.machine import Machine


@pytest.fixture(scope="module")
def standing(short_home: Path) -> Iterator[Lab]:
    lab = lab_at(short_home, "torn", nets.net("torn"))
    yield lab
    world.wipe(lab, lambda __: None)


@pytest.fixture
def torn(standing: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that is up, of which a test tears off a part."""
    monkeypatch.setenv("ODJ_LAB_NET", standing.net)
    world.up(standing, lambda __: None)
    return standing


def kill(process: processes.Process) -> None:
    """Kill a process as nobody can stop it, and return when it is gone."""
    descriptor = os.pidfd_open(process.pid)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    select.select([descriptor], [], [])
    os.close(descriptor)
    assert not process.alive


def works(lab: Lab) -> None:
    """See that all of a lab is there and answers."""
    assert world.is_up(lab)
    with directory.connected(lab.domains[0], "odj-automation"):
        pass
    assert Machine(lab, "odj01").read()["up"]
    assert not any(processes.is_free(lab.server_address(server), 5986) for server in lab.servers)
    assert not processes.is_free(lab.cloud_address, 8443)


@pytest.mark.parametrize("dead", [("contoso.test",), ("daemon",), ("contoso.test", "daemon")])
def test_what_has_died_is_started_and_nothing_else(torn: Lab, dead: tuple[str, ...]) -> None:
    before = world.running(torn)
    with Machine(torn, "odj01").edit("something happens") as state:
        state["sids"]["kept"] = "S-1-0-0"
    for name in dead:
        kill(before[name])
    assert set(world.running(torn)) == set(before) - set(dead)
    with pytest.raises(LabError, match="is not up: bring it up first"):
        world.require(torn)
    world.up(torn, lambda __: None)
    works(torn)
    after = world.running(torn)
    assert {name for name in before if after[name] != before[name]} == set(dead)
    assert "kept" in Machine(torn, "odj01").read()["sids"]


@pytest.mark.parametrize("half", ["no database", "running and not filled"])
def test_a_directory_that_was_made_half_is_made_anew(torn: Lab, half: str) -> None:
    domain = torn.domains[0]
    (domain.dc_dir / "filled").unlink()
    if half == "no database":
        world.down(torn, lambda __: None)
        (domain.dc_dir / "private" / "sam.ldb").write_bytes(b"half")
    else:
        kill(world.running(torn)["daemon"])
    world.up(torn, lambda __: None)
    works(torn)


def test_a_lab_whose_description_is_damaged_says_so_and_can_be_wiped(torn: Lab) -> None:
    torn.path.write_text(torn.path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    for verb in ("up", "status", "reset", "down"):
        said = sentence(command(torn, verb))
        assert f"{torn.path} is damaged" in said
        assert "wipe" in said
    pids = [process.pid for process in world.running(torn).values()]
    assert command(torn, "wipe").returncode == 0
    assert not torn.home.exists()
    assert not [pid for pid in pids if processes.memory_mib(pid)]
    assert processes.is_free(torn.domains[0].dc_address, 389)


def test_records_of_before_a_reboot_name_nobody(torn: Lab) -> None:
    """A process of now may have both the pid and the start time of one of then."""
    world.down(torn, lambda __: None)
    with subprocess.Popen(["sleep", "infinity"]) as innocent:
        records = (directory.record(torn.domains[0]), world.daemon_record(torn), torn.home / "run" / "sshd-odj01.pid")
        for path in records:
            alive = processes.record(path, innocent.pid)
            path.write_text(f"{alive.pid} {alive.started} 00000000-0000-0000-0000-000000000000\n", encoding="ascii")
            assert processes.recorded(path) is None
        world.up(torn, lambda __: None)
        works(torn)
        world.down(torn, lambda __: None)
        for path in records:
            path.write_text(f"{alive.pid} {alive.started} 00000000-0000-0000-0000-000000000000\n", encoding="ascii")
        directory.stop(torn.domains[0].dc_dir)
        assert innocent.poll() is None
        innocent.kill()


def test_one_name_on_two_nets_is_refused_before_anything_is_touched(torn: Lab) -> None:
    before = world.running(torn)
    (torn.home / "servers" / "odj01" / "state.json").touch()
    for verb in ("up", "reset"):
        said = sentence(command(torn, verb, ODJ_LAB_NET=nets.net("nowhere")))
        assert said.startswith(f"lab: Lab torn in {torn.home} lives on {torn.net}, not on ")
    assert world.running(torn) == before


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("up",), {"ODJ_LAB_NET": "10.0.0"}, "ODJ_LAB_NET takes the first three octets of loopback addresses"),
        (("up",), {"ODJ_LAB_NET": "127.0.256"}, "ODJ_LAB_NET takes the first three octets"),
        (("up",), {"ODJ_LAB_NAME": "../up"}, "ODJ_LAB_NAME takes a name"),
        (("up", "--domains", "contoso"), {}, "contoso is no domain of a lab: it takes a DNS name"),
        (("up", "--domains", "contoso.test:0"), {}, "contoso.test:0 is no domain of a lab"),
        (("up",), {"ODJ_LAB_DOMAINS": "contoso.test,contoso.example"}, "same NetBIOS name CONTOSO"),
        (("up", "--domains", ",".join(f"d{n}.test" for n in range(9))), {}, "at most 8 domains"),
        (("sign-in", "odj09"), {}, "is not up"),
    ],
)
def test_a_lab_that_cannot_be_says_why(
    short_home: Path, words: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    nowhere = lab_at(short_home, "nowhere", nets.net("nowhere"))
    assert said in sentence(command(nowhere, *words, **variables))
    assert not nowhere.home.exists()


def test_a_lab_that_is_up_gets_the_domains_and_servers_that_it_lacks(
    torn: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.running(torn)
    with Machine(torn, "odj01").edit("something happens") as state:
        state["sids"]["kept"] = "S-1-0-0"
    assert command(torn, "up", "--domains", "fabrikam.test:1").returncode == 0
    assert command(torn, "up", ODJ_LAB_DOMAINS="contoso.test:4").returncode == 0
    whole = Lab.load(torn.home)
    assert whole.sizes == {"contoso.test": 4, "fabrikam.test": 1}
    works(whole)
    assert world.running(whole)["contoso.test"] == before["contoso.test"]
    assert "kept" in Machine(whole, "odj01").read()["sids"]
    for server in ("odj04", "odj11"):
        domain, state = whole.domain_of(server), Machine(whole, server).read()
        assert (state["domain"], state["dc"]) == (domain.name, domain.dc)
        with directory.connected(domain, "Administrator") as connection:
            assert directory.find(connection, domain, f"{server}$")
    profiles = [profile["activeDirectoryDomainName"] for profile in connectors.profiles(whole)]
    assert profiles == ["contoso.test", "fabrikam.test"]
    assert "is up already" in command(whole, "up", "--domains", "contoso.test").stdout

    def fail(domain: Domain, fill: object) -> None:
        if domain.name == "tailspin.test":
            raise LabError("as a test wants it")

    monkeypatch.setattr(directory, "start", fail)
    with pytest.raises(LabError, match="as a test wants it"):
        world.up(whole.with_domains("tailspin.test"), lambda __: None)
    assert Lab.load(torn.home) == whole
    works(whole)
