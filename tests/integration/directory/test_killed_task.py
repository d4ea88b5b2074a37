# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is killed between two writes, with a real directory and a real file of restore points."""

from __future__ import annotations

import multiprocessing
import os
import signal
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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

PATIENCE = 300  # seconds for what takes one
SURVIVES = 2  # writes whose answers have come when the process ends


class Mortal:
    """A directory whose process is killed before a write, when the ones before it have been answered."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._written = 0

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._directory, name)

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        for procedure in procedures:  # one after the other, so that each is answered before the next one begins
            yield from self._directory.run_all([self._mortal(procedure)])

    def _mortal(self, procedure: Procedure[T]) -> Procedure[T]:
        answer: Entry | None = None
        try:
            while True:
                step = procedure.send(answer)
                if isinstance(step, Write) and self._written == SURVIVES:
                    os.kill(os.getpid(), signal.SIGKILL)
                answer = yield step
                self._written += isinstance(step, Write)
        except StopIteration as done:
            return t.cast(T, done.value)


def delegate(params: dict[str, t.Any]) -> None:
    """Delegate in a process that is killed meanwhile."""

    @contextmanager
    def mortal(settings: Settings, clock: Clock) -> Iterator[Directory]:
        with open_directory(settings, clock) as directory:
            yield t.cast(Directory, Mortal(directory))

    with ou_delegate.open_job(params, mortal) as job:
        carry_out(job, check_mode=False)


def test_the_run_after_a_kill_goes_on_says_what_was_done_and_can_be_undone(
    task: Task, options: dict[str, t.Any], power: dict[str, str], yard: str, accounts: dict[str, str],
    administrator: ldap3.Connection, whole_descriptor: Callable[[str], bytes], tmp_path: Path,
) -> None:  # fmt: skip
    units = [f"OU=Killed {number},{yard}" for number in range(4)]
    for unit in units:
        administrator.add(unit, "organizationalUnit")
    before = [whole_descriptor(unit) for unit in units]
    backup = {"backup_path": str(tmp_path / "points.json"), "organizational_units": units}
    given = {**power, **backup, "accounts": list(accounts)[:1]}
    defaults = {name: option.get("default") for name, option in ou_delegate.SPEC["argument_spec"].items()}
    process = multiprocessing.get_context("spawn").Process(target=delegate, args=({**defaults, **options, **given},))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    again = task(ou_delegate, **given)
    assert [change["target"] for change in again["plan"]["changes"]] == units[SURVIVES:]
    assert [one["organizational_unit"] for one in again["interrupted"]] == units[:SURVIVES]
    assert [row["state"] for row in again["delegations"]] == [*["present"] * SURVIVES, *["added"] * SURVIVES]
    once_more = task(ou_delegate, **given)
    assert (once_more["changed"], once_more["interrupted"]) == (False, [])
    assert task(ou_delegate, state="restored", **{**power, **backup})["changed"]
    assert [whole_descriptor(unit) for unit in units] == before
