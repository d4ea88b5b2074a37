# SPDX-License-Identifier: GPL-3.0-or-later
"""The OU list: what is kept, added and taken out."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import (
    check_ous,
    desired_ou_list,
    join_ou_list,
    split_ou_list,
)

HELD = ["ou=b,dc=x", r"OU=Lab\2C North,DC=x", "no dn"]


@pytest.mark.parametrize(
    ("state", "ous", "result"),
    [
        ("present", ["OU=B,DC=X", "OU=New,DC=x"], [*HELD, "OU=New,DC=x"]),
        ("exact", ["OU=New,DC=x", r"OU=Lab\, North,DC=x"], [r"OU=Lab\2C North,DC=x", "OU=New,DC=x"]),
        ("exact", [], []),
        ("exact", ["OU=B,DC=x", r"ou=lab\, north,dc=x"], HELD[:2]),
        ("absent", ["OU=B,DC=x", "OU=None,DC=x"], HELD[1:]),
        ("absent", [], HELD),
    ],
)
def test_names_compare_as_names(state: str, ous: list[str], result: list[str]) -> None:
    assert desired_ou_list(HELD, ous, state) == result


@pytest.mark.parametrize("bad", ["OU=A", '"OU=A,DC=x"', "Autopilot", "", "OU=A,,DC=x", "OU=A;OU=B,DC=x"])
def test_a_malformed_name_is_refused_by_name(bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_ous(["OU=Good,DC=x", bad])
    assert caught.value.on == bad


def test_repetitions_count_once() -> None:
    assert check_ous([" OU=A,DC=x ", "ou=a,dc=X"]) == ["OU=A,DC=x"]


def test_the_list_splits_at_semicolons_that_are_not_escaped() -> None:
    assert split_ou_list(r" OU=A,DC=x ;;OU=B\;C,DC=x;OU=D\\;OU=E") == ["OU=A,DC=x", r"OU=B\;C,DC=x", r"OU=D\\", "OU=E"]
    assert join_ou_list([r"OU=B\;C,DC=x", "OU=E"]) == r"OU=B\3BC,DC=x;OU=E"
