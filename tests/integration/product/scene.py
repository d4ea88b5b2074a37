# SPDX-License-Identifier: GPL-3.0-or-later
"""What these tests have in common: where their labs live, and an installer that is run on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from odj_lab.product import builds, host, programs
from odj_lab.settings import Lab

NET = "127.0.44"
OTHER_NET = "127.0.46"
INSTALLER = "C:\\Windows\\Temp\\setup.exe"


def lab_at(home: Path, name: str, net: str) -> Lab:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODJ_LAB_HOME", str(home))
        patch.setenv("ODJ_LAB_NAME", name)
        patch.setenv("ODJ_LAB_NET", net)
        return Lab.from_environment()


def install(lab: Lab, server: str, build: str = builds.NEWEST, switches: str = "/quiet /norestart") -> int:
    """Put an installer on a server and run it; return its exit code."""
    with host.store(lab, server).edit("test") as state:
        host.product(state)["install_seconds"] = 0
        host.put_file(state, INSTALLER, builds.make_bootstrapper(build))
    return programs.execute(lab, server, f'"{INSTALLER}" {switches}').rc
