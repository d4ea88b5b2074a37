# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a run needs, where, for what and since when."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import lines_of, sign_ins_of


def member(name: str, state: str) -> Member:
    return Member(name, "contoso.test", "", (), f"{name}.contoso.test" if state else "", state, "")


STATES = ("", "unknown", "absent", "legacy", "awaiting_sign_in", "degraded", "healthy")
ALL = [member(f"odj-{state}", state) for state in STATES]


@pytest.mark.parametrize(("byo", "model"), [(False, "wizard"), (True, "byo")])
def test_only_a_sign_in_that_helps_is_asked_for(byo: bool, model: str) -> None:
    (one,) = sign_ins_of(ALL, byo=byo, since={"odj-awaiting_sign_in": "2026-11-28T08:00:00Z"})
    assert set(one) == {"server", "domain", "account_model", "who", "where", "steps", "since"}
    assert (one["server"], one["where"]) == ("odj-awaiting_sign_in", "odj-awaiting_sign_in.contoso.test")
    assert (one["account_model"], one["since"]) == (model, "2026-11-28T08:00:00Z")
    assert ("msDS-ManagedServiceAccount" in str(one["who"])) != byo


def test_a_check_run_lists_what_would_be_installed() -> None:
    assert [one["server"] for one in sign_ins_of(ALL, byo=False, since={}, to_come=["odj-absent"])] == [
        "odj-absent",
        "odj-awaiting_sign_in",
    ]


def test_who_and_how_are_said_once_for_all_servers() -> None:
    found = sign_ins_of([member("odj01", "awaiting_sign_in"), member("odj02", "awaiting_sign_in")], byo=False, since={})
    lines = lines_of(found)
    assert lines[0] == "A person has to sign in at: odj01 (odj01.contoso.test), odj02 (odj02.contoso.test)."
    assert len([line for line in lines if "Intune Administrator" in line]) == 1
    assert lines_of([]) == []
