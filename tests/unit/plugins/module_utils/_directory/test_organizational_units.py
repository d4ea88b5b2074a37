# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, refused
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import (
    SIBLINGS,
    read_units,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, FakeDirectory


def read(directory: FakeDirectory, *names: str) -> list[str]:
    found = read_units(directory, [Dn.parse(name) for name in names])
    assert all(unit.descriptor for unit in found.values())
    return [unit.dn for unit in found.values()]


@pytest.mark.parametrize(("count", "searches"), [(SIBLINGS - 1, SIBLINGS - 1), (SIBLINGS, 1)])
def test_many_children_of_one_parent_are_read_at_once(count: int, searches: int) -> None:
    directory = FakeDirectory()
    names = [directory.unit(f"OU=x{n},{BASE}") for n in range(count)]
    assert sorted(read(directory, *(name.lower() for name in names))) == sorted(names)
    assert directory.counts["search"] == searches


def test_what_a_search_below_the_parent_does_not_yield_is_read_by_name() -> None:
    directory = FakeDirectory()
    others = [directory.unit(f"OU=a{n},{BASE}") for n in range(2 * SIBLINGS + 1)]
    names = [directory.unit(f"OU=z{n},{BASE}") for n in range(SIBLINGS)]
    assert sorted(read(directory, *names, others[0], f"OU=none,{BASE}")) == sorted([*names, others[0]])


def test_a_parent_that_is_not_there_leaves_nothing() -> None:
    names = [f"OU=x{n},OU=none,{BASE}" for n in range(SIBLINGS)]
    assert read(FakeDirectory(), *names) == []


@pytest.mark.parametrize(("code", "raised"), [(10, False), (34, False), (50, True), (51, True)])
def test_only_that_it_is_not_here_is_no_error(code: int, raised: bool) -> None:
    directory = FakeDirectory()
    name = directory.unit(f"OU=x,{BASE}")
    directory.refuse_reading[name] = refused("search the directory", name, code, "x", "")
    if not raised:
        assert read(directory, name) == []
        return
    with pytest.raises(DirectoryError) as caught:
        read(directory, name)
    assert caught.value.code == code
