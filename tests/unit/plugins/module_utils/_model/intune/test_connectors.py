# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import itertools
import json
import random
from collections import Counter

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.intune import connectors
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.intune.connectors import (
    Assessment,
    Expectation,
    IntuneConnector,
    assess,
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


def test_a_build_below_the_floor_is_a_problem() -> None:
    seen = assessed(row("odj01", version="6.2407.2000.8"))
    assert seen.standings[0].below_minimum is True
    assert seen.problems == ("odj01 has build 6.2407.2000.8, below 6.2501.2000.5",)


@pytest.mark.parametrize(
    "version", [None, "", "next", "6.2604.2000.3.1", "6.2604", "²", "6." + "9" * 5000, 6, ["6.2604.2000.3"]]
)
def test_a_build_that_cannot_be_told_is_a_problem(version: object) -> None:
    seen = assessed(row("odj01", version=version))
    assert seen.standings[0].below_minimum is None
    assert [problem for problem in seen.problems if problem.startswith("odj01 shows ")]
    assert len(seen.problems) == 1


def test_the_newest_entry_of_a_name_counts_and_the_others_are_duplicates_of_it() -> None:
    seen = assessed(
        row("odj01", "2026-10-01T00:00:00Z", id="old", state="inactive"),
        row("ODJ01", "2026-11-24T11:59:00Z", id="new"),
        row("odj01", None, id="never", state="inactive"),
    )
    assert [(each.connector.id, each.duplicates) for each in seen.standings] == [("new", ("old", "never"))]
    assert seen.problems == ()


def test_a_short_name_joins_the_full_name_that_was_asked_for() -> None:
    rows = (row("ODJ01", id="short"), row("odj01.contoso.test", "2026-11-24T11:59:00Z", id="full"))
    seen = assessed(*rows, names=("odj01.contoso.test",))
    assert [(each.connector.id, each.duplicates) for each in seen.standings] == [("full", ("short",))]
    seen = assessed(*rows, names=("odj01",))
    assert [(each.connector.id, each.duplicates) for each in seen.standings] == [("full", ("short",))]


def test_a_short_name_of_which_nobody_tells_the_domain_joins_no_full_name() -> None:
    rows = (row("ODJ01", "2026-10-01T00:00:00Z", id="short", state="inactive"), row("odj01.fabrikam.test", id="full"))
    for names in ((), ("odj01.contoso.test", "odj01.fabrikam.test")):
        seen = assessed(*rows, names=names)
        assert {each.connector.id for each in seen.standings} == {"short", "full"}
        assert seen.missing == ()
        assert "ODJ01 is inactive, not active" in seen.problems


@pytest.mark.parametrize("names", [(), ("odj01",), ("odj01.a.test", "odj01.b.test")])
def test_a_short_name_that_fits_two_full_names_joins_neither(names: tuple[str, ...]) -> None:
    seen = assessed(row("odj01"), row("odj01.a.test"), row("odj01.b.test"), names=names)
    assert [each.duplicates for each in seen.standings] == [(), (), ()]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("odj01", "ODJ01", True),
        ("odj01", "ODJ01.contoso.test", True),
        ("odj01.contoso.test", "ODJ01", True),
        ("odj01.contoso.test", "ODJ01.CONTOSO.TEST", True),
        ("odj01.contoso.test.", "odj01.contoso.test", True),
        ("odj01.", "odj01.contoso.test", True),
        ("odj01.contoso.test", "odj01.fabrikam.test", False),
        ("odj01", "odj011", False),
        ("odj01", "odj011.contoso.test", False),
        ("contoso-odjconn01", "CONTOSO-ODJCONN", True),
        ("contoso-odjconn01.contoso.test", "CONTOSO-ODJCONN", True),
        ("contoso-odjconn01.contoso.test", "contoso-odjconn01", True),
        ("contoso-odjconn01", "contoso-odjconn02", False),
        ("contoso-odjconn01", "contoso-odjcon", False),
        ("contoso-odjconn01.contoso.test", "contoso-odjconn.contoso.test", False),
        ("odj01", "", False),
    ],
)
def test_which_names_mean_the_same_server(one: str, other: str, same: bool) -> None:
    for asked, shown in itertools.permutations((one, other)):
        seen = assessed(row(shown), names=(asked,))
        assert (bool(seen.standings), bool(seen.missing)) == (same, not same)


def test_the_netbios_name_of_one_server_is_not_another_that_has_it_as_its_own() -> None:
    seen = assessed(row("CONTOSO-ODJCONN"), names=("contoso-odjconn", "contoso-odjconn01"))
    assert seen.missing == ("contoso-odjconn01",)


def test_an_entry_without_a_name_is_a_server_of_its_own_and_told_by_its_id() -> None:
    seen = assessed(row("", id="one", state="error"), row("", id="two"), {"id": "three"})
    assert len(seen.standings) == 3
    assert "the connector one is error, not active" in seen.problems
    assert assessed(row("", id="one"), names=("odj01",)).missing == ("odj01",)


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-14:00", "0000-01-01", "1" * 5000, "20261124", "2026-11-24T11:50:00+99:99"]
)
def test_a_date_that_no_calendar_has_is_an_error_with_the_name(text: str) -> None:
    with pytest.raises(OdjError, match=r"odj01.*is not a date"):
        assessed(row("odj01", text))


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "2026-11-25T12:00:01Z"])
def test_a_contact_in_the_future_is_not_taken_for_a_good_one(text: str) -> None:
    seen = assessed(row("odj01", text))
    assert (seen.standings[0].stale, seen.standings[0].to_json()["age_minutes"]) == (True, None)
    assert "in the future" in seen.problems[0]


def test_what_is_no_text_or_cannot_be_written_is_taken_for_unknown() -> None:
    seen = assessed({"id": 7, "displayName": "odj\ud80001\n", "state": {"a": 1}, "version": None})
    told = seen.standings[0].to_json()
    assert (told["id"], told["display_name"], told["state"]) == ("", "odj?01", "")
    assert not [problem for problem in seen.problems if not problem.encode()]


def test_the_work_grows_with_the_number_of_entries_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[str]()

    def counted(host: str) -> set[str]:
        calls["names"] += 1
        return other_names(host)

    other_names = connectors._other_names
    monkeypatch.setattr(connectors, "_other_names", counted)
    hosts = [f"contoso-odjconn{number}" for number in range(2000)]
    seen = assessed(
        *(row(f"{host}.contoso.test") for host in hosts), *(row(host) for host in hosts), names=tuple(hosts)
    )
    assert (len(seen.standings), seen.missing) == (2000, ())
    assert calls["names"] <= 6 * len(hosts)


def test_only_the_servers_asked_for_are_judged_and_those_not_there_are_missing() -> None:
    seen = assessed(row("odj01"), row("odj02", state="error"), names=("odj01.contoso.test", "odj09"))
    assert [standing.connector.name for standing in seen.standings] == ["odj01"]
    assert seen.missing == ("odj09",)
    assert seen.problems == ("odj09 is not there",)


def test_no_connector_at_all_is_a_problem() -> None:
    assert assessed().problems == ("there is no connector at all",)


def test_rows_of_any_kind_are_judged_or_refused() -> None:
    chance = random.Random(20261128)  # noqa: S311 (a test's choice)
    values: list[object] = [
        None,
        "",
        0,
        True,
        1e400,
        [],
        {},
        {"a": []},
        "\ud800",
        "\0",
        "odj01",
        "ODJ01.",
        ".",
        "x" * 9000,
    ]
    values += [
        "2026-11-24T11:50:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "active",
        "6.2604.2000.3",
        "1.2.3.4.5",
    ]
    refused = 0
    for _round in range(3000):
        rows = [{name: chance.choice(values) for name in row("x") if chance.random() < 0.9} for _row in range(3)]
        names = tuple(chance.sample(("odj01", "odj01.contoso.test", "x" * 20, "."), chance.randrange(3)))
        try:
            seen = assessed(*rows, names=names)
        except OdjError:
            refused += 1
            continue
        json.dumps([each.to_json() for each in seen.standings] + list(seen.problems)).encode()
        good = [each for each in seen.standings if each.connector.state == "active" and not each.stale]
        if not seen.problems:
            assert len(good) == len(seen.standings)
            assert all(each.below_minimum is False for each in good)
    assert 0 < refused < 3000
