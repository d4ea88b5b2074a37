# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    ListChange,
    list_change_from,
)

NAMES = st.lists(st.sampled_from("abcdef")).map(tuple)


def test_what_an_edit_makes_of_a_list() -> None:
    assert ListChange(("c", "a", "c")).apply_to("ab") == ("a", "c")
    nothing: ListChange[str] = ListChange(())
    assert nothing.apply_to("ab") == ()
    assert ListChange(None, ("c", "a"), ("b",)).apply_to("ab") == ("a", "c")
    assert ListChange(None, remove=("x",)).apply_to("ab") == ("a", "b")


@given(NAMES, st.none() | NAMES, NAMES, NAMES)
def test_an_edit_done_twice_changes_nothing_more(
    current: tuple[str, ...], exactly: tuple[str, ...] | None, add: tuple[str, ...], remove: tuple[str, ...]
) -> None:
    edit = ListChange(exactly, add, remove)
    once = edit.apply_to(current)
    assert edit.apply_to(once) == once
    assert len(set(once)) == len(once)
    assert not set(once) & set(remove)


@pytest.mark.parametrize("value", [None, {}, {"set": None, "add": None, "remove": None}])
def test_nothing_is_asked_for(value: dict[str, list[str] | None] | None) -> None:
    assert list_change_from("hosts", value) is None


def test_an_empty_set_is_something() -> None:
    assert list_change_from("hosts", {"set": []}) == ListChange(())
    assert list_change_from("hosts", {"add": ["a"], "set": None}) == ListChange(None, ("a",))


@pytest.mark.parametrize("value", [{"set": ["a"], "add": ["b"]}, {"add": ["A", "b"], "remove": ["a"]}])
def test_edits_that_contradict_themselves(value: dict[str, list[str] | None]) -> None:
    with pytest.raises(InvalidInput, match="hosts"):
        list_change_from("hosts", value)
