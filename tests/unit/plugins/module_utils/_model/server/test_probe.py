# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot as data: what goes out comes back, and what is none is refused."""

from __future__ import annotations

import json
import typing as t
from datetime import timedelta

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import facts_of, probes_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot, ask_file, ask_host
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import ALL, FakeWindows

LATER = NOON + timedelta(hours=1)


def test_a_snapshot_comes_back_from_json_as_it_was() -> None:
    server = FakeWindows(broken={"certificate"})
    seen = server.ask(probes_of(ALL)).merged(server.ask([ask_file("config_0", r"D:\elsewhere")]))
    assert len(seen.superseded) == 1
    again = Snapshot.from_json(json.loads(json.dumps(seen.to_json())))
    assert again == seen
    assert facts_of(again, ALL) == facts_of(seen, ALL)
    assert seen.to_json()["boot_time"] == seen.value("host").text("boot_time")


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": "1"},
        {"schema": None},
        {"asked_at": None},
        {"asked_at": "noon"},
        {"answered_at": "2026-11-24T12:00:00"},
        {"answered_at": ["2026-11-24T12:00:00+00:00"]},
    ],
)
def test_what_is_no_snapshot_is_refused(change: dict[str, t.Any]) -> None:
    given = {**FakeWindows().ask([ask_host("host")]).to_json(), **change}
    with pytest.raises(InvalidInput, match="option snapshot"):
        Snapshot.from_json(given)


@pytest.mark.parametrize("part", ["answers", "questions"])
@pytest.mark.parametrize("value", [None, [], "x", {"host": None}, {"host": []}])
def test_a_snapshot_without_sense_holds_no_answer(part: str, value: object) -> None:
    given = {**FakeWindows().ask([ask_host("host")]).to_json(), part: value}
    snapshot = Snapshot.from_json(given)
    assert not snapshot.holds(ask_host("host")) or not snapshot.answered("host")


def test_only_the_very_same_question_is_answered() -> None:
    server = FakeWindows(files={r"C:\a": b"a"})
    seen = server.ask([ask_file("it", r"C:\a")])
    assert seen.holds(ask_file("it", r"C:\a"))
    assert not seen.holds(ask_file("it", r"C:\b"))
    assert not seen.holds(ask_file("it", r"C:\a", content=10))
    assert seen.only([ask_file("it", r"C:\b")]).answers == {}


def test_a_question_that_gave_its_id_away_is_still_answered() -> None:
    server = FakeWindows(files={r"C:\a": b"a"})
    first, second = ask_file("it", r"C:\a"), ask_file("it", r"C:\b")
    both = server.ask([first]).merged(server.ask([second]))
    assert both.only([first]).value("it").flag("exists") is True
    assert both.value("it").flag("exists") is False
    assert both.only([first, second]).answers == both.answers


def test_the_clock_of_two_snapshots_is_that_around_the_host() -> None:
    host, other = ask_host("host"), ask_file("it", r"C:\a")
    server = FakeWindows()
    early = server.ask([host])
    server.clock.sleep(3600)
    late = server.ask([other])
    assert (early.merged(late).asked_at, late.merged(server.ask([host])).answered_at) == (NOON, LATER)
    assert early.merged(server.ask([host])).asked_at == LATER
