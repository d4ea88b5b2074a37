# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made once stays whole, whoever else runs, fails or is killed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cache import BORN_SECONDS, KEPT_DAYS, Cache

OTHER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cache import Cache
cache = Cache(Path(sys.argv[2]))
def make(directory):
    (directory / "content").write_text("other")
    print("making", flush=True)
    sys.stdin.readline()
print(cache.get("thing", make, lambda seconds: None)[1], flush=True)
sys.stdin.readline()
"""


class Other:
    """Another run that wants the same thing; it goes on when it is told to."""

    def __init__(self, top: Path) -> None:
        words = [sys.executable, "-c", OTHER, str(Path(__file__).parent), str(top)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def make(directory: Path) -> None:
    (directory / "content").write_text("mine", encoding="utf-8")


def never(_seconds: float) -> None:
    raise AssertionError("nobody else is there to wait for")


def not_again(_directory: Path) -> None:
    raise AssertionError("it was made already")


def made(top: Path) -> list[str]:
    return sorted(entry.name for entry in (top / "made").iterdir() if entry.suffix != ".lock")


def age(directory: Path, seconds: float) -> None:
    for path in (directory, directory / "in-use"):
        if path.exists():
            past = path.stat().st_mtime - seconds - 1
            os.utime(path, (past, past))


def test_it_is_made_once_and_found_again(tmp_path: Path) -> None:
    first, fresh = Cache(tmp_path).get("thing", make, never)
    again, second = Cache(tmp_path).get("thing", not_again, never)
    assert (fresh, second, again) == (True, False, first)
    assert (again / "content").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def fail(directory: Path) -> None:
        make(directory)
        raise error

    with pytest.raises(type(error)):
        Cache(tmp_path).get("thing", fail, never)
    assert made(tmp_path) == []
    assert Cache(tmp_path).get("thing", make, never)[1]


def test_the_second_who_wants_it_waits_for_the_first(tmp_path: Path) -> None:
    other = Other(tmp_path)
    assert other.says() == "making"
    waits: list[float] = []

    def let_it_end(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            other.go_on()
            assert other.says() == "True"

    directory, fresh = Cache(tmp_path).get("thing", not_again, let_it_end)
    other.kill()
    assert (waits[:1], fresh) == ([0.5], False)
    assert (directory / "content").read_text(encoding="utf-8") == "other"


def test_who_was_killed_while_making_it_stops_nobody_and_is_cleaned_up(tmp_path: Path) -> None:
    other = Other(tmp_path)
    assert other.says() == "making"
    left = next(entry for entry in (tmp_path / "made").iterdir() if entry.is_dir())
    other.kill()
    cache = Cache(tmp_path)
    assert cache.tidy() == []  # it might just have been begun
    age(left, BORN_SECONDS)
    assert cache.tidy() == [left.name]
    assert cache.get("thing", make, never)[1]


def test_the_tidy_up_takes_what_nobody_used_for_long(tmp_path: Path) -> None:
    directory = release(tmp_path, "old")
    release(tmp_path, "new")
    age(directory, KEPT_DAYS * 86400)
    assert Cache(tmp_path).tidy() == [directory.name]
    assert [name for name in made(tmp_path) if name.startswith("old")] == []
    assert Cache(tmp_path).find("old") is None
    assert Cache(tmp_path).find("new") is not None


def test_the_tidy_up_never_takes_what_another_process_uses(tmp_path: Path) -> None:
    other = Other(tmp_path)
    other.go_on()
    assert (other.says(), other.says()) == ("making", "True")
    directory = (tmp_path / "made" / "thing").resolve()
    age(directory, KEPT_DAYS * 86400)
    assert Cache(tmp_path).tidy() == []
    other.kill()
    age(directory, KEPT_DAYS * 86400)
    assert Cache(tmp_path).tidy() == [directory.name]


def test_two_names_do_not_touch_each_other(tmp_path: Path) -> None:
    places: list[Path] = [release(tmp_path, name) for name in ("core-1", "core-2")]
    assert all((place / "content").exists() for place in places)


def release(top: Path, name: str, by: Callable[[Path], None] = make) -> Path:
    """Make something and use it no more: its lock ends with the cache that holds it."""
    return Cache(top).get(name, by, never)[0]
