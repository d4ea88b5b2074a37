# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts all connector servers of a lab in this process."""

from __future__ import annotations

import typing as t

from odj_lab import pki
from odj_lab.settings import Lab
from odj_lab.windows.auth import write_accounts
from odj_lab.windows.endpoint import Endpoint
from odj_lab.windows.first_state import create_state
from odj_lab.windows.machine import Machine
from odj_lab.windows.power import Watcher
from odj_lab.windows.ssh import SshDaemon


class Serving:
    """Running servers; close them when done."""

    def __init__(self, watchers: list[Watcher]) -> None:
        self._watchers = watchers

    def close(self) -> None:
        """Stop all servers; their state stays on disk."""
        for watcher in self._watchers:
            watcher.close()

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def serve(lab: Lab, *, ssh: bool = True) -> Serving:
    """Start all servers of a lab and return when they listen; a server without state gets its first one.

    Args:
        lab: The lab; its `lab.json` must be saved when ssh is to work.
        ssh: Also listen for ssh, where sshd is installed.

    Raises:
        OSError: A port is taken or an address is not there; nothing keeps running then.

    """
    watchers: list[Watcher] = []
    try:
        for name in lab.servers:
            machine = Machine(lab, name)
            if not machine.store.path.exists():
                machine.store.create(create_state(lab, name))
            names = [f"{name}.{machine.domain.name}", name]
            certificate = pki.ensure_leaf(lab, name, dns=names, addresses=[lab.server_address(name)])
            endpoint = Endpoint(machine, write_accounts(lab, name), certificate)
            watcher = Watcher(machine, endpoint, SshDaemon(machine) if ssh else None)
            watchers.append(watcher)
            watcher.start()
    except BaseException:
        Serving(watchers).close()
        raise
    return Serving(watchers)
