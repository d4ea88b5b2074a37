# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and loopback addresses of the labs of these tests: each process of pytest has its own, so that several can run.

ODJ_LAB_NAME and ODJ_LAB_NET name the lab of a run without workers. A worker of pytest-xdist adds its own name to the
first. Every other net follows from the second: it differs in the second octet alone, so that two runs whose nets differ
in the third never meet.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from odj_lab import world
from odj_lab.settings import DEFAULT_NET, Lab, home_in_environment

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
NAME = "-".join(filter(None, [os.environ.get("ODJ_LAB_NAME") or "lab", WORKER]))
PLACES = ("lab", "servers", "cloud", "neighbour", "product", "other", "torn", "nowhere")
"""What lives on a net of its own; the first is the lab that most tests share."""

OWN_LABS = home_in_environment().with_name(f".{NAME}")
"""Directory of the labs that tests of labs make for themselves. Short, because Unix sockets live below it."""

_BASE = (os.environ.get("ODJ_LAB_NET") or DEFAULT_NET).split(".")


def net(place: str) -> str:
    """Return the three octets on which something lives in this process."""
    process = int(WORKER.removeprefix("gw")) + 1 if WORKER else 0
    number = len(PLACES) * process + PLACES.index(place)
    return f"127.{(int(_BASE[1]) + number) % 256}.{_BASE[2]}"


def wipe_all(place: Path) -> None:
    """Take away every lab in a directory, and the directory."""
    for path in place.glob("*/lab.json"):
        world.wipe(Lab.load(path.parent), lambda __: None)
    shutil.rmtree(place, ignore_errors=True)
