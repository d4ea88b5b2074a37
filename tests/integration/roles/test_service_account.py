# SPDX-License-Identifier: GPL-3.0-or-later
"""The role service_account with an account of your own, shared by two servers."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import Stage, Step, task, thrice, unchanged
from odj_lab import audit, directory, inventory
from odj_lab import directory_acl as acl
from odj_lab.directory_acl import sid_text

NAME, SERVERS = "gmsaTestODJ", ("odj01", "odj02")
RIGHT = "SeServiceLogonRight"
ACCOUNT = {
    "service_account_model": "byo",
    "service_account_name": NAME,
    "service_account_dns_host_name": "gmsatestodj.contoso.test",
    "service_account_allowed_readers": ["ODJ01$", "ODJ02$"],
}


@pytest.fixture
def nobody(stage: Stage) -> Iterator[None]:
    """Remove the account afterwards, whatever the test has left."""
    yield
    with directory.connected(stage.domain, "Administrator") as connection:
        entry = directory.find(connection, stage.domain, f"{NAME}$")
        if entry:
            connection.delete(entry["dn"])


def play(stage: Stage, **keywords: t.Any) -> dict[str, t.Any]:
    """Return a play on both servers that knows the lab's directory."""
    defaults = {"group/hybridjoin.odj.odj_directory": inventory.access(stage.domain)}
    return {"hosts": ",".join(SERVERS), "gather_facts": False, "module_defaults": defaults, **keywords}


def run_role(stage: Stage, *words: str, **variables: object) -> dict[str, list[Step]]:
    role = {"role": "hybridjoin.odj.service_account"}
    return stage.run([play(stage, roles=[role])], *words, **{**ACCOUNT, **variables})


def any_changed(seen: dict[str, list[Step]]) -> bool:
    return any(step.result.get("changed") for steps in seen.values() for step in steps)


def outcomes(seen: dict[str, list[Step]]) -> set[str]:
    return {step.outcome for steps in seen.values() for step in steps}


def in_directory(stage: Stage) -> dict[str, t.Any] | None:
    names = ("objectClass", "objectSid", "dNSHostName", "msDS-GroupMSAMembership", "msDS-ManagedPasswordInterval")
    with directory.connected(stage.domain, "Administrator") as connection:
        return directory.find(connection, stage.domain, f"{NAME}$", *names)


@pytest.mark.usefixtures("nobody")
def test_a_group_account_is_made_once_and_may_log_on_everywhere(stage: Stage) -> None:
    before = {name: stage.state(name) for name in SERVERS}
    checked = run_role(stage, "--check", "--diff")
    assert outcomes(checked) <= {"ok", "skipped"}, stage.output
    assert any_changed(checked)
    assert in_directory(stage) is None
    assert all(unchanged(before[name], stage.state(name)) for name in SERVERS)

    done = run_role(stage, "--diff")
    assert outcomes(done) <= {"ok", "skipped"}, stage.output
    made = in_directory(stage)
    assert made is not None
    raw = made["raw_attributes"]
    assert b"msDS-GroupManagedServiceAccount" in raw["objectClass"]
    assert raw["dNSHostName"] == [b"gmsatestodj.contoso.test"]
    sid = sid_text(raw["objectSid"][0])
    for name in SERVERS:
        state = stage.state(name)
        assert state["user_rights"][RIGHT] == [*before[name]["user_rights"][RIGHT], sid]
        assert unchanged({**before[name], "user_rights": state["user_rights"]}, state)
    creators = [name for name, steps in done.items() if any("service_account" in step.result for step in steps)]
    assert creators == ["odj01"]

    descriptor = audit.descriptor(stage.domain, made["dn"])
    again = run_role(stage)
    assert outcomes(again) <= {"ok", "skipped"}, stage.output
    assert not any_changed(again)
    assert (in_directory(stage), audit.descriptor(stage.domain, made["dn"])) == (made, descriptor)


def tasks_of(stage: Stage, *tasks: dict[str, t.Any]) -> list[Step]:
    """Run tasks on the controller, once for both servers."""
    local = [{**one, "delegate_to": "localhost", "run_once": True} for one in tasks]
    return stage.run([play(stage, tasks=local)])["odj01"]


def allow_to_name_readers(stage: Stage) -> None:
    """Give odj-automation the right that the class itself does not give to whoever made an account."""
    domain = stage.domain
    with directory.connected(domain, "Administrator") as connection:
        entry = directory.find(connection, domain, f"{NAME}$")
        assert entry is not None
        sid = directory.sid_of(connection, domain, "odj-automation")
        attribute = directory.schema_guid(connection, domain, "msDS-GroupMSAMembership")
        acl.grant(connection, entry["dn"], acl.allow(sid, acl.WRITE_PROPERTY, attribute))


@pytest.mark.usefixtures("nobody")
def test_the_account_follows_its_description_and_goes_again(stage: Stage) -> None:
    options = {"name": NAME, "kind": "group", "dns_host_name": "gmsatestodj.contoso.test"}
    wide = {**options, "description": "changed", "allowed_readers": ["odj01", "CONTOSO\\ODJ02$"]}
    made, described, denied = tasks_of(
        stage,
        task("odj_msa", **options, allowed_readers=["ODJ01$"]),
        task("odj_msa", **options, description="changed"),
        task("odj_msa", **wide),
    )
    assert (made.changed, described.changed) == (True, True), stage.output
    assert described.result["service_account"]["description"] == "changed"
    assert "insufficientAccessRights" in denied.message
    assert "msDS-GroupMSAMembership" in denied.message

    allow_to_name_readers(stage)
    checked, done, same, check_gone, gone, still = tasks_of(
        stage,
        *thrice("odj_msa", **wide),
        *thrice("odj_msa", **options, state="absent"),
    )
    assert (checked.changed, done.changed, same.changed) == (True, True, False), stage.output
    readers = [len(step.result["service_account"]["allowed_readers"]) for step in (made, checked, done, same)]
    assert readers == [1, 1, 2, 2]
    assert (check_gone.changed, gone.changed, still.changed) == (True, True, False)
    assert [step.result["service_account"]["exists"] for step in (check_gone, gone, still)] == [True, False, False]
    assert in_directory(stage) is None


def test_bad_input_makes_nothing(stage: Stage) -> None:
    long, readers, no_name = (
        {"name": "n" * 16, "kind": "group", "dns_host_name": "a.contoso.test"},
        {"name": NAME, "kind": "group", "dns_host_name": "a.contoso.test", "allowed_readers": ["nobody-there"]},
        {"name": NAME, "kind": "group"},
    )
    too_long, unknown, nameless = tasks_of(stage, *(task("odj_msa", **one) for one in (long, readers, no_name)))
    assert "n" * 16 in too_long.message
    assert "nobody-there" in unknown.message
    assert "dns_host_name" in nameless.message
    assert in_directory(stage) is None
