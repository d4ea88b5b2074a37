# SPDX-License-Identifier: GPL-3.0-or-later
"""Up, down, and the way through a reboot: one watcher per server follows the state file."""

from __future__ import annotations

import threading
import time
import traceback

from odj_lab.store import State
from odj_lab.windows import programs
from odj_lab.windows.boot import start_up
from odj_lab.windows.endpoint import Endpoint
from odj_lab.windows.machine import Machine, fault
from odj_lab.windows.ssh import SshDaemon

LOOK_EVERY_SECONDS = 0.1


class Watcher:
    """Opens and closes the doors of one server as its state says, and leads it through reboots."""

    def __init__(self, machine: Machine, endpoint: Endpoint, ssh: SshDaemon | None) -> None:
        self.machine = machine
        self._endpoint = endpoint
        self._ssh = ssh
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._seen = 0

    def start(self) -> None:
        """Open the doors (if the machine is up) and begin to watch.

        Raises:
            OSError: A port is taken.

        """
        self._follow(self.machine.read())
        self._thread.start()

    def close(self) -> None:
        """Stop watching and close the doors."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._shut()

    def _watch(self) -> None:
        pending, said = False, ""
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                pending, said = self._look(pending), ""
            except Exception as error:  # a state that somebody has spoilt must not end the watch
                if repr(error) != said:
                    traceback.print_exc()
                pending, said = True, repr(error)

    def _look(self, pending: bool) -> bool:
        """Follow the state when it was written since; return whether to look again in any case."""
        try:
            written = self.machine.store.path.stat().st_mtime_ns
        except FileNotFoundError:
            return pending
        if written == self._seen and not pending:
            return False
        self._seen = written
        state = self.machine.read()
        pending = state["boot"]["down_at"] is not None
        if pending:
            self._lead(state)
            state = self.machine.read()
        try:
            self._follow(state)
        except OSError:
            return True  # the port is not free yet
        return pending

    def _lead(self, state: State) -> None:
        now, boot = time.time(), state["boot"]
        if state["up"] and boot["down_at"] <= now < boot["up_at"]:
            with self.machine.edit("the machine goes down") as changing:
                changing["up"] = False
            self._shut()
        elif now >= boot["up_at"]:
            self._shut()
            with self.machine.edit("the machine comes up") as changing:
                started = start_up(changing)
            for name in started:
                programs.tell_service(self.machine, name, "start")

    def _follow(self, state: State) -> None:
        if state["up"] and fault(state, "refuse_connection") is None:
            self._open()
        else:
            self._shut()

    def _open(self) -> None:
        if not self._endpoint.is_open:
            self._endpoint.open()
            if self._ssh:
                self._ssh.open()

    def _shut(self) -> None:
        if self._endpoint.is_open:
            self._endpoint.close()
            if self._ssh:
                self._ssh.close()
