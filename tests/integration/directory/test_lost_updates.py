# SPDX-License-Identifier: GPL-3.0-or-later
"""A write that arrives late and overwrites another one, in a real directory."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import ldap3

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    Directory,
    Entry,
    Procedure,
    Settings,
    T,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task

NOTHING: dict[str, list[str]] = {"possible": [], "not_checked": []}


class Late:
    """A directory whose first write is on its way while something else happens."""

    def __init__(self, directory: Directory, meanwhile: Callable[[], object]) -> None:
        self._directory = directory
        self._meanwhile = [meanwhile]

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._directory, name)

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        return self._directory.run_all(map(self._late, procedures))

    def _late(self, procedure: Procedure[T]) -> Procedure[T]:
        answer: Entry | None = None
        try:
            while True:
                step = procedure.send(answer)
                if isinstance(step, Write) and self._meanwhile:
                    self._meanwhile.pop()()
                answer = yield step
        except StopIteration as done:
            return t.cast(T, done.value)


def test_a_late_write_that_overwrote_another_one_is_told_by_the_directorys_own_count(
    task: Task, options: dict[str, t.Any], power: dict[str, str], yard: str, accounts: dict[str, str],
    administrator: ldap3.Connection,
) -> None:  # fmt: skip
    unit, (first, second) = f"OU=Late,{yard}", accounts
    administrator.add(unit, "organizationalUnit")
    spec = ou_delegate.SPEC["argument_spec"]
    params = {**{name: option.get("default") for name, option in spec.items()}, **options, **power}
    others: list[dict[str, t.Any]] = []

    def other() -> None:
        others.append(task(ou_delegate, organizational_units=[unit], accounts=[second], **power))

    @contextmanager
    def late(settings: Settings, clock: Clock) -> Iterator[Directory]:
        with open_directory(settings, clock) as directory:
            yield t.cast(Directory, Late(directory, other))

    with ou_delegate.open_job({**params, "organizational_units": [unit], "accounts": [first]}, late) as job:
        done: t.Any = carry_out(job, check_mode=False)
    assert (others[0]["changed"], others[0]["lost_updates"]) == (True, NOTHING), "it was finished, and knows of nothing"
    assert done["lost_updates"] == {"possible": [unit], "not_checked": []}
    assert unit in done["warnings"][0]
    found = task(ou_delegate, check=True, organizational_units=[unit], accounts=[first, second], **power)
    assert [row["state"] for row in found["delegations"]] == ["present", "added"], "the other one's entry is lost"


def test_a_list_that_passes_entries_on_below_alarms_nobody(
    task: Task, power: dict[str, str], yard: str, accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    """What a domain controller does to the lists below, because one above was written, is no write of somebody."""
    units = [f"OU=Below,OU=Above,{yard}", f"OU=Above,{yard}", f"OU=Deep,OU=Below,OU=Above,{yard}"]
    for unit in sorted(units, key=len):
        administrator.add(unit, "organizationalUnit")
    for state in ("present", "absent"):
        done = task(
            ou_delegate, organizational_units=units, accounts=list(accounts), state=state, applies_to="subtree", **power
        )
        assert done["changed"]
        assert done["lost_updates"] == NOTHING
