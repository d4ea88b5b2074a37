# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for service accounts as a play uses them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from odj_lab import directory as lab_directory
from odj_lab import inventory, plays
from odj_lab.settings import Domain

NAME = "gmsaPlayODJ"
ACCOUNT = {"name": NAME, "kind": "group", "dns_host_name": "gmsaplayodj.contoso.test"}


def step(module: str, **options: t.Any) -> dict[str, t.Any]:
    return {"name": module, f"hybridjoin.odj.{module}": options, "register": "seen"}


def see(*conditions: str) -> dict[str, t.Any]:
    return {"name": "Look at it", "ansible.builtin.assert": {"that": list(conditions), "quiet": True}}


def play(domain: Domain, scratch: Path, *tasks: dict[str, t.Any]) -> plays.Play:
    defaults = {"group/hybridjoin.odj.odj_directory": inventory.access(domain, "Administrator")}
    file = scratch / "play.yml"
    whole = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}
    file.write_text(json.dumps([whole]), encoding="utf-8")
    return plays.run(domain.lab, file, warm=True)


def test_a_play_makes_lists_and_removes_an_account(domain: Domain, tmp_path: Path, root_keys: dict[str, bytes]) -> None:
    done = play(
        domain,
        tmp_path,
        step("odj_msa", **ACCOUNT, readers={"add": ["ODJ01$"]}, hosts={"set": ["odj01", "odj02"]}),
        see("seen.changed", "seen.remarks | length == 1", "seen.service_account.hosts | length == 2"),
        step("odj_msa", **ACCOUNT, readers={"add": ["ODJ01$"]}, hosts={"set": ["odj02", "odj01"]}),
        see("not seen.changed"),
        step("odj_msa_info", names=["gmsaplay*"]),
        see(f"seen.service_accounts | map(attribute='name') == ['{NAME}']", "not seen.changed"),
        step("odj_msa", **ACCOUNT, state="absent", force=True, remove_delegations=[f"OU=Autopilot,{domain.base_dn}"]),
        see("seen.changed", "not seen.service_account.exists"),
    )
    with lab_directory.connected(domain, "Administrator") as connection:
        left = lab_directory.find(connection, domain, f"{NAME}$")
        if left:
            connection.delete(left["dn"])
    assert (done.code, left) == (0, None), done.output
    warned = "can have a password is not known" in " ".join(done.output.split())
    assert warned is not bool(root_keys), done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**ACCOUNT, "hosts": {"set": ["a"], "add": ["b"]}}, "mutually exclusive"),
        ({**ACCOUNT, "readers": {"set": ["a"]}, "allowed_readers": ["b"]}, "mutually exclusive"),
        ({**ACCOUNT, "hosts": {"replace": ["a"]}}, "hosts.replace"),
    ],
)
def test_options_that_exclude_each_other(
    domain: Domain, tmp_path: Path, options: dict[str, t.Any], message: str
) -> None:
    done = play(domain, tmp_path, step("odj_msa", **options))
    assert done.code == 2, done.output
    assert message in done.output
