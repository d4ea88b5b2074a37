# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import itertools

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.intune.connectors import (
    Assessment,
    Expectation,
    IntuneConnector,
    assess,
    same_server,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import MINIMUM_BUILD

NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)


def row(name: str, last: str | None = "2026-11-24T11:50:00.1234567Z", **other: object) -> dict[str, object]:
    given = {"id": f"id-{name}-{last}", "displayName": name, "lastConnectionDateTime": last}
    return {**given, "state": "active", "version": "6.2604.2000.3", **other}


def assessed(*rows: dict[str, object], names: tuple[str, ...] = (), stale_after: int = 60) -> Assessment:
    expected = Expectation(names, MINIMUM_BUILD, datetime.timedelta(minutes=stale_after))
    return assess([IntuneConnector.from_row(each) for each in rows], expected, NOW)


def test_a_healthy_connector_is_told_in_full_and_raises_no_problem() -> None:
    seen = assessed(row("ODJ01"))
    assert seen.problems == ()
    assert seen.standings[0].to_json() == {
        "id": "id-ODJ01-2026-11-24T11:50:00.1234567Z",
        "display_name": "ODJ01",
        "last_connection_date_time": "2026-11-24T11:50:00Z",
        "state": "active",
        "version": "6.2604.2000.3",
        "age_minutes": 9,
        "stale": False,
        "below_minimum": False,
        "duplicates": [],
        "cleanup_estimate": "2026-12-29T11:50:00Z",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-12-31T23:58:36.6670033-08:00", "2017-01-01T07:58:36Z"),
        ("2016-12-31T23:58:36Z", "2016-12-31T23:58:36Z"),
        ("2016-12-31T23:58:36", "2016-12-31T23:58:36Z"),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
    ],
)
def test_dates_of_graph_become_utc_and_year_one_means_never(text: str | None, expected: str | None) -> None:
    told = assessed(row("odj01", text)).standings[0].to_json()
    assert told["last_connection_date_time"] == expected
    assert (told["cleanup_estimate"] is None) is (expected is None)


def test_a_connector_that_was_never_in_contact_is_stale_and_has_no_age() -> None:
    seen = assessed(row("odj01", None))
    assert (seen.standings[0].stale, seen.standings[0].to_json()["age_minutes"]) == (True, None)
    assert seen.problems == ("odj01 was never in contact",)


def test_a_date_that_is_none_is_an_error_with_the_name() -> None:
    with pytest.raises(OdjError, match=r"odj01.*'yesterday' is not a date"):
        assessed(row("odj01", "yesterday"))


@pytest.mark.parametrize(("minutes", "stale"), [(9, True), (10, False)])
def test_stale_begins_after_the_given_silence(minutes: int, stale: bool) -> None:
    seen = assessed(row("odj01", "2026-11-24T11:50:00Z"), stale_after=minutes)
    assert seen.standings[0].stale is stale


def test_a_clock_behind_that_of_intune_makes_no_negative_age() -> None:
    assert assessed(row("odj01", "2026-11-24T12:03:00Z")).standings[0].to_json()["age_minutes"] == 0


@pytest.mark.parametrize("state", ["error", "inactive", "unknownFutureValue", "", None])
def test_every_state_but_active_is_a_problem_and_shown_as_it_is(state: str | None) -> None:
    seen = assessed(row("odj01", state=state))
    assert seen.standings[0].connector.state == (state or "")
    assert "odj01 is " in seen.problems[0]
    assert len(seen.problems) == 1


def test_a_build_below_the_floor_is_a_problem_and_an_unknown_one_is_not() -> None:
    seen = assessed(row("odj01", version="6.2407.2000.8"), row("odj02", version="next"))
    assert [standing.below_minimum for standing in seen.standings] == [True, None]
    assert seen.problems == ("odj01 has build 6.2407.2000.8, below 6.2501.2000.5",)


def test_the_newest_entry_of_a_name_counts_and_the_others_are_duplicates_of_it() -> None:
    seen = assessed(
        row("odj01", "2026-10-01T00:00:00Z", id="old", state="inactive"),
        row("ODJ01", "2026-11-24T11:59:00Z", id="new"),
        row("odj01", None, id="never", state="inactive"),
    )
    assert [(each.connector.id, each.duplicates) for each in seen.standings] == [("new", ("old", "never"))]
    assert seen.problems == ()


def test_a_short_name_joins_the_only_full_name_that_fits() -> None:
    seen = assessed(row("ODJ01", id="short"), row("odj01.contoso.test", "2026-11-24T11:59:00Z", id="full"))
    assert [(each.connector.id, each.duplicates) for each in seen.standings] == [("full", ("short",))]


def test_a_short_name_that_fits_two_full_names_joins_neither() -> None:
    seen = assessed(row("odj01"), row("odj01.a.test"), row("odj01.b.test"))
    assert [each.duplicates for each in seen.standings] == [(), (), ()]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("odj01", "ODJ01", True),
        ("odj01", "ODJ01.contoso.test", True),
        ("odj01.contoso.test", "ODJ01", True),
        ("odj01.contoso.test", "ODJ01.CONTOSO.TEST", True),
        ("odj01.contoso.test", "odj01.fabrikam.test", False),
        ("odj01", "odj011", False),
        ("odj01", "odj011.contoso.test", False),
    ],
)
def test_which_names_mean_the_same_server(one: str, other: str, same: bool) -> None:
    assert {same_server(a, b) for a, b in itertools.permutations((one, other))} == {same}


def test_only_the_servers_asked_for_are_judged_and_those_not_there_are_missing() -> None:
    seen = assessed(row("odj01"), row("odj02", state="error"), names=("odj01.contoso.test", "odj09"))
    assert [standing.connector.name for standing in seen.standings] == ["odj01"]
    assert seen.missing == ("odj09",)
    assert seen.problems == ("odj09 is not there",)


def test_no_connector_at_all_is_a_problem() -> None:
    assert assessed().problems == ("there is no connector at all",)
