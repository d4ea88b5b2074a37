# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are made that stay: a directory of this user's own, by a path that every tool can read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from processes import Failed

SHARED = Path("/var/tmp")  # noqa: S108 - it is sticky, and only what this user owns there is taken


def cache(environment: Mapping[str, str], shared: Path = SHARED) -> Path:
    """Return the directory that everything is made in: $ODJ_CACHE, or the user's own where one can be written.

    Its path holds no space; where the real one does, it is a link to that: ansible-core 2.16 and ansible-test write the
    path of their Python into command lines and into the first lines of programs as it is.

    Raises:
        Failed: There is none.

    """
    if chosen := environment.get("ODJ_CACHE"):
        return _without_space(Path(chosen).absolute(), shared)
    home = environment.get("HOME")
    tops = (environment.get("XDG_CACHE_HOME"), f"{home}/.cache" if home else None)
    for directory in (*(Path(top) / "hybridjoin.odj" for top in tops if top), _own(shared)):
        if _is_ours(directory):
            return _without_space(directory, shared)
    raise Failed("there is no directory to write to; name one in ODJ_CACHE")


def _own(shared: Path) -> Path:
    return shared / f"hybridjoin.odj-{os.geteuid()}"


def _without_space(directory: Path, shared: Path) -> Path:
    if not any(letter.isspace() for letter in str(directory)):
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    if not _is_ours(_own(shared)):
        raise Failed(f"the path {directory} holds a space, and {_own(shared)} cannot hold a link; set ODJ_CACHE")
    link = _own(shared) / hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    if not link.is_symlink():
        fresh = link.with_name(f"{link.name}.{os.getpid()}")
        fresh.symlink_to(directory)
        fresh.replace(link)
    return link


def _is_ours(directory: Path) -> bool:
    """Make a directory where it is not there; say whether it is this user's alone to write."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.lstat()
    except OSError:
        return False
    private = facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
    return private and directory.is_dir() and os.access(directory, os.W_OK)
