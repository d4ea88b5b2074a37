# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""A server of which an earlier task has told what it saw, so that this task need not ask again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Probe, Snapshot
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, Result


class RememberingHost:
    """Answers from an earlier snapshot as long as nothing is changed; what that lacks is asked.

    Args:
        host: The server.
        snapshot: What an earlier task saw.
    """

    def __init__(self, host: Host, snapshot: Snapshot) -> None:
        self._host = host
        self._snapshot: Snapshot | None = snapshot
        self.name = host.name

    def ask(self, probes: Sequence[Probe]) -> Snapshot:
        """Return the answers to questions, from memory or all that are lacking in one remote execution."""
        if self._snapshot is None:
            return self._host.ask(probes)
        lacking = [probe for probe in probes if not self._snapshot.holds(probe)]
        if lacking:
            self._snapshot = self._snapshot.merged(self._host.ask(lacking))
        return self._snapshot.only(probes)

    def forget(self) -> bool:
        """Answer nothing from memory any more; return whether anything was until now."""
        remembered, self._snapshot = self._snapshot is not None, None
        return remembered

    def run_module(self, tried: str, module: str, options: Mapping[str, object]) -> Result:
        """Run a module, and forget what was seen before it."""
        self.forget()
        return self._host.run_module(tried, module, options)

    def run_action(self, tried: str, action: str, options: Mapping[str, object]) -> Result:
        """Run a module through its action plugin, and forget what was seen before it."""
        self.forget()
        return self._host.run_action(tried, action, options)

    def find_file(self, path: str) -> str:
        """Return the path on the controller of a file that a task names."""
        return self._host.find_file(path)
