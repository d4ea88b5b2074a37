# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this computer: real ones, never a virtual environment's and no version manager's shim."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from versions import PYTHONS

# A virtual environment answers with the interpreter that it was made from.
ASK = """
import importlib.util, json, os, sys
base = os.path.join(sys.base_prefix, "bin", "python%d.%d" % sys.version_info[:2])
print(json.dumps([
    "%d.%d" % sys.version_info[:2],
    os.path.realpath(base if os.path.exists(base) else getattr(sys, "_base_executable", sys.executable)),
    sys.version,
    importlib.util.find_spec("ensurepip") is not None,
]))
"""


@dataclass(frozen=True)
class Interpreter:
    """One Python.

    Attributes:
        version: Major and minor number.
        path: The executable, links followed.
        build: All that it says of its version.
        can_make: Whether it can make virtual environments (Debian has that in a package of its own).

    """

    version: str
    path: Path
    build: str
    can_make: bool

    @property
    def is_system(self) -> bool:
        """Whether it is the one that Debian's packages are made for."""
        return self.path == Path("/usr/bin/python3").resolve()


def find(environment: Mapping[str, str]) -> dict[str, Interpreter]:
    """Return the interpreters that are here by version: the system's own before those on PATH and those of pyenv."""
    found: dict[str, Interpreter] = {}
    for version in PYTHONS:
        for candidate in _candidates(version, environment):
            interpreter = look_at(candidate)
            if interpreter and interpreter.version == version and (interpreter.can_make or interpreter.is_system):
                found[version] = interpreter
                break
    return found


def system() -> Interpreter | None:
    """Return the Python that Debian's packages are made for."""
    return look_at(Path("/usr/bin/python3"))


def _candidates(version: str, environment: Mapping[str, str]) -> Iterator[Path]:
    yield Path(f"/usr/bin/python{version}")
    for directory in environment.get("ODJ_PATH", environment.get("PATH", "")).split(os.pathsep):
        if directory:
            yield Path(directory) / f"python{version}"
    for root in _pyenv_roots(environment):
        yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _pyenv_roots(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield where pyenv keeps its versions; behind sudo that is in the home of the user who called it."""
    if root := environment.get("PYENV_ROOT"):
        yield Path(root)
    for user in filter(None, (environment.get("SUDO_USER"), pwd.getpwuid(os.geteuid()).pw_name)):
        try:
            yield Path(pwd.getpwnam(user).pw_dir) / ".pyenv"
        except KeyError:
            continue


def look_at(candidate: Path) -> Interpreter | None:
    """Return the interpreter behind an executable, or None where there is none."""
    try:
        done = subprocess.run([candidate, "-I", "-c", ASK], capture_output=True, text=True, check=True)
        version, path, build, can_make = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return Interpreter(version, Path(path), build, can_make)
