# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    ListChange,
    ServiceAccountError,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.changes import host_links

DN = "CN=msa,DC=contoso,DC=test"
A, B, C = (f"CN={name},DC=contoso,DC=test" for name in "ABC")


def steps(kind: str, hosts: list[str], edit: ListChange[str], *, force: bool = False) -> list[tuple[str, str]]:
    return [(change.ACTION, change.target) for change in host_links(DN, kind, hosts, edit, force=force)]


@pytest.mark.parametrize(
    ("kind", "hosts", "edit", "expected"),
    [
        ("standalone", [], ListChange((A,)), [("link_host", A)]),
        ("standalone", [A], ListChange((A.lower(),)), []),
        ("standalone", [A], ListChange(()), [("unlink_host", A)]),
        ("standalone", [A], ListChange(None, (B,), (A,)), [("unlink_host", A), ("link_host", B)]),
        ("standalone", [A, B], ListChange(None, (), (B,)), [("unlink_host", B)]),
        ("group", [A], ListChange(None, (B, C)), [("link_host", B), ("link_host", C)]),
        ("group", [A, B], ListChange((B, C)), [("unlink_host", A), ("link_host", C)]),
    ],
)
def test_links(kind: str, hosts: list[str], edit: ListChange[str], expected: list[tuple[str, str]]) -> None:
    assert steps(kind, hosts, edit) == expected


@pytest.mark.parametrize("edit", [ListChange((B,)), ListChange(None, (B,)), ListChange(None, (B,), (C,))])
def test_a_standalone_account_is_taken_from_an_unnamed_computer_by_force_only(edit: ListChange[str]) -> None:
    with pytest.raises(ServiceAccountError, match=f"linked to {A}"):
        steps("standalone", [A], edit)
    assert steps("standalone", [A], edit, force=True) == [("unlink_host", A), ("link_host", B)]


@pytest.mark.parametrize("edit", [ListChange((A, B)), ListChange(None, (A, B))])
def test_a_standalone_account_works_on_one_computer(edit: ListChange[str]) -> None:
    with pytest.raises(ServiceAccountError, match="2 computers are named"):
        steps("standalone", [], edit, force=True)
    assert steps("standalone", [], ListChange((A, A.upper()))) == [("link_host", A)]
