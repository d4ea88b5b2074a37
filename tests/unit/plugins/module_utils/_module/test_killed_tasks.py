# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that are killed right before or right after any of their writes: run again, they get where they were to get."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import ACCOUNT, MSA, READ
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

UNITS = [f"OU={name},{BASE}" for name in ("A", "B", "C")]
HOST = f"CN=ODJ01,CN=Users,{BASE}"
HERE = f"CN=msaODJ1,{MSA_CONTAINER}"
Task = Callable[[FakeDirectory, Path], dict[str, t.Any]]


class Killed(BaseException):
    """The process ends: nothing that comes behind in it is done."""


def scene(*, account: bool = False) -> FakeDirectory:
    directory = FakeDirectory()
    for unit in UNITS:
        directory.unit(unit, READ)
    directory.account(f"{ACCOUNT}$", cls=MSA, parent=MSA_CONTAINER)
    directory.account("ODJ01$", cls=("top", "computer"))
    if account:
        run(msa, directory, name="msaODJ1", host="odj01")
        sid = Sid.from_bytes(directory.value(HERE, "objectSid") or b"")
        for unit in UNITS:
            directory.unit(unit, READ, RIGHTS["create_computer"].parts[0].rule(sid, subtree=False).to_ace())
    return directory


def delegation(directory: FakeDirectory, path: Path) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {"organizational_units": UNITS, "accounts": [ACCOUNT], "backup_path": str(path)}
    return run(ou_delegate, directory, **given)


def account(directory: FakeDirectory, path: Path) -> dict[str, t.Any]:
    return run(msa, directory, name="msaODJ1", host="odj01", description="x")


def removal(directory: FakeDirectory, path: Path) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {"remove_delegations": UNITS, "backup_path": str(path), "force": True}
    return run(msa, directory, name="msaODJ1", state="absent", **given)


CASES: dict[str, tuple[Task, bool, int]] = {"delegation": (delegation, False, 3), "account": (account, False, 2),
                                            "removal": (removal, True, 4)}  # fmt: skip


def killing(directory: FakeDirectory, at: int, *, before: bool) -> pytest.MonkeyPatch:
    """Let the process end at a write, counted from 0."""
    patch, number = pytest.MonkeyPatch(), iter(range(1 << 16))

    def wrapped(do: Callable[..., None]) -> Callable[..., None]:
        def write(*arguments: t.Any, **named: t.Any) -> None:
            mine = next(number) == at
            if mine and before:
                raise Killed
            do(*arguments, **named)
            if mine:
                raise Killed

        return write

    for name in ("modify", "add", "delete"):
        patch.setattr(directory, name, wrapped(getattr(directory, name)))
    return patch


def world(directory: FakeDirectory) -> dict[str, t.Any]:
    """Return what the directory holds, but for how often it was written."""
    return {
        entry.dn: {name: items for name, items in entry.values.items() if name != "replpropertymetadata"}
        for entry in directory._objects.values()
    }


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("case", "at"), [(case, at) for case, (_task, _account, writes) in CASES.items() for at in range(writes)]
)
def test_a_task_that_was_killed_at_any_write_gets_there_when_it_runs_again(
    tmp_path: Path, case: str, at: int, before: bool
) -> None:
    task, has_account, writes = CASES[case]
    undisturbed = scene(account=has_account)
    whole = task(undisturbed, tmp_path / "undisturbed.json")
    assert len(whole["plan"]["changes"]) == writes
    directory, path = scene(account=has_account), tmp_path / "points.json"
    original = world(directory)
    patch = killing(directory, at, before=before)
    with pytest.raises(Killed):
        task(directory, path)
    patch.undo()
    done = at if before else at + 1
    again = task(directory, path)
    assert world(directory) == world(undisturbed)
    assert len(again["plan"]["changes"]) == writes - done, "the plan of the second run is what the first one left"
    assert task(directory, path)["changed"] is False
    if case == "delegation":
        told = {row["organizational_unit"] for row in again["delegations"] if row["state"] == "present"}
        assert told == set(UNITS[:done]), "what the first run did is told as present, and what the second did as added"
        assert [one["organizational_unit"] for one in again["interrupted"]] == UNITS[:done]
        assert task(directory, path)["interrupted"] == []
        given: dict[str, t.Any] = {"organizational_units": UNITS, "backup_path": str(path)}
        assert run(ou_delegate, directory, state="restored", **given)["changed"]
        assert world(directory) == original, "the changes of both runs are put back"
