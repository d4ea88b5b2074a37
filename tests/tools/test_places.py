# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the cache lies, whatever the user's directories are like."""

from __future__ import annotations

from pathlib import Path

import places
import pytest
from processes import Failed


def test_what_the_user_names_is_taken(tmp_path: Path) -> None:
    assert places.cache({"ODJ_CACHE": str(tmp_path / "x"), "HOME": "/nowhere"}) == tmp_path / "x"


def test_without_a_name_it_is_the_users_own_cache_directory(tmp_path: Path) -> None:
    variables = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert places.cache(variables) == tmp_path / "xdg" / "hybridjoin.odj"
    del variables["XDG_CACHE_HOME"]
    assert places.cache(variables) == tmp_path / "home" / ".cache" / "hybridjoin.odj"
    assert (tmp_path / "home" / ".cache" / "hybridjoin.odj").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null", None])
def test_where_the_home_cannot_be_written_it_is_a_directory_of_the_computers(tmp_path: Path, home: str | None) -> None:
    taken = places.cache({"HOME": home} if home else {}, shared=tmp_path)
    assert taken.parent == tmp_path
    assert taken.is_dir()


def test_a_directory_that_others_may_write_is_not_taken(tmp_path: Path) -> None:
    first = places.cache({}, shared=tmp_path)
    first.chmod(0o777)
    with pytest.raises(Failed, match="name one in ODJ_CACHE"):
        places.cache({}, shared=tmp_path)


def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path) -> None:
    first = places.cache({}, shared=tmp_path)
    first.rename(tmp_path / "elsewhere")
    first.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed):
        places.cache({}, shared=tmp_path)


def test_a_path_with_a_space_is_reached_without_one_and_always_by_the_same_name(tmp_path: Path) -> None:
    variables = {"ODJ_CACHE": str(tmp_path / "with a space")}
    first, second = (places.cache(variables, shared=tmp_path / "shared") for __ in range(2))
    assert first == second
    assert " " not in str(first.relative_to(tmp_path))
    assert first.resolve() == tmp_path / "with a space"
    other = places.cache({"ODJ_CACHE": str(tmp_path / "another space")}, shared=tmp_path / "shared")
    assert other != first
