# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers who overwrite each other's access list: whoever can know of it says so."""

from __future__ import annotations

import struct
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.dacl_writer import writes_in
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import (
    NORTH,
    PILOT,
    READ,
    aces,
    create,
    delegate,
    two_units,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import FakeDirectory, write_counts

NOTHING: dict[str, list[str]] = {"possible": [], "not_checked": []}


@pytest.fixture
def directory() -> FakeDirectory:
    return two_units()


def beside_the_write(monkeypatch: pytest.MonkeyPatch, directory: FakeDirectory, before: t.Any, after: t.Any) -> None:
    """Let somebody else do something right before our write of PILOT arrives, or right after it."""
    modify = directory.modify

    def modified(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        monkeypatch.setattr(directory, "modify", modify)
        before()
        modify(dn, changes, dacl=dacl)
        after()

    monkeypatch.setattr(directory, "modify", modified)


def nothing() -> None:
    """Nobody else is there."""


def test_a_writer_alone_has_nothing_to_say(directory: FakeDirectory) -> None:
    done = delegate(directory, PILOT, NORTH)
    assert done["lost_updates"] == NOTHING
    assert "warnings" not in done
    assert delegate(directory, PILOT, NORTH)["lost_updates"] == NOTHING


def test_a_late_write_that_overwrites_another_one_is_told(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our packet is late: what somebody wrote after our read is gone, and only the count of writes shows it."""
    theirs = create(directory.account("helpdesk"))
    beside_the_write(monkeypatch, directory, lambda: directory.unit(PILOT, READ, theirs), nothing)
    done = delegate(directory, PILOT, NORTH)
    assert theirs not in aces(directory), "lost"
    assert done["lost_updates"] == {"possible": [PILOT], "not_checked": []}
    assert done["written_again"] == []
    assert [PILOT in warning for warning in done["warnings"]] == [True]


def test_somebody_who_adds_to_our_list_is_told_as_possible(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = create(directory.account("helpdesk"))
    beside_the_write(monkeypatch, directory, nothing, lambda: directory.unit(PILOT, *aces(directory), theirs))
    assert delegate(directory)["lost_updates"]["possible"] == [PILOT]


def test_a_writer_who_is_overwritten_plans_anew_on_top_and_says_so(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = create(directory.account("helpdesk"))
    beside_the_write(monkeypatch, directory, nothing, lambda: directory.unit(PILOT, READ, theirs))
    done = delegate(directory)
    assert theirs in aces(directory)
    assert len(aces(directory)) == 3
    assert (done["written_again"], done["lost_updates"]["possible"]) == ([PILOT], [PILOT])


@pytest.mark.parametrize(
    "counts", [b"", b"\x01", b"\x02" + bytes(15), struct.pack("<IIII", 1, 0, 9, 0) + bytes(48), write_counts(5)]
)
def test_where_the_count_cannot_be_read_nothing_is_promised(directory: FakeDirectory, counts: bytes) -> None:
    class Hiding(FakeDirectory):
        def _shown(self, entry: t.Any, attributes: t.Any, dacl: bool) -> t.Any:
            shown = super()._shown(entry, attributes, dacl)
            if "replpropertymetadata" in shown.values:
                values = {**shown.values, "replpropertymetadata": (counts,) if counts else ()}
                return type(shown)(shown.dn, values)
            return shown

    directory.__class__ = Hiding
    done = delegate(directory, PILOT, NORTH)
    assert done["changed"]
    assert done["lost_updates"] == {"possible": [], "not_checked": [PILOT, NORTH]}


def test_the_count_of_the_descriptor_is_taken_and_no_other() -> None:
    assert writes_in(write_counts(41)) == 41
    assert writes_in(write_counts(41) + b"more") == 41
    assert writes_in(struct.pack("<IIII", 1, 0, 0, 0)) is None
    assert writes_in(None) is None
