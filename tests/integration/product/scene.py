# SPDX-License-Identifier: GPL-3.0-or-later
"""What these tests have in common: where their labs live, and an installer that is run on a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from odj_lab.product import builds, host, programs
from odj_lab.settings import Lab

LAUNCHER = Path(__file__).parents[2] / "lab" / "lab"
INSTALLER = "C:\\Windows\\Temp\\setup.exe"


def lab_at(home: Path, name: str, net: str) -> Lab:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODJ_LAB_HOME", str(home))
        patch.setenv("ODJ_LAB_NAME", name)
        patch.setenv("ODJ_LAB_NET", net)
        return Lab.from_environment()


def command(lab: Lab, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a lab as a person does."""
    environment = {
        **os.environ,
        "ODJ_LAB_PYTHON": sys.executable,
        "ODJ_LAB_HOME": str(lab.home.parent),
        "ODJ_LAB_NAME": lab.name,
        "ODJ_LAB_NET": lab.net,
        **variables,
    }
    return subprocess.run([LAUNCHER, *words], env=environment, capture_output=True, text=True, check=False)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence in which a command says why not."""
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


def install(lab: Lab, server: str, build: str = builds.NEWEST, switches: str = "/quiet /norestart") -> int:
    """Put an installer on a server and run it; return its exit code."""
    with host.store(lab, server).edit("test") as state:
        host.product(state)["install_seconds"] = 0
        host.put_file(state, INSTALLER, builds.make_bootstrapper(build))
    return programs.execute(lab, server, f'"{INSTALLER}" {switches}').rc
