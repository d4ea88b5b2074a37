# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that fail half-way, as handlers and callback plugins see them; AWX is a callback plugin, too."""

from __future__ import annotations

import secrets

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import NEW, OLD, SET_UP, Json, Stage, present
from odj_lab import directory, inventory
from odj_lab.product import builds


def failing(module: str, **options: object) -> list[Json]:
    """Return a task twice: its failure is ignored, and then is none, so that it notifies."""
    one = {"name": module, f"hybridjoin.odj.{module}": options, "notify": "Somebody hears of it"}
    return [{**one, "ignore_errors": True}, {**one, "failed_when": False}]


def play(hosts: str, tasks: list[Json], **more: object) -> Json:
    handler = {"name": "Somebody hears of it", "ansible.builtin.debug": {"msg": "heard"}}
    return {"hosts": hosts, "gather_facts": False, "tasks": tasks, "handlers": [handler], **more}


def test_a_wrong_build_that_was_installed_is_a_change_for_handlers_and_callbacks(stage: Stage) -> None:
    stage.put(SET_UP, builds.make_bootstrapper(OLD))
    given = present(path=SET_UP, checksum=builds.checksum(OLD), state="latest")
    first, second, heard = stage.run([play("odj01", failing("odj_connector_install", **given))])["odj01"]
    assert first.outcome == "failed"
    assert (first.result["changed"], first.result["exit_codes"]) == (True, [0])
    assert [one["action"] for one in first.result["progress"]["done"]] == ["install"]
    assert f"{OLD} is installed instead of {NEW}" in first.message
    assert first.result["diff"][0]["after"] == f"Intune Connector for Active Directory {NEW}\n"
    assert second.result["changed"], "the upgrade ran, and ended with the same build"
    assert heard.result["msg"] == "heard"
    assert "Unknown error" not in stage.output


def test_an_account_that_was_made_before_its_host_was_refused_is_a_change(stage: Stage) -> None:
    """The account of the plays may make accounts, and write to no computer."""
    domain, name = stage.domain, f"msaT{secrets.token_hex(3)}"
    defaults = {"group/hybridjoin.odj.odj_directory": inventory.access(domain)}
    steps = stage.run([play("localhost", failing("odj_msa", name=name, host="odj01"), module_defaults=defaults)])
    with directory.connected(domain, "Administrator") as connection:
        entry = directory.find(connection, domain, f"{name}$")
        assert entry is not None
        connection.delete(entry["dn"])
    first, second = steps["localhost"]
    assert first.outcome == "failed"
    assert first.result["changed"] is True
    assert {part: [one["action"] for one in found] for part, found in first.result["progress"].items()} == {
        "done": ["create"],
        "in_doubt": [],
        "left": ["link_host"],
    }
    assert "Changed before this:" in first.message
    assert stage.output.count("Could not change msDS-HostServiceAccount") <= 4, "not its own cause again and again"
    assert second.result["changed"] is False, "the second run finds the account, and is refused the same"
