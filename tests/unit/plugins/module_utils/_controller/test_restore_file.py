# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of restore points beside other users, other tasks, and tasks that were killed."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import LOCK_LIMIT, RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestoreError,
    RestorePoint,
    trimmed,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import dacl

OTHER = 1234  # a user


def point(number: int = 0, *, dn: str = "OU=x", made: bool = False, restores: bool = False) -> RestorePoint:
    return RestorePoint(dn, dacl(), dacl(), f"2026-11-24T12:00:{number:02}", "dc1", "reason", restores, made)


def file_at(path: Path, keep: int = 0) -> RestoreFile:
    return RestoreFile(str(path), StandingClock(), keep)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "points.json"


@pytest.fixture
def written(path: Path) -> Path:
    file_at(path).add([point()])
    return path


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@needs_root
def test_a_file_that_another_user_planted_is_refused(written: Path) -> None:
    os.chown(written, OTHER, -1)
    with pytest.raises(RestoreError, match=rf"the file belongs to user {OTHER}.*Whoever can write"):
        file_at(written).read()
    with pytest.raises(RestoreError, match="belongs to user"):
        file_at(written).add([point(1)])
    with pytest.raises(RestoreError, match="belongs to user"):
        RestoreFile.checked(str(written), StandingClock())


@needs_root
def test_a_directory_of_another_user_is_refused(written: Path) -> None:
    os.chown(written.parent, OTHER, -1)
    with pytest.raises(RestoreError, match=rf"belongs to user {OTHER}"):
        file_at(written).read()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_may_write_is_refused(written: Path, mode: int) -> None:
    written.parent.chmod(mode)
    with pytest.raises(RestoreError, match="others may write the directory"):
        file_at(written).read()


def test_a_shared_directory_with_the_sticky_bit_will_do_and_a_file_there_says_whose_it_is(written: Path) -> None:
    written.parent.chmod(0o1777)
    assert file_at(written).read() == (point(),)
    if os.geteuid() == 0:
        os.chown(written, OTHER, -1)
        with pytest.raises(RestoreError, match="the file belongs"):
            file_at(written).read()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(written: Path, mode: int) -> None:
    written.chmod(mode)
    with pytest.raises(RestoreError, match="others may write the file"):
        file_at(written).read()


def test_a_link_in_the_place_of_the_file_is_not_followed(written: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    written.rename(elsewhere)
    written.symlink_to(elsewhere)
    with pytest.raises(RestoreError, match="read the restore points"):
        file_at(written).read()
    with pytest.raises(RestoreError, match="keep restore points"):
        file_at(written).add([point(1)])
    assert file_at(elsewhere).read() == (point(),)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RestoreError, match="not a regular file"):
        file_at(tmp_path / "pipe").read()


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_a_path_that_is_none_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    for use in (RestoreFile.read, lambda file: file.add([point()])):
        with pytest.raises(RestoreError):
            use(file_at(tmp_path / name))
    with pytest.raises(RestoreError):
        RestoreFile.checked(f"{tmp_path}/a\0b/points.json", StandingClock())


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "\xff", "1" * 5000, '{"format": 1}'])
def test_a_hostile_file_is_an_error_of_ours(path: Path, text: str) -> None:
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(RestoreError):
        file_at(path).read()


@contextmanager
def held(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield handle
    finally:
        os.close(handle)


def test_the_lock_is_not_waited_for_for_ever(path: Path) -> None:
    clock = StandingClock()
    with held(path.parent), pytest.raises(RestoreError, match="another process has held"):
        RestoreFile(str(path), clock).add([point()])
    assert clock.monotonic() >= LOCK_LIMIT
    assert not path.exists()


def test_the_lock_is_waited_for(path: Path) -> None:
    class Releasing(StandingClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            fcntl.flock(handle, fcntl.LOCK_UN)

    with held(path.parent) as handle:
        RestoreFile(str(path), Releasing()).add([point()])
    assert file_at(path).read() == (point(),)


def test_what_a_killed_task_left_of_its_file_goes_with_the_next_change(path: Path) -> None:
    left = path.parent / f".{path.name}.new"
    left.write_text("half", encoding="utf-8")
    left.chmod(0o666)
    file_at(path).add([point()])
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_directory_is_on_the_disk_after_the_file_is_in_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append("directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def replaced(*arguments: str, **named: int) -> None:
        done.append("rename")
        replace(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    file_at(path).add([point()])
    assert done == ["file", "rename", "directory"]


def test_points_are_marked_taken_out_and_trimmed(path: Path) -> None:
    file = file_at(path, keep=2)
    for number in range(4):
        file.add([point(number), point(number, dn="OU=other"), point(number, dn=f"OU=lost{number}")])
        file.settle([point(number), point(number, dn="OU=other")], [point(number, dn=f"OU=lost{number}")])
    kept = file.read()
    assert [(one.dn, one.time[-1]) for one in kept] == [
        ("OU=x", "2"),
        ("OU=other", "2"),
        ("OU=x", "3"),
        ("OU=other", "3"),
    ]
    assert all(one.made for one in kept)


def test_points_of_killed_tasks_push_no_change_out() -> None:
    points = [point(0, made=True), *(point(number) for number in range(1, 9))]
    assert trimmed(points, 1) == points
    assert trimmed([*points, point(9, made=True)], 1) == [point(9, made=True)]
    assert trimmed(points, 0) == points
