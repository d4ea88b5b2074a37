# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain group under all ways of running a play: exit code, hosts changed, accounts delegated, sign-ins.

odj01 and odj02 are signed in to, odj03 is installed and awaits its person.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.staging import first_day
from ansible_collections.hybridjoin.odj.tests.integration.playbooks.fleet import SITE, Fleet, shown
from odj_lab import directory, inventory
from odj_lab.product import builds, host, layout
from odj_lab.settings import Lab

Settings = dict[str, t.Any]
OLD, NEW = "6.2501.2000.5", builds.NEWEST
ALL = ("odj01", "odj02", "odj03")
BOTH = {"odj01", "odj02"}
# What a row is not about is left out of its run.
BRIEF = ("--skip-tags", "prereqs")


@pytest.fixture(scope="module", autouse=True)
def statistics() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        shown(patch)
        yield


@pytest.fixture(scope="module")
def bare(lab: Lab) -> Iterator[Fleet]:
    """Three servers on their first day."""
    inventory.write(lab, ALL)
    fleet = Fleet(lab)
    with first_day(lab), fleet.descriptors_kept():
        yield fleet
        with directory.connected(lab.domains[0], "Administrator") as connection:
            for account in fleet.made.values():
                connection.delete(account["dn"])
    inventory.write(lab)


@pytest.fixture(scope="module")
def converged(bare: Fleet) -> Fleet:
    """The same, with everything done but the delegation and one sign-in."""
    for server in ALL:
        bare.install(NEW, server)
    for server in sorted(BOTH):
        bare.sign_in(server)
    run = bare.run("--tags", "ou_config")
    assert run.code == 0, run.said
    return bare


@pytest.fixture
def untouched(bare: Fleet) -> Iterator[Fleet]:
    """Three servers on their first day, also for the next test."""
    for server in ALL:
        with bare.change(server):
            pass
    with bare.descriptors_kept():
        yield bare
    bare.put_back()


@pytest.fixture
def fleet(converged: Fleet) -> Iterator[Fleet]:
    """The same, and what a row does to servers and OUs is put back."""
    with converged.descriptors_kept():
        yield converged
    converged.put_back()


def test_a_check_run_on_bare_servers_shows_the_whole_plan(bare: Fleet) -> None:
    """U12."""
    run = bare.run("--check", odj_hosts="odj01,odj02")
    assert (run.code, run.granted, run.sign_ins) == (0, 0, ["odj01", "odj02"]), run.said
    for step in (
        "A person has to sign in at: odj01",
        "would keep the OU list: OU=Autopilot",
        "delegate there: create_computer",
    ):
        assert step in run.said
    assert all(host.store(bare.lab, server).read()["product"].get("build") is None for server in ALL)


def test_an_account_that_is_brought_along_is_delegated_before_anybody_signs_in(untouched: Fleet) -> None:
    account = {"name": "gmsaTestOdj", "dns_host_name": "gmsatestodj.contoso.test", "allowed_readers": ["ODJ01$"]}
    variables: Settings = {"odj_hosts": "odj01,odj02", "odj_account": account}
    try:
        check = untouched.run("--check", *BRIEF, **variables)
        assert (check.code, check.granted, check.sign_ins) == (0, 0, ["odj01", "odj02"]), check.said
        assert "To: gmsaTestOdj$" in check.said
        run = untouched.run(*BRIEF, **variables)
        assert (run.code, run.granted, run.sign_ins) == (0, 1, ["odj01", "odj02"]), run.said
    finally:
        untouched.delete_named("gmsaTestOdj")


def test_each_account_is_delegated_right_after_its_own_sign_in(untouched: Fleet) -> None:
    """Nobody signs in at odj02 before the account of odj01 is delegated: it must not be waited for."""
    asked: set[str] = set()

    def person(line: str) -> None:
        if ready := re.search(r'"(odj\d+) is ready to sign in', line):
            asked.add(ready[1])
            if asked == BOTH:
                untouched.sign_in("odj01")
        elif re.match(r"changed: \[odj01 -> ", line) and "odj02" not in untouched.made:
            untouched.sign_in("odj02")

    try:
        settings: Settings = {"odj_hosts": "odj01,odj02", "odj_sign_in": "wait", "odj_sign_in_timeout": 120}
        run = untouched.run(*BRIEF, on_line=person, **settings)
        assert (run.code, run.delegated, run.sign_ins) == (0, BOTH, []), run.said
        assert run.said.count("is ready to sign in") == len(BOTH)
    finally:
        for server in list(untouched.made):
            untouched.delete_account(server)


def test_serial_one_by_one(fleet: Fleet) -> None:
    """U3."""
    run = fleet.run(*BRIEF, odj_serial=1, odj_hosts="odj02,odj03")
    assert (run.code, run.delegated, run.sign_ins) == (0, {"odj02"}, ["odj03"]), run.said
    assert run.changed == {"odj02": 1, "odj03": 0}


def test_serial_in_growing_batches(fleet: Fleet) -> None:
    """U3."""
    run = fleet.run(odj_serial=[1, "50%"])
    assert (run.code, run.delegated, run.sign_ins) == (0, BOTH, ["odj03"]), run.said
    assert run.changed == {"odj01": 1, "odj02": 1, "odj03": 0}


def test_limit_to_one_server(fleet: Fleet) -> None:
    run = fleet.run(*BRIEF, "--limit", "odj02")
    assert (run.code, run.delegated, run.sign_ins) == (0, {"odj02"}, []), run.said
    assert run.changed == {"odj02": 1}


def test_strategy_free(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(monkeypatch, ANSIBLE_STRATEGY="free")
    run = fleet.run(odj_hosts="odj01,odj02")
    assert (run.code, run.delegated, run.sign_ins) == (0, BOTH, []), run.said
    assert sum(run.changed.values()) in (1, 2)


def test_first_host_unreachable(fleet: Fleet) -> None:
    with fleet.change("odj01") as state:
        state["up"] = False
    run = fleet.run(odj_hosts="odj01,odj02")
    assert (run.code, run.delegated, run.sign_ins) == (4, {"odj02"}, []), run.said
    assert run.changed == {"odj01": 0, "odj02": 1}
    assert "odj01 has left the play before its end" in run.said


def test_first_host_fails_midway(fleet: Fleet) -> None:
    """Its OU list cannot be kept, after it has asked directory and Intune for all."""
    with fleet.change("odj01") as state:
        host.put_file(state, layout.WIZARD_CONFIG, b"<configuration><appSettings>")
    run = fleet.run(odj_hosts="odj01,odj02")
    assert (run.code, run.delegated, run.sign_ins) == (2, {"odj02"}, []), run.said
    assert run.changed == {"odj01": 0, "odj02": 1}
    assert "odj01 has left the play before its end. Intune shows it as active" in run.said


def test_one_deleted_account_costs_nobody_else_the_delegation(fleet: Fleet) -> None:
    """U4."""
    with fleet.change("odj03"):
        pass
    fleet.sign_in("odj03")
    try:
        kept = fleet.made["odj03"]["name"]
        fleet.delete_account("odj03")
        run = fleet.run(*BRIEF, odj_hosts="odj02,odj03")
        assert (run.code, run.delegated, run.sign_ins) == (2, {"odj02"}, []), run.said
        assert f"odj03: nothing is delegated to its account CONTOSO\\{kept}$" in run.said.replace("\\\\", "\\")
        assert "sign in again with the wizard" in run.said
        assert "failed=1" in run.said.partition("odj03 :")[2]
        assert "failed=1" not in run.said.partition("RECAP")[2].partition("odj03 :")[0]
    finally:
        fleet.made.pop("odj03", None)


def test_max_fail_percentage_ends_the_play_before_the_next_batch(fleet: Fleet, tmp_path: Path) -> None:
    with fleet.change("odj01") as state:
        host.put_file(state, layout.WIZARD_CONFIG, b"<configuration><appSettings>")
    roles = {
        "role": "hybridjoin.odj.connector_server",
        "vars": {
            "connector_server_organizational_units": "{{ odj_organizational_units }}",
            "connector_server_installer": "{{ odj_installer }}",
            "connector_server_sign_in": "stop",
        },
    }
    play = {
        "hosts": "odj_connector_servers",
        "gather_facts": False,
        "serial": 2,
        "max_fail_percentage": 10,
        "module_defaults": {
            "group/hybridjoin.odj.odj_directory": "{{ odj_directory }}",
            "group/hybridjoin.odj.odj_graph": "{{ odj_graph }}",
        },
        "roles": [roles],
    }
    path = tmp_path / "own.yml"
    path.write_text(json.dumps([play]), encoding="utf-8")
    run = fleet.run(playbook=path)
    assert (run.code, run.delegated, run.sign_ins) == (2, set(), []), run.said
    assert set(run.changed) == BOTH


@pytest.mark.parametrize(
    ("tag", "host", "delegated", "sign_ins"),
    [
        ("prereqs", "odj01", set(), []),
        ("service_account", "odj01", set(), []),
        ("connector", "odj01", set(), []),
        ("ou_config", "odj01", set(), []),
        ("sign_in", "odj03", set(), ["odj03"]),
        ("ou_delegation", "odj01", {"odj01"}, []),
        ("verify", "odj01", set(), []),
    ],
)
def test_the_tag_of_each_step_does_this_step(
    fleet: Fleet, tag: str, host: str, delegated: set[str], sign_ins: list[str]
) -> None:
    run = fleet.run("--tags", tag, "--limit", host)
    assert (run.code, run.delegated, run.sign_ins) == (0, delegated, sign_ins), run.said
    assert run.changed == {host: len(delegated)}


def test_the_only_connector_of_a_domain_is_not_upgraded(fleet: Fleet) -> None:
    """U1: a group of one."""
    older(fleet, "odj01")
    group: Settings = {"odj_hosts": "odj01", "odj_connector_state": "latest"}
    run = fleet.run("--tags", "connector", **group)
    assert (run.code, run.changed) == (2, {"odj01": 0}), run.said
    assert "odj01 is the only connector of its domain" in run.said
    assert fleet.build("odj01") == OLD
    allowed = fleet.run("--tags", "connector", odj_allow_outage=True, **group)
    assert (allowed.code, allowed.changed, fleet.build("odj01")) == (0, {"odj01": 1}, NEW), allowed.said


def test_the_only_connector_of_a_domain_is_not_removed(fleet: Fleet, tmp_path: Path) -> None:
    """U1: ``absent``, by the role alone."""
    role = {"role": "hybridjoin.odj.connector", "vars": {"connector_state": "absent"}}
    path = tmp_path / "own.yml"
    path.write_text(json.dumps([{"hosts": "odj02", "gather_facts": False, "roles": [role]}]), encoding="utf-8")
    run = fleet.run(playbook=path)
    assert (run.code, run.changed, fleet.build("odj02")) == (2, {"odj02": 0}, NEW), run.said
    assert "odj02 is the only connector of its domain" in run.said


def older(fleet: Fleet, server: str) -> None:
    """Have an older build in place of the newest, with the sign-in as it was."""
    with fleet.change(server) as state:
        for key in [key for key in state["registry"] if "Uninstall" in key]:
            values = state["registry"][key].get("values", {})
            for value in values.values():
                if value["data"] == NEW:
                    value["data"] = OLD
        state["product"]["build"] = OLD


def test_servers_of_one_domain_are_upgraded_one_after_the_other(fleet: Fleet) -> None:
    """U1: ``latest`` for all at once."""
    for server in ("odj01", "odj02"):
        older(fleet, server)
    fleet.install(NEW, "odj03")
    pair: Settings = {"odj_hosts": "odj01,odj02", "odj_connector_state": "latest"}
    run = fleet.run("--tags", "connector", **pair)
    assert (run.code, run.changed) == (2, {"odj01": 1, "odj02": 0}), run.said
    assert "odj02 would be interrupted in the same batch as odj01" in run.said
    assert "serial: 1" in run.said
    assert (fleet.build("odj01"), fleet.build("odj02")) == (NEW, OLD)
    older(fleet, "odj01")
    run = fleet.run("--tags", "connector", odj_serial=1, **pair)
    assert (run.code, run.changed) == (0, {"odj01": 1, "odj02": 1}), run.said
    assert (fleet.build("odj01"), fleet.build("odj02")) == (NEW, NEW)


def test_a_peer_outside_the_limit_counts_and_an_unreachable_one_refuses(fleet: Fleet) -> None:
    older(fleet, "odj01")
    with fleet.change("odj02") as state:
        state["up"] = False
    pair: Settings = {"odj_hosts": "odj01,odj02", "odj_connector_state": "latest"}
    run = fleet.run("--tags", "connector", "--limit", "odj01", **pair)
    assert (run.code, fleet.build("odj01")) == (2, OLD), run.said
    assert "whether odj02 can take over is not known" in run.said


def test_an_empty_group_is_an_error(bare: Fleet) -> None:
    """U15."""
    for playbook in (SITE, "hybridjoin.odj.preflight"):
        run = bare.run(playbook=playbook, odj_hosts="odj_no_such_group")
        assert run.code == 2, run.said
        assert "No host of the inventory matches odj_no_such_group" in run.said


def test_the_preflight_shows_its_table_when_green_and_names_misspelt_variables(fleet: Fleet) -> None:
    """U12, U15."""
    run = fleet.run(playbook="hybridjoin.odj.preflight", odj_signin="wait")
    assert (run.code, run.sign_ins, set(run.changed.values())) == (0, [], {0}), run.said
    for server in ALL:
        assert f"{server} ok domain_membership member server of contoso.test" in run.said
    assert "Ready: odj01, odj02, odj03." in run.said
    assert "reads the variable odj_signin; odj_sign_in is probably meant" in run.said
    assert run.said.count("No playbook of hybridjoin.odj reads") == 1
