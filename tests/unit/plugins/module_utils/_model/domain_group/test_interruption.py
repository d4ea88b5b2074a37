# SPDX-License-Identifier: GPL-3.0-or-later
"""No path takes the last connector of a domain out of service, not for seconds."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.interruption import (
    Candidate,
    Permit,
    Refusal,
    Standing,
    interrupts,
    may_interrupt,
    standings,
)

STATES = ("", "unknown", "absent", "legacy", "awaiting_sign_in", "degraded", "healthy")
HEALTHY = Standing("odj01", "healthy", in_batch=True, interrupts=True)


def refused(group: list[Standing], target: str = "odj01") -> str:
    judged = may_interrupt(group, target)
    assert isinstance(judged, Refusal), judged
    assert judged.satisfied_by
    return f"{judged.sentence} {judged.satisfied_by}"


def test_a_healthy_peer_takes_over() -> None:
    judged = may_interrupt([HEALTHY, Standing("odj02", "healthy")], "odj01")
    assert judged == Permit("odj02 can take over meanwhile.")


def test_the_last_connector_of_a_domain_is_never_interrupted() -> None:
    """U1: ``absent`` on the only connector."""
    assert "odj01 is the only connector of its domain" in refused([HEALTHY])
    assert "only connector" in refused([HEALTHY, Standing("odj02", "absent")])
    assert "odj_allow_outage" in refused([HEALTHY])


@pytest.mark.parametrize("state", ["", "unknown", "legacy", "awaiting_sign_in", "degraded"])
def test_an_unknown_or_unhealthy_peer_refuses_even_beside_a_healthy_one(state: str) -> None:
    said = refused([HEALTHY, Standing("odj02", state), Standing("odj03", "healthy")])
    assert "odj02" in said
    assert "odj03" not in said
    assert (state in said) or state in ("", "unknown")


def test_of_one_batch_one_server_is_interrupted_and_the_others_are_told_of_serial() -> None:
    """U1: ``latest`` on three servers of a domain at once."""
    group = [Standing(f"odj0{place}", "healthy", in_batch=True, interrupts=True) for place in (1, 2, 3)]
    assert isinstance(may_interrupt(group, "odj01"), Permit)
    for target in ("odj02", "odj03"):
        said = refused(group, target)
        assert "in the same batch as odj01" in said
        assert "serial: 1" in said


def test_with_one_server_in_the_batch_each_in_turn_may_be_interrupted() -> None:
    for turn in ("odj01", "odj02", "odj03"):
        group = [Standing(name, "healthy", name == turn, name == turn) for name in ("odj01", "odj02", "odj03")]
        assert isinstance(may_interrupt(group, turn), Permit)


def test_a_plan_that_is_not_known_yet_refuses() -> None:
    """Under another strategy than linear the others may not have been planned yet."""
    said = refused([HEALTHY, Standing("odj02", "healthy", in_batch=True, interrupts=None)])
    assert "odj02 is not known yet" in said
    assert "linear" in said


@pytest.mark.parametrize("state", ["absent", "legacy", "awaiting_sign_in", "degraded"])
def test_a_connector_that_carries_nothing_may_be_worked_on(state: str) -> None:
    own = Standing("odj01", state, in_batch=True, interrupts=True, stopped=True)
    assert isinstance(may_interrupt([own], "odj01"), Permit)


def test_a_degraded_connector_whose_service_runs_is_not_taken_for_idle() -> None:
    """A list of OUs that lacks one, for instance: it still carries the joins of the others."""
    serving = Standing("odj01", "degraded", in_batch=True, interrupts=True)
    assert "only connector" in refused([serving])
    assert isinstance(may_interrupt([serving, Standing("odj02", "healthy")], "odj01"), Permit)
    running = {"type": "service_running", "status": "true"}
    for conditions, stopped in (
        ([running], False), ([{**running, "status": "false"}], True), ([{**running, "status": "unknown"}], False),
        ([None, {}], False), ("x", False), (None, False),
    ):  # fmt: skip
        look: dict[str, object] = {"server": {"state": "degraded", "conditions": conditions}}
        assert Candidate("odj01", "", look, {}, in_batch=True).standing().stopped is stopped


def test_a_server_that_is_down_anyway_does_not_take_the_turn_of_a_healthy_one() -> None:
    repaired = Standing("odj00", "absent", in_batch=True, interrupts=True)
    assert isinstance(may_interrupt([repaired, HEALTHY, Standing("odj02", "healthy")], "odj01"), Permit)


@pytest.mark.parametrize("state", ["", "unknown", "healthy"])
def test_an_outage_may_be_accepted(state: str) -> None:
    group = [Standing("odj01", state, True, True), Standing("odj02", "degraded", True, True)]
    assert isinstance(may_interrupt(group, "odj01"), Refusal)
    assert isinstance(may_interrupt(group, "odj01", allow_outage=True), Permit)


def test_whatever_the_states_never_are_two_permitted_and_never_the_last_one() -> None:
    """All groups of three servers with each state and plan."""
    kinds = [(state, plan) for state in STATES for plan in (True, False, None)]
    for chosen in itertools.product(kinds, repeat=3):
        group = [Standing(f"odj0{place}", state, True, plan) for place, (state, plan) in enumerate(chosen)]
        asking = [one for one in group if one.interrupts and not one.idle]
        permitted = [one for one in asking if isinstance(may_interrupt(group, one.name), Permit)]
        assert len(permitted) <= 1
        for one in permitted:
            others = [peer.state for peer in group if peer is not one]
            assert "healthy" in others
            assert set(others) <= {"healthy", "absent"}


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        ({}, None),
        ({"plan": None}, None),
        ({"plan": {"changes": []}}, False),
        ({"plan": {"changes": [{"action": "install", "interrupts": False}]}}, False),
        (
            {"plan": {"changes": [{"action": "install", "interrupts": False}, {"action": "x", "interrupts": True}]}},
            True,
        ),
        ({"plan": {"changes": [{"action": "install"}]}}, True),  # nobody says that it does not
        ({"plan": {"changes": [{"action": "replace_file", "interrupts": True}]}}, True),
    ],
)
def test_what_a_plan_says_about_interruptions(result: dict[str, object], wanted: bool | None) -> None:
    assert interrupts(result) is wanted


def candidate(name: str, domain: str, seen: str | None, state: str = "healthy") -> Candidate:
    look = {"server": {"host": {"domain": seen}, "state": state}} if seen else {"unreachable": True}
    return Candidate(name, domain, look, {}, in_batch=False)


def test_the_group_of_an_interruption_is_by_the_domain_that_was_seen() -> None:
    found = standings(
        [
            candidate("odj01", "", "contoso.test"),
            candidate("odj02", "", "CONTOSO.TEST"),
            candidate("odj11", "", "fabrikam.test"),
            candidate("odj12", "fabrikam.test", None),
            candidate("odj03", "contoso.test", None),
            candidate("odj99", "", None),
        ],
        "odj01",
    )
    assert [(one.name, one.state) for one in found] == [
        ("odj01", "healthy"),
        ("odj02", "healthy"),
        ("odj03", ""),
        ("odj99", ""),
    ]
