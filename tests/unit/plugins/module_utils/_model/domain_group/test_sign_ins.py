# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a run needs, where, for what and since when."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import (
    awaiting,
    left_lines,
    lines_of,
    sign_ins_of,
)


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


def test_what_an_earlier_sign_in_leaves_is_mentioned() -> None:
    """U16."""
    found = sign_ins_of([member("odj01", "awaiting_sign_in")], byo=False, since={})
    assert "earlier service account" in lines_of(found)[-1]


def test_a_server_that_has_left_the_play_is_named_with_what_intune_shows() -> None:
    rows = [{"display_name": "ODJ01", "state": "error", "last_connection_date_time": "2026-11-27T08:00:00Z"}, "odd"]
    left = [member("odj01", "degraded"), member("odj02", "")]
    assert left_lines(left, rows) == [
        "odj01 has left the play before its end. Intune shows it as error, last contact 2026-11-27T08:00:00Z.",
        "odj02 has left the play before its end. Intune does not show it.",
    ]
    assert left_lines(left, []) == [
        "odj01 has left the play before its end.",
        "odj02 has left the play before its end.",
    ]


def test_a_name_that_netbios_cuts_is_found() -> None:
    long = Member("contoso-odjconn01", "contoso.test", "", (), "", "degraded", "")
    (line,) = left_lines([long], [{"display_name": "CONTOSO-ODJCONN", "state": "active"}])
    assert "Intune shows it as active, last contact never" in line


def test_who_is_waited_for_is_who_has_only_the_sign_in_missing() -> None:
    assert awaiting(ALL) == ["odj-awaiting_sign_in"]
