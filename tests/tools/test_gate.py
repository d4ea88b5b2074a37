# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of phases hang together, on a computer with all Pythons and on one with the system's alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gate
import nightly
import pytest
from cache import Cache
from processes import Shell, Stop
from scheduler import Phase, Skipped, choose, priorities
from versions import CORES, Core
from workshop import Workshop, main_core

ROOT = Path(__file__).parents[2]
Table = Callable[[Workshop], list[Phase]]
TABLES = pytest.mark.parametrize("table", [gate.phases, nightly.phases], ids=["test", "nightly"])


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(ROOT, Cache(tmp_path), tmp_path)


@pytest.fixture
def poor(shop: Workshop) -> Workshop:
    """Return a workshop where the system's own Python is the only one."""
    own = shop.python_of(shop.main)
    assert own
    shop.pythons = {own.version: own}
    return shop


def without_python(shop: Workshop) -> list[Core]:
    return [core for core in CORES if shop.python_of(core) is None]


@TABLES
def test_what_a_phase_needs_is_in_the_table(shop: Workshop, table: Table) -> None:
    chosen = choose(table(shop), "", shop.phases())
    assert set(priorities(chosen)) == {phase.name for phase in chosen}


@TABLES
def test_names_are_used_once(shop: Workshop, table: Table) -> None:
    names = [phase.name for phase in [*table(shop), *shop.phases()]]
    assert len(names) == len(set(names))


@TABLES
def test_nothing_is_prepared_for_nobody(shop: Workshop, table: Table) -> None:
    chosen = choose(table(shop), "", shop.phases())
    needed = {need for phase in chosen for need in phase.needs}
    assert {phase.name for phase in shop.phases()} & {phase.name for phase in chosen} <= needed


@TABLES
def test_where_a_python_is_missing_the_phases_say_which(poor: Workshop, table: Table, tmp_path: Path) -> None:
    phases = {phase.name: phase for phase in choose(table(poor), "", poor.phases())}
    missing = without_python(poor)
    assert missing
    for core in missing:
        assert f"Python environment core-{core.version}" not in phases
        for name in (name for name in phases if name.endswith(f"core {core.version}")):
            assert phases[name].needs == ()
            with pytest.raises(
                Skipped, match=rf"ansible-core {core.version} needs Python [\d., or]+, which is not here"
            ):
                phases[name].work(Shell("nobody", tmp_path / "log", Stop(), 1))


def test_units_run_on_every_version_and_everything_else_on_the_main_one(shop: Workshop) -> None:
    names = {phase.name for phase in gate.phases(shop)}
    assert {f"units, core {core.version}" for core in CORES} <= names
    assert {f"sanity, core {core.version}" for core in CORES if core.sanity} <= names
    assert {f"plays in the lab, core {core.version}" for core in CORES if core.plays and core is not shop.main} <= names
    assert "integration tests in the lab" in names


def test_the_main_version_is_the_oldest_that_the_systems_python_carries(shop: Workshop) -> None:
    main, python = main_core(shop.pythons)
    assert python.is_system
    assert next(core for core in CORES if python.version in core.pythons) is main
