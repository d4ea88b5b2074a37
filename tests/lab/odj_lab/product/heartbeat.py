# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat: each signed-in connector whose service runs and whose server reaches Intune says that it is there."""

from __future__ import annotations

import os
import threading
import traceback

from odj_lab.cloud import connectors
from odj_lab.product import builds, host, layout
from odj_lab.settings import Lab
from odj_lab.store import State

INTUNE = "manage.microsoft.com"


def seconds_between() -> float:
    """Return the seconds between two heartbeats (ODJ_LAB_HEARTBEAT; Microsoft does not say how many in life)."""
    return float(os.environ.get("ODJ_LAB_HEARTBEAT") or 5)


def is_healthy(state: State) -> bool:
    """Return whether the connector of a server works right now: signed in, running, Intune in reach."""
    product = host.product(state)
    service = host.service(state, layout.SERVICE)
    works = bool(state.get("up", True)) and service is not None and service["state"] == "Running"
    signed_in = bool(product.get("connector_id")) and bool(product.get("build"))
    return works and signed_in and not builds.is_legacy(product["build"]) and host.reaches(state, INTUNE)


def beat_all(lab: Lab) -> list[str]:
    """Let every healthy connector beat once; return the names of their servers."""
    beaten = []
    for server in lab.servers:
        state = host.store(lab, server).read()
        if is_healthy(state):
            product = host.product(state)
            try:
                connectors.beat(lab, product["connector_id"], version=product["build"])
            except LookupError:
                continue  # a test has taken it out of Intune
            beaten.append(server)
    return beaten


class Heartbeats:
    """The heartbeats of a lab, in a thread of their own until closed."""

    def __init__(self, lab: Lab) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(lab,), name="heartbeats", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop them."""
        self._ended.set()
        self._thread.join()

    def _run(self, lab: Lab) -> None:
        while not self._ended.wait(seconds_between()):
            try:
                beat_all(lab)
            except Exception:
                traceback.print_exc()  # to the daemon's log; a state that a test has spoilt must not silence the others


def start(lab: Lab) -> Heartbeats:
    """Start the heartbeats of a lab."""
    return Heartbeats(lab)
