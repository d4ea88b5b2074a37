# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits of one run that tell each other when they are over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.rendezvous import Rendezvous


def test_the_others_hear_of_it_even_when_they_come_later(tmp_path: Path) -> None:
    both = ("odj01", "odj02")
    first, second = (Rendezvous(str(tmp_path), name, both) for name in both)
    assert not first.others_arrived()
    second.arrive()
    assert first.others_arrived()
    assert not second.others_arrived()
    assert Rendezvous(str(tmp_path), "odj01", both).others_arrived()


def test_who_is_not_waited_for_any_more_does_not_count(tmp_path: Path) -> None:
    Rendezvous(str(tmp_path), "odj02", ()).arrive()
    assert not Rendezvous(str(tmp_path), "odj01", ["odj01", "odj03"]).others_arrived()


@pytest.mark.parametrize("name", ["odj01", "..", "../../outside", "odj01/..", "a b", "\u00e9"])
def test_a_name_stays_within_the_directory(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    Rendezvous(str(directory), name, [name]).arrive()
    (folder,) = directory.iterdir()
    (file,) = folder.iterdir()
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
