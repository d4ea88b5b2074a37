# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reboot does to the state.

Time runs faster than in life: a delay that shutdown.exe is given is cut to `boot.longest_delay_seconds`, and the
machine is down for `boot.seconds_down`.
"""

from __future__ import annotations

import secrets
import time

from odj_lab.store import State
from odj_lab.windows.machine import Machine


def schedule_reboot(state: State, delay_seconds: float) -> None:
    """Plan a reboot in a state that is being edited; its time runs from `count_down` on."""
    boot = state["boot"]
    boot["down_after"] = min(delay_seconds, boot["longest_delay_seconds"])


def is_scheduled(state: State) -> bool:
    """Say whether a reboot is planned."""
    return state["boot"]["down_at"] is not None or state["boot"]["down_after"] is not None


def call_off(state: State) -> None:
    """Take a planned reboot back, in a state that is being edited."""
    state["boot"].update(down_after=None, down_at=None, up_at=None)


def count_down(machine: Machine) -> None:
    """Let the time of a planned reboot run; the watcher of the server carries it out.

    Called when whoever ordered it has the answer, so that nobody is too slow to get it.
    """
    if machine.read()["boot"]["down_after"] is None:
        return
    with machine.edit("the time of a reboot runs") as state:
        boot = state["boot"]
        boot["down_at"] = time.time() + boot["down_after"]
        boot.update(down_after=None, up_at=boot["down_at"] + boot["seconds_down"])


def start_up(state: State) -> list[str]:
    """Bring a state that is being edited from down to up; return the names of the services that started."""
    state["up"] = True
    state["boot_time"] = time.time() + float(state.get("clock_offset_seconds", 0))
    call_off(state)
    started = []
    for name, service in state["services"].items():
        automatic = service["start_mode"] == "Auto"
        service["state"] = "Running" if automatic else "Stopped"
        service["process_id"] = 1000 + secrets.randbelow(60000) if automatic else 0
        if automatic:
            started.append(name)
    return started
