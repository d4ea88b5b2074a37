# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reboot does to the state.

Time runs faster than in life: a delay that shutdown.exe is given is cut to `boot.longest_delay_seconds`, and the
machine is down for `boot.seconds_down`.
"""

from __future__ import annotations

import secrets
import time

from odj_lab.store import State


def schedule_reboot(state: State, delay_seconds: float) -> None:
    """Plan a reboot in a state that is being edited; the watcher of the server carries it out."""
    boot = state["boot"]
    boot["down_at"] = time.time() + min(delay_seconds, boot["longest_delay_seconds"])
    boot["up_at"] = boot["down_at"] + boot["seconds_down"]


def start_up(state: State) -> list[str]:
    """Bring a state that is being edited from down to up; return the names of the services that started."""
    state["up"] = True
    state["boot_time"] = time.time() + float(state.get("clock_offset_seconds", 0))
    state["boot"].update(down_at=None, up_at=None)
    started = []
    for name, service in state["services"].items():
        automatic = service["start_mode"] == "Auto"
        service["state"] = "Running" if automatic else "Stopped"
        service["process_id"] = 1000 + secrets.randbelow(60000) if automatic else 0
        if automatic:
            started.append(name)
    return started
