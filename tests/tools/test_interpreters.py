# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Pythons are taken: real ones, wherever the search leads to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import interpreters

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def found(**environment: str) -> Path:
    return interpreters.find(environment)[HERE].path


def test_a_virtual_environment_that_is_first_on_path_is_never_taken(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    taken = found(PATH=str(tmp_path / "own" / "bin"), PYENV_ROOT=str(tmp_path))
    assert tmp_path not in taken.parents
    behind = interpreters.look_at(tmp_path / "own" / "bin" / "python")
    assert behind
    assert Path(sys.base_prefix).resolve() in behind.path.parents


def test_a_version_managers_script_leads_to_the_interpreter_behind_it(tmp_path: Path) -> None:
    shim = tmp_path / f"python{HERE}"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    assert tmp_path not in found(PATH=str(tmp_path)).parents


def test_what_only_calls_itself_python_is_passed_over(tmp_path: Path) -> None:
    for number, text in enumerate(("exit 127", "echo 3", 'echo \'["2.7", "/x", "", true]\'')):
        place = tmp_path / str(number)
        place.mkdir()
        (place / f"python{HERE}").write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (place / f"python{HERE}").chmod(0o755)
    search = ":".join([*(str(tmp_path / str(number)) for number in range(3)), str(Path(sys.executable).parent)])
    assert tmp_path not in found(PATH=search).parents


def test_the_path_of_the_user_behind_sudo_is_searched(tmp_path: Path) -> None:
    everything = interpreters.find({"ODJ_PATH": str(tmp_path), "PATH": "/nowhere", "PYENV_ROOT": str(tmp_path)})
    assert all(interpreter.path.exists() for interpreter in everything.values())
