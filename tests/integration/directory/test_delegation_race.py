# SPDX-License-Identifier: GPL-3.0-or-later
"""Two controllers that delegate on the same OU at the same time: both entries are there in the end, every time.

Each controller is a process of its own with a connection of its own. A pair starts each round together, behind a
barrier; several pairs run side by side, so that the machine is busy and the two of a pair come apart now and then.
"""

from __future__ import annotations

import multiprocessing
import typing as t
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier

import ldap3

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory, Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import carry_out
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

ROUNDS = 200
PAIRS = 5
PATIENCE = 600  # seconds for what takes twenty in all


class Held:
    """A directory whose first write waits until the other controller is about to write, too: both have read by then."""

    def __init__(self, directory: Directory, barrier: Barrier) -> None:
        self._directory = directory
        self._barrier = barrier
        self._met = False

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._directory, name)

    def run_all(self, procedures: Iterable[Generator[t.Any, t.Any, t.Any]]) -> Iterator[t.Any]:
        return self._directory.run_all(self._held(procedure) for procedure in procedures)

    def _held(self, procedure: Generator[t.Any, t.Any, t.Any]) -> Generator[t.Any, t.Any, t.Any]:
        try:
            step = next(procedure)
            while True:
                if hasattr(step, "changes") and not self._met:
                    self._met = True
                    self._barrier.wait(PATIENCE)
                try:
                    answer = yield step
                except OdjError as problem:
                    step = procedure.throw(problem)
                else:
                    step = procedure.send(answer)
        except StopIteration as done:
            return done.value


def controller(
    params: dict[str, t.Any], units: list[str], barrier: Barrier, told: multiprocessing.Queue[dict[str, t.Any]]
) -> None:
    """Delegate on each unit in turn, each time when the other controller is ready to do the same.

    On the first one they meet for certain; how often on the others is up to the machine.
    """

    @contextmanager
    def held(settings: Settings) -> Iterator[Directory]:
        with open_directory(settings) as directory:
            yield t.cast(Directory, Held(directory, barrier))

    again: list[str] = []
    for unit in units:
        barrier.wait(PATIENCE)
        opened = held if unit == units[0] else open_directory
        with ou_delegate.open_job({**params, "organizational_units": [unit]}, opened) as job:
            result = carry_out(job, check_mode=False)
        again += t.cast("list[str]", result["written_again"])
    told.put({"account": params["accounts"][0], "again": len(again)})


def test_both_entries_survive_two_hundred_races(
    domain: Domain,
    options: dict[str, t.Any],
    task: Task,
    yard: str,
    accounts: dict[str, str],
    administrator: ldap3.Connection,
) -> None:
    units = [f"OU=Race {number},{yard}" for number in range(ROUNDS)]
    entry = acl.allow(lab_directory.sid_of(administrator, domain, "odj-automation"), acl.WRITE_DAC)
    for unit in units:
        administrator.add(unit, "organizationalUnit")
        acl.grant(administrator, unit, entry)
    spec = ou_delegate.SPEC["argument_spec"]
    params = {**{name: option.get("default") for name, option in spec.items()}, **options}
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([ou_delegate.__name__])
    told: multiprocessing.Queue[dict[str, t.Any]] = start.Queue()
    barriers = [start.Barrier(2) for __ in range(PAIRS)]
    work = [
        ({**params, "accounts": [account]}, units[pair::PAIRS], barrier, told)
        for pair, barrier in enumerate(barriers)
        for account in accounts
    ]
    controllers = [start.Process(target=controller, args=arguments, daemon=True) for arguments in work]
    for process in controllers:
        process.start()
    reports = [told.get(timeout=PATIENCE) for __ in controllers]
    for process in controllers:
        process.join(PATIENCE)
    assert [process.exitcode for process in controllers] == [0] * len(controllers)
    found = task(ou_delegate, check=True, organizational_units=units, accounts=list(accounts))
    missing = [d for d in found["delegations"] if d["state"] != "present" or d["broader"]]
    assert missing == []
    assert len(found["delegations"]) == 2 * ROUNDS
    assert sum(report["again"] for report in reports) >= PAIRS, "they never met: this was no race"
