# SPDX-License-Identifier: GPL-3.0-or-later
"""The one background process of ours: connector servers, cloud, heartbeats. Ends by itself when forgotten."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, closing

from odj_lab import directory, processes
from odj_lab.product import heartbeat
from odj_lab.settings import Lab


def serve(lab: Lab) -> int:
    """Serve a lab until SIGTERM, until its time is over, or until its directory is gone; return the exit code."""
    from odj_lab import cloud, windows

    ended, forgotten = threading.Event(), threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *__: ended.set())
    signal.signal(signal.SIGALRM, lambda *__: forgotten.set())
    with ExitStack() as parts:
        try:
            parts.enter_context(closing(cloud.serve(lab)))
            parts.enter_context(closing(windows.serve(lab)))
            parts.enter_context(closing(heartbeat.start(lab)))
        except OSError as error:
            processes.say(f"The lab's servers could not listen: {error}")
            return 1
        controllers = _controllers(lab)
        signal.alarm(directory.maximum_seconds())
        processes.say("ready")
        while not ended.wait(1):
            controllers |= _controllers(lab)  # one that was started again is another process
            if forgotten.is_set() or not lab.path.exists():
                for controller in controllers.values():
                    processes.stop(controller, seconds=0)  # "unshare" does not heed SIGTERM
                break
    return 0


def _controllers(lab: Lab) -> dict[str, processes.Process]:
    """Return the domain controllers that run, by domain; their records go with the lab's directory."""
    found = {domain.name: directory.process(domain) for domain in lab.domains}
    return {name: process for name, process in found.items() if process is not None}
