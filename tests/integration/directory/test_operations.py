# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of the directory: planned here, brought as JSON to another process, and performed there."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import types
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.operation_json import (
    operation_from_json,
    operation_to_json,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    Fence,
    RestartServer,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_changes import DirectoryChanges
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab.settings import Domain

PATIENCE = 300  # seconds for what takes one


def perform(text: str, settings: dict[str, t.Any]) -> None:
    """Perform operations that somebody else planned."""
    with open_directory(Settings(**settings), SystemClock()) as directory:
        door = DirectoryChanges(DomainLookup(directory), "", None)
        for data in json.loads(text):
            door.perform(operation_from_json(data))


@pytest.fixture
def planned(options: dict[str, t.Any], power: dict[str, str]) -> Callable[..., str]:
    """Plan as a task does, and return the operations as JSON."""

    def plan(module: types.ModuleType, **given: t.Any) -> str:
        defaults = {name: option.get("default") for name, option in module.SPEC["argument_spec"].items()}
        with module.open_job({**defaults, **options, **power, **given}) as job:
            return json.dumps([operation_to_json(one) for one in job.plan().changes])

    return plan


@pytest.fixture
def elsewhere(options: dict[str, t.Any], power: dict[str, str]) -> Callable[[str], None]:
    """Perform operations in a process that knows nothing but them."""

    def run(text: str) -> None:
        process = multiprocessing.get_context("spawn").Process(target=perform, args=(text, {**options, **power}))
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == 0

    return run


def test_access_lists(
    task: Task, power: dict[str, str], yard: str, accounts: dict[str, str], administrator: ldap3.Connection,
    planned: Callable[..., str], elsewhere: Callable[[str], None], whole_descriptor: Callable[[str], bytes],
    tmp_path: Path,
) -> None:  # fmt: skip
    units = [f"OU=Direct,{yard}", f"OU=Through JSON,{yard}"]
    for unit in units:
        administrator.add(unit, "organizationalUnit")
    before = whole_descriptor(units[0])
    backup = {"backup_path": str(tmp_path / "points.json")}
    steps: list[dict[str, t.Any]] = [
        {"accounts": list(accounts), "applies_to": "subtree"},
        {"accounts": list(accounts)[:1], "state": "absent", "applies_to": "subtree"},
        {"state": "restored", **backup},
    ]
    for step in steps:
        if step.get("state") == "restored":  # the one by one change that it puts back
            task(ou_delegate, organizational_units=units, accounts=list(accounts)[:1], **backup, **power)
        text = planned(ou_delegate, organizational_units=[units[1]], **step)
        assert len(json.loads(text)) == 1
        assert task(ou_delegate, organizational_units=[units[0]], **step, **power)["changed"]
        elsewhere(text)
        lists = [whole_descriptor(unit) for unit in units]
        assert lists[0] == lists[1]
        assert lists[0] != before


@pytest.fixture
def twins(domain: Domain, administrator: ldap3.Connection) -> Iterator[tuple[str, str]]:
    """Give two names of the same length for accounts; who has them in the end goes."""
    names = tuple(f"msaT{letter}{secrets.token_hex(3)}" for letter in "ab")
    yield t.cast("tuple[str, str]", names)
    for name in names:
        entry = lab_directory.find(administrator, domain, f"{name}$")
        if entry:
            administrator.delete(entry["dn"])


def test_accounts_and_their_hosts(
    task: Task, power: dict[str, str], yard: str, administrator: ldap3.Connection, twins: tuple[str, str],
    planned: Callable[..., str], elsewhere: Callable[[str], None],
) -> None:  # fmt: skip
    host = f"T{secrets.token_hex(5)}".upper()
    administrator.add(f"CN={host},{yard}", "computer", {"sAMAccountName": f"{host}$", "userAccountControl": 4096})
    steps: list[tuple[str, dict[str, t.Any]]] = [
        ("CreateAccount", {"description": "Für den Connector"}),
        ("ModifyAccount", {"description": "", "enabled": False}),
        ("LinkHost", {"host": host}),
        ("UnlinkHost", {"hosts": {"set": []}}),
        ("DeleteAccount", {"state": "absent"}),
    ]
    for kind, step in steps:
        text = planned(msa, name=twins[1], **step)
        assert [one["operation"] for one in json.loads(text)] == [kind]
        assert task(msa, name=twins[0], **step, **power)["changed"]
        elsewhere(text)
        found = [task(msa, check=True, name=name, **step, **power) for name in twins]
        assert [one["changed"] for one in found] == [False, False]
        assert told(found[0], twins[0]) == told(found[1], twins[1])


def told(result: dict[str, t.Any], name: str) -> str:
    """Return what a result says of an account, but for what no two accounts share."""
    own = {"sid", "created", "password_set", "password_last_set"}
    return json.dumps({n: v for n, v in result["service_account"].items() if n not in own}).replace(name, "NAME")


def test_a_list_that_is_another_one_by_then_is_left_as_it_is(
    task: Task, power: dict[str, str], yard: str, accounts: dict[str, str], administrator: ldap3.Connection,
    planned: Callable[..., str], opened: Open, whole_descriptor: Callable[[str], bytes],
) -> None:  # fmt: skip
    unit, (first, second) = f"OU=Stale,{yard}", accounts
    administrator.add(unit, "organizationalUnit")
    (data,) = json.loads(planned(ou_delegate, organizational_units=[unit], accounts=[first]))
    task(ou_delegate, organizational_units=[unit], accounts=[second], **power)
    before = whole_descriptor(unit)
    with opened(**power) as directory:
        door = DirectoryChanges(DomainLookup(directory), "", None)
        with pytest.raises(OdjError, match=r"another one than the operation was planned for.*Plan again"):
            door.perform(operation_from_json(data))
        with pytest.raises(InvalidInput, match="no fence"):
            door.perform(operation_from_json(data), Fence("nightly", 1))
        restart = RestartServer(target="odj01", before="", after="", summary="x", reason="x")
        with pytest.raises(InvalidInput, match="none of the directory's"):
            door.perform(restart)
    assert whole_descriptor(unit) == before
