# SPDX-License-Identifier: GPL-3.0-or-later
"""Unmodified Ansible against the connector servers: connections, refusals, rounds, reboots."""

from __future__ import annotations

import base64
import json
import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.windows.scenery import WAYS, Change, Site


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_task_is_one_remote_execution(site: Site, way: str) -> None:
    ran = site.start("ansible.windows.win_ping", way=way)
    assert ran.result == {"changed": False, "ping": "pong"}, ran.text
    (execution,) = site.executions()
    assert execution["name"] == "ansible.windows.win_ping"
    assert execution["requests"] == {"create": 1, "command": 1, "send": 1, "receive": 1, "signal": 1}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_wrong_password_is_refused(site: Site, way: str) -> None:
    ran = site.run("ansible.windows.win_ping", way=way, ansible_password="wrong")
    assert ran.result["unreachable"], ran.text
    assert "credentials were rejected" in ran.result["msg"]
    assert site.executions() == []


def test_a_module_without_stand_in_names_itself(site: Site) -> None:
    ran = site.run("ansible.windows.win_shell", "dir")
    assert ran.rc == 2
    assert "no stand-in for the module ansible.windows.win_shell" in ran.text


def test_a_raw_command_without_stand_in_names_itself(site: Site) -> None:
    ran = site.run("ansible.builtin.raw", "Get-ChildItem C:")
    assert ran.rc == 2
    assert "no stand-in for this raw command: Get-ChildItem C:" in ran.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"path": "C:\\x", "colour": "red"}, "Unsupported parameters for (ansible.windows.win_stat) module: colour"),
        ({}, "missing required arguments: path"),
        ({"path": "C:\\x", "checksum_algorithm": "crc"}, "value of checksum_algorithm must be one of: md5, sha1"),
        ({"path": "C:\\x", "follow": "perhaps"}, "argument for follow is of type str"),
    ],
)
def test_options_are_checked_against_the_installed_module(site: Site, options: t.Any, said: str) -> None:
    ran = site.run("ansible.windows.win_stat", options)
    assert ran.result["failed"]
    assert said in ran.result["msg"]


def test_a_long_program_is_answered_in_several_rounds(site: Site, programs: list[str]) -> None:
    ran = site.run("ansible.windows.win_command", {"cmd": r"C:\slow.exe"})
    assert "rc=0 >>\ndone" in ran.text
    (execution,) = site.executions()
    assert execution["requests"]["receive"] == 3  # running, operation timed out, done


def test_a_reboot_is_seen_by_win_reboot(site: Site, change: Change) -> None:
    with change("before") as state:
        state["services"]["W32Time"].update(state="Stopped", process_id=0)
        state["services"]["Netlogon"].update(start_mode="Manual")
        before = state["boot_time"]
    ran = site.run("ansible.windows.win_reboot")
    assert ran.result["rebooted"], ran.text
    state = site.state()
    assert state["boot_time"] > before
    assert state["services"]["W32Time"]["state"] == "Running"
    assert state["services"]["Netlogon"]["state"] == "Stopped"


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_spoilt_state_is_told_to_who_runs_the_play(site: Site, way: str) -> None:
    whole = site.machine.store.path.read_text(encoding="utf-8")
    without_boot = json.dumps({key: value for key, value in site.state().items() if key != "boot"})
    for spoilt, said in (("{", "is not JSON"), (without_boot, "KeyError")):
        site.machine.store.path.write_text(spoilt, encoding="utf-8")
        try:
            ran = site.run("ansible.windows.win_ping", way=way)
        finally:
            site.machine.store.path.write_text(whole, encoding="utf-8")
        assert ran.rc != 0
        assert "cannot answer, its state is spoilt" in ran.text
        assert said in ran.text
    assert site.run("ansible.windows.win_ping", way=way).result["ping"] == "pong"


def test_a_server_that_is_down_refuses_and_comes_back(site: Site, change: Change) -> None:
    with change("power off") as state:
        state["up"] = False
    site.until_listening(False)
    assert site.run("ansible.windows.win_ping").result["unreachable"]
    with change("power on") as state:
        state["up"] = True
    site.until_listening(True)
    assert site.run("ansible.windows.win_ping").result["ping"] == "pong"


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", [r"C:\made"])])
def test_a_connection_can_be_dropped_at_a_step(site: Site, change: Change, when: str, left: list[str]) -> None:
    with change("fault") as state:
        state["faults"] = [{"kind": "drop_connection", "step": 1, "when": when}]
        state["directories"] = [r"C:\Users"]
    ran = site.run("ansible.windows.win_file", {"path": r"C:\made", "state": "directory"})
    assert ran.rc != 0
    assert site.state()["directories"] == [r"C:\Users", *left]
    assert site.state()["faults"] == []
    assert site.run("ansible.windows.win_ping").result["ping"] == "pong"


def test_a_full_disk_fails_a_copy(site: Site, change: Change, tmp_path: Path) -> None:
    with change("fault") as state:
        state["faults"] = [{"kind": "disk_full"}]
    source = tmp_path / "file"
    source.write_bytes(b"x")
    ran = site.run("ansible.windows.win_copy", {"src": str(source), "dest": "C:\\Windows\\Temp\\file"})
    assert ran.rc != 0
    assert "not enough space" in ran.text


def test_copying_takes_each_of_its_steps_and_then_none(site: Site, tmp_path: Path) -> None:
    data = bytes(range(256)) * 2000
    (tmp_path / "file.bin").write_bytes(data)
    options = {"src": str(tmp_path / "file.bin"), "dest": "C:\\Windows\\Temp\\copy.bin"}
    assert site.run("ansible.windows.win_copy", options).result["changed"]
    state = site.state()
    assert base64.b64decode(state["files"][r"C:\Windows\Temp\copy.bin"]["content"]) == data
    assert [path for path in state["files"] if "ansible-tmp" in path] == []
    names = [entry["name"] for entry in site.executions()]
    query, made, put, single, removed = names[:5]
    assert (query, single) == ("ansible.windows.win_copy", "ansible.windows.win_copy")
    assert (made, put, removed) == ("powershell_mkdtemp.ps1", "winrm_put_file.ps1", "Remove-Item")
    assert not site.run("ansible.windows.win_copy", options).result["changed"]
    assert len(site.executions()) == len(names) + 1


def test_a_folder_is_copied_by_its_zip(site: Site, tmp_path: Path) -> None:
    for name in ("one.txt", "sub/two.txt"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    ran = site.run("ansible.windows.win_copy", {"src": f"{tmp_path}/folder/", "dest": "C:\\Windows\\Temp\\x"})
    assert ran.result["changed"], ran.text
    files = site.state()["files"]
    assert base64.b64decode(files[r"C:\Windows\Temp\x\sub\two.txt"]["content"]) == b"sub/two.txt"


def test_a_large_file_comes_back_in_pieces(site: Site, change: Change, tmp_path: Path) -> None:
    data = bytes(range(256)) * 2500
    with change("file") as state:
        state["files"][r"C:\big"] = {**_record(), "content": base64.b64encode(data).decode()}
    options = {"src": r"C:\big", "dest": str(tmp_path / "big"), "flat": True}
    assert site.run("ansible.builtin.fetch", options).result["changed"]
    assert (tmp_path / "big").read_bytes() == data


def _record() -> dict[str, t.Any]:
    return {"last_write": "2026-01-02T03:04:05.0000000Z", "attributes": "Archive", "sddl": "D:"}


@pytest.mark.skipif(
    shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin") is None, reason="sshd is not installed on this system"
)
def test_the_same_server_by_ssh(site: Site) -> None:
    ran = site.run("ansible.windows.win_ping", way="ssh", **site.ssh_variables())
    assert ran.result == {"changed": False, "ping": "pong"}, ran.text
    (execution,) = site.executions()
    assert execution["requests"] == {"ssh": 1}
    assert site.run("ansible.windows.win_reboot", way="ssh", **site.ssh_variables()).result["rebooted"]
