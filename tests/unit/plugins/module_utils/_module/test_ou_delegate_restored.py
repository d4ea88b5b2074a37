# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore points and the state restored, in every order of events."""

from __future__ import annotations

import base64
import json
import stat
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import dacl_writer
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import RestoreError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import (
    ACCOUNT,
    NORTH,
    PILOT,
    READ,
    aces,
    create,
    delegate,
    refusal,
    two_units,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, FakeDirectory, dacl

Event = Callable[[], object]


@pytest.fixture
def directory() -> FakeDirectory:
    return two_units()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "points.json"


def points(path: Path) -> list[dict[str, t.Any]]:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return t.cast("list[dict[str, t.Any]]", data["restore_points"])


def restored(directory: FakeDirectory, path: Path, *units: str, **more: t.Any) -> dict[str, t.Any]:
    return delegate(directory, *units, accounts=None, state="restored", backup_path=str(path), **more)


def test_a_change_leaves_a_restore_point_and_can_be_undone(directory: FakeDirectory, path: Path) -> None:
    before = directory.value(PILOT, "nTSecurityDescriptor")
    delegate(directory, PILOT, NORTH, backup_path=str(path), check=True)
    assert not path.exists()
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    assert [p["dn"] for p in points(path)] == [PILOT, NORTH]
    assert set(points(path)[0]) == {"dn", "old", "new", "new_sha256", "time", "server", "reason", "restores", "made"}
    planned = restored(directory, path, check=True)
    done = restored(directory, path)
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])
    assert directory.value(PILOT, "nTSecurityDescriptor") == before
    assert len(aces(directory, NORTH)) == 2
    assert not restored(directory, path)["changed"], "a restoration is not undone by the next one"
    assert points(path)[-1]["restores"] is True


def test_a_list_that_the_server_sorted_when_it_was_written_is_ours_all_the_same(
    directory: FakeDirectory, path: Path
) -> None:
    theirs = create(directory.account("helpdesk"))
    directory.unit(PILOT, READ, theirs, READ)
    done = delegate(directory, backup_path=str(path))
    written = aces(directory)
    assert (written[0], written[-1]) == (READ, theirs), "sorted"
    assert len(written) == 3, "each entry once"
    assert done["written_again"] == []
    assert restored(directory, path)["changed"]
    assert aces(directory) == (READ, theirs)


def test_what_somebody_else_changed_since_is_named_and_kept_unless_forced(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    theirs = create(directory.account("helpdesk"))
    directory.unit(PILOT, *aces(directory)[1:], theirs)
    with pytest.raises(RestoreError) as caught:
        restored(directory, path)
    assert "(A;;LCRPRC;;;WD) was removed" in str(caught.value)
    assert ";;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1-2-3-1102) was added" in str(caught.value)
    assert theirs in aces(directory)
    restored(directory, path, force=True)
    assert aces(directory) == (READ,)


class Killed(BaseException):
    """The process ends: nothing that comes behind in it is done."""


def killed(directory: FakeDirectory, path: Path, dn: str = PILOT, **more: t.Any) -> None:
    """Let a task end between keeping its restore points and its write."""
    directory.refuse[dn] = Killed()
    with pytest.raises(Killed):
        delegate(directory, dn, backup_path=str(path), **more)
    del directory.refuse[dn]


def test_the_file_is_there_before_the_first_write(directory: FakeDirectory, path: Path) -> None:
    directory.refuse[PILOT] = Killed()
    with pytest.raises(Killed):
        delegate(directory, backup_path=str(path))
    assert [p["dn"] for p in points(path)] == [PILOT]
    del directory.refuse[PILOT]
    assert not restored(directory, path)["changed"], "nothing was written, so there is nothing to undo"


def test_a_file_that_others_could_read_is_the_owners_alone_afterwards(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    path.chmod(0o644)
    delegate(directory, rights=["delete_computer"], backup_path=str(path))
    assert len(points(path)) == 2


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", '{"format": 2, "restore_points": []}', '{"format": 1, "restore_points": [{}]}',
        '{"format": 1, "restore_points": [{"dn": 1, "old": "", "new": "", "time": "", "server": "", "reason": "",'
        ' "restores": false, "new_sha256": ""}]}',
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused_before_contact(
    directory: FakeDirectory, path: Path, content: str
) -> None:
    path.write_text(content, encoding="utf-8")
    assert str(path) in refusal(RestoreError, directory, backup_path=str(path))
    assert path.read_text(encoding="utf-8") == content
    assert directory.counts["search"] == 0


def test_a_restore_point_that_was_tampered_with_is_refused(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    data = json.loads(path.read_text(encoding="utf-8"))
    data["restore_points"][0]["new"] = data["restore_points"][0]["old"]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(RestoreError, match="its hash does not fit"):
        restored(directory, path)


def test_places_where_no_file_can_be_are_refused_before_contact(directory: FakeDirectory, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path, tmp_path / "none" / "points.json", tmp_path / "link"):
        assert "backup_path" in refusal(RestoreError, directory, backup_path=str(path))
    assert directory.counts["search"] == 0


def test_a_unit_without_a_restore_point_is_refused(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    with pytest.raises(RestoreError, match="no restore point"):
        restored(directory, path, PILOT, NORTH)
    assert len(aces(directory)) == 2


# ---------------------------------------------------------------- every order of events


def before_writing(monkeypatch: pytest.MonkeyPatch, directory: FakeDirectory, dn: str, event: Event) -> None:
    """Let something happen once after the restore points are kept and before this list is read for its write."""
    once, modify = [event], directory.modify

    def modified(target: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(target, changes, dacl=dacl)
        if target != dn and once:
            once.pop()()

    monkeypatch.setattr(dacl_writer, "WINDOW", -1.0)  # each list is read right before its write
    monkeypatch.setattr(directory, "modify", modified)


def after_writing(monkeypatch: pytest.MonkeyPatch, directory: FakeDirectory, dn: str, event: Event) -> None:
    """Let something happen once between the write of this list and the look at what became of it."""
    once, modify = [event], directory.modify

    def modified(target: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(target, changes, dacl=dacl)
        if target == dn and once:
            once.pop()()

    monkeypatch.setattr(directory, "modify", modified)


def test_overtaken_before_the_write(directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list that was planned first never stood there: no point of it is left, and theirs is what comes back."""
    theirs = create(directory.account("helpdesk"))
    before_writing(monkeypatch, directory, NORTH, lambda: directory.unit(NORTH, READ, theirs))
    assert delegate(directory, PILOT, NORTH, backup_path=str(path))["written_again"] == [NORTH]
    assert [point["dn"] for point in points(path)] == [PILOT, NORTH]
    assert theirs in base64.b64decode(points(path)[1]["old"])
    assert restored(directory, path, PILOT, NORTH)["changed"]
    assert (aces(directory, PILOT), set(aces(directory, NORTH))) == ((READ,), {READ, theirs})


def test_overtaken_by_the_same_change(directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else did it: there is nothing of ours to put back."""
    delegate(directory, NORTH)
    theirs = aces(directory, NORTH)
    directory.unit(NORTH, READ)
    before_writing(monkeypatch, directory, NORTH, lambda: directory.unit(NORTH, *theirs))
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    assert [point["dn"] for point in points(path)] == [PILOT]
    with pytest.raises(RestoreError, match="no restore point"):
        restored(directory, path, NORTH)
    assert aces(directory, NORTH) == theirs


def test_a_file_that_cannot_be_written_any_more_when_all_is_done_is_a_warning(
    directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delegate(directory, NORTH)
    theirs = aces(directory, NORTH)
    directory.unit(NORTH, READ)

    def disk_is_full(self: RestoreFile, folder: int, text: str) -> None:
        raise OSError(28, "No space left on device")

    def event() -> None:
        directory.unit(NORTH, *theirs)
        monkeypatch.setattr(RestoreFile, "_replace", disk_is_full)

    before_writing(monkeypatch, directory, NORTH, event)
    (warning,) = delegate(directory, PILOT, NORTH, backup_path=str(path))["warnings"]
    assert "take note of what was written" in warning
    assert "No space left" in warning
    assert [point["dn"] for point in points(path)] == [PILOT, NORTH], "the file is as it was"


def test_overtaken_by_another_task_with_the_same_file(
    directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's change is the last that was made, although ours was kept later."""
    directory.account("gmsa-odj$")
    delegate(directory, NORTH, accounts=[ACCOUNT, "gmsa-odj"])
    both = aces(directory, NORTH)
    directory.unit(NORTH, READ)

    def other_task() -> None:
        kept = path.read_text(encoding="utf-8")
        path.unlink()
        delegate(directory, NORTH, accounts=[ACCOUNT, "gmsa-odj"], backup_path=str(path))
        data = json.loads(kept)
        data["restore_points"][1:1] = points(path)  # theirs was kept before ours
        path.write_text(json.dumps(data), encoding="utf-8")

    before_writing(monkeypatch, directory, NORTH, other_task)
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    assert (aces(directory, NORTH), [point["dn"] for point in points(path)]) == (both, [PILOT, NORTH])
    assert restored(directory, path, NORTH)["changed"]
    assert aces(directory, NORTH) == (READ,)


def test_overwritten_after_the_write(directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both lists stood there; the second one is the last, and what the other writer left is what comes back."""
    theirs = create(directory.account("helpdesk"))
    after_writing(monkeypatch, directory, PILOT, lambda: directory.unit(PILOT, READ, theirs))
    assert delegate(directory, backup_path=str(path))["written_again"] == [PILOT]
    assert len(points(path)) == 2
    restored(directory, path)
    assert set(aces(directory)) == {READ, theirs}


def test_added_to_after_the_write(directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = create(directory.account("helpdesk"))
    after_writing(monkeypatch, directory, PILOT, lambda: directory.unit(PILOT, *aces(directory), theirs))
    assert delegate(directory, backup_path=str(path))["written_again"] == []
    with pytest.raises(RestoreError, match=r"S-1-5-21-1-2-3-1102\) was added\."):
        restored(directory, path)


def test_a_task_killed_before_the_write_does_not_hide_the_change_before_it(
    directory: FakeDirectory, path: Path
) -> None:
    delegate(directory, backup_path=str(path))
    before = aces(directory)
    killed(directory, path, rights=["delete_computer"])
    assert [point["made"] for point in points(path)] == [True, False]
    assert aces(directory) == before
    assert restored(directory, path)["changed"]
    assert aces(directory) == (READ,)
    assert not restored(directory, path)["changed"]


def test_a_task_killed_after_the_write_and_before_it_was_noted_can_be_undone_once(
    directory: FakeDirectory, path: Path
) -> None:
    delegate(directory, backup_path=str(path))
    first = aces(directory)
    killed_at = [Killed()]

    def read(*_: t.Any, **__: t.Any) -> t.Any:
        raise killed_at[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dacl_writer.Writer, "_lost", read)
        with pytest.raises(Killed):
            delegate(directory, rights=["delete_computer"], backup_path=str(path))
    assert [point["made"] for point in points(path)] == [True, False]
    assert aces(directory) != first
    assert restored(directory, path)["changed"]
    assert aces(directory) == first
    assert not restored(directory, path)["changed"], "the one before it is not put back"


def test_a_task_killed_before_the_write_and_changed_by_somebody_else(directory: FakeDirectory, path: Path) -> None:
    killed(directory, path)
    directory.unit(PILOT, READ, create(directory.account("helpdesk")))
    with pytest.raises(RestoreError, match="neither what it was before the change"):
        restored(directory, path)


def test_a_failed_run_leaves_no_points_of_what_it_did_not_write(directory: FakeDirectory, path: Path) -> None:
    units = [directory.unit(f"OU=Four{number},{BASE}", READ) for number in range(4)]
    delegate(directory, *units, backup_path=str(path))
    directory.refuse[units[0]] = DirectoryError("change", on=units[0], got="no", code=50)
    with pytest.raises(DirectoryError):
        delegate(directory, *units, rights=["delete_computer"], backup_path=str(path))
    del directory.refuse[units[0]]
    left = [point["dn"] for point in points(path)][4:]
    assert units[0] not in left
    assert all(point["made"] for point in points(path))
    assert restored(directory, path, units[0])["changed"], "the change of the first run"
    assert aces(directory, units[0]) == (READ,)


def test_two_changes(directory: FakeDirectory, path: Path) -> None:
    """The last one is put back, and the one before it is not, however often it is asked for."""
    delegate(directory, backup_path=str(path))
    first = aces(directory)
    delegate(directory, rights=["delete_computer"], backup_path=str(path))
    assert restored(directory, path)["changed"]
    assert not restored(directory, path)["changed"]
    assert aces(directory) == first
    delegate(directory, rights=["reuse_computer"], backup_path=str(path))
    assert restored(directory, path)["changed"]
    assert aces(directory) == first


def test_what_others_change_after_a_restoration_is_theirs(directory: FakeDirectory, path: Path) -> None:
    """A play that says restored stays as it is, also when life goes on."""
    delegate(directory, backup_path=str(path))
    restored(directory, path)
    theirs = create(directory.account("helpdesk"))
    directory.unit(PILOT, READ, theirs)
    assert not restored(directory, path)["changed"]
    assert aces(directory) == (READ, theirs)
    assert restored(directory, path, force=True)["changed"]
    assert aces(directory) == (READ,)


def test_a_restoration_that_was_interrupted_is_made_by_the_next(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    killed(directory, path, accounts=None, state="restored")
    assert [point["restores"] for point in points(path)] == [False, True]
    assert restored(directory, path)["changed"]
    assert aces(directory) == (READ,)


def test_a_restoration_that_was_overtaken_is_refused_now_and_later(
    directory: FakeDirectory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    ours, theirs = aces(directory, NORTH), create(directory.account("helpdesk"))
    before_writing(monkeypatch, directory, NORTH, lambda: directory.unit(NORTH, *ours, theirs))
    for units in ((PILOT, NORTH), (NORTH,)):
        with pytest.raises(OdjError, match="was added") as caught:
            restored(directory, path, *units)
        assert (f"Changed before this: {PILOT}" in str(caught.value)) == (PILOT in units)
        assert "Nothing was changed" not in str(caught.value)
    assert set(aces(directory, NORTH)) == {*ours, theirs}


def test_a_restoration_is_not_restored_but_its_old_list_is_kept(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, backup_path=str(path))
    theirs = create(directory.account("helpdesk"))
    directory.unit(PILOT, *aces(directory), theirs)
    restored(directory, path, force=True)
    assert not restored(directory, path, force=True)["changed"]
    assert theirs in base64.b64decode(points(path)[-1]["old"])
    delegate(directory, backup_path=str(path))
    assert restored(directory, path)["changed"], "a change after it is one again"


def test_no_list_is_not_an_empty_one(directory: FakeDirectory, path: Path) -> None:
    directory.unit(PILOT)
    delegate(directory, backup_path=str(path))
    nothing = SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT).to_bytes()
    directory.put(PILOT, nTSecurityDescriptor=nothing)
    with pytest.raises(RestoreError, match="everybody may do everything"):
        restored(directory, path)
    assert restored(directory, path, force=True)["changed"]
    assert directory.value(PILOT, "nTSecurityDescriptor") == dacl()


def test_a_point_that_holds_no_list_is_not_written(directory: FakeDirectory, path: Path) -> None:
    """No change of this collection leaves one; as a list it would be an empty one, that lets nobody in."""
    delegate(directory, backup_path=str(path))
    data = json.loads(path.read_text(encoding="utf-8"))
    nothing = SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT).to_bytes()
    data["restore_points"][0]["old"] = base64.b64encode(nothing).decode()
    path.write_text(json.dumps(data), encoding="utf-8")
    for force in (False, True):
        with pytest.raises(RestoreError, match="holds none"):
            restored(directory, path, force=force)


def test_each_unit_has_its_own_last_change(directory: FakeDirectory, path: Path) -> None:
    delegate(directory, PILOT, NORTH, backup_path=str(path))
    delegate(directory, PILOT.upper(), rights=["delete_computer"], backup_path=str(path))
    restored(directory, path, PILOT, NORTH)
    assert (len(aces(directory, PILOT)), aces(directory, NORTH)) == (2, (READ,))
