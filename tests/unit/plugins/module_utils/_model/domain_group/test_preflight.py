# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a server lacks, from three sources, as data, as sentences and as a table."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.preflight import (
    Asked,
    answer_among,
    table_of,
    unmet,
    verdicts_of,
)

UNIT, OTHER = "OU=Autopilot,DC=contoso,DC=test", "OU=Nowhere,DC=contoso,DC=test"
ASKED = Asked("odj01", (UNIT, OTHER), delegation=True, intune=True)
MET = {
    "name": "dotnet_framework",
    "verdict": "met",
    "found": "release 528449",
    "wanted": "4.7.2",
    "cause": "",
    "cure": "",
}
SERVER = {"prerequisites": [MET]}
CLOUD: dict[str, object] = {"connectors": []}


def directory(**other: object) -> dict[str, object]:
    return {
        "organizational_units": [
            {"requested": u, "exists": True, "can_write_dacl": True, **other} for u in (UNIT, OTHER)
        ]
    }


def test_nothing_is_missing_where_all_answered_well() -> None:
    rows = verdicts_of(ASKED, SERVER, directory(), CLOUD)
    assert {row["verdict"] for row in rows} == {"met"}
    assert {row["server"] for row in rows} == {"odj01"}
    assert unmet(rows) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (directory(exists=False), f"{OTHER} does not exist. Create it"),
        (directory(can_write_dacl=False), f"{UNIT} cannot be delegated: the account that asks may not"),
        ({"msg": "Could not connect."}, "Could not connect."),
        ({}, "The directory could not be asked."),
    ],
)
def test_what_the_directory_lacks_is_said(answer: dict[str, object], said: str) -> None:
    assert said in " ".join(unmet(verdicts_of(ASKED, SERVER, answer, CLOUD)))


def test_only_the_units_of_the_server_count() -> None:
    asked = Asked("odj01", (UNIT,))
    answer = directory()
    answer["organizational_units"][1]["exists"] = False  # type: ignore[index]
    assert unmet(verdicts_of(asked, SERVER, answer, {})) == []


def test_a_unit_that_was_not_asked_for_is_not_taken_for_one_that_is_there() -> None:
    (row,) = [
        r
        for r in verdicts_of(Asked("odj01", ("OU=New,DC=x",)), SERVER, directory(), {})
        if r["name"] != "dotnet_framework"
    ]
    assert row["verdict"] == "unknown"


def test_a_server_and_a_cloud_that_do_not_answer_are_unmet() -> None:
    rows = verdicts_of(ASKED, {"msg": "access denied"}, directory(), {"msg": "AADSTS7000222"})
    assert [said.partition(".")[0] for said in unmet(rows)] == [
        "server: access denied Make the server reachable, and connect to it as a local administrator",
        "AADSTS7000222",
    ]


def test_the_table_shows_green_and_red() -> None:
    red = {**MET, "verdict": "unmet", "cause": "It is too old.", "cure": "Install 4.8."}
    rows = verdicts_of(Asked("odj01"), SERVER, {}, {}) + verdicts_of(Asked("odj002"), {"prerequisites": [red]}, {}, {})
    assert table_of(rows, ["A note."]) == [
        "odj01   ok       dotnet_framework  release 528449",
        "odj002  MISSING  dotnet_framework  release 528449",
        "    It is too old.",
        "    Install 4.8.",
        "Ready: odj01.",
        "Not ready: odj002.",
        "A note.",
    ]


def test_an_answer_for_all_is_never_lost_with_its_host() -> None:
    answer: dict[str, object] = {"organizational_units": []}
    failure: dict[str, object] = {"msg": "no", "error": {"tried": "connect"}}
    assert answer_among([{}, {"skipped": True}, {"unreachable": True}, failure, answer]) is answer
    assert answer_among([{"skipped": True}, failure]) is failure
    assert answer_among([{"skipped": True}]) == {}
