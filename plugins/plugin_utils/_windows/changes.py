# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one door to changes of a Windows server: operations performed, and what was brought there removed again."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ansible.errors import AnsibleError

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    Fence,
    Operation,
    Plan,
    Record,
    ReplaceFile,
    RestartServer,
    RunInstaller,
    RunUninstaller,
    SetStartType,
    StartService,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import CHANGE, Host, WindowsError
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.installer import (
    bring,
    make_place,
    remove_place,
    run_installer,
    run_uninstaller,
)


class WindowsChanges:
    """What a task changes on a server.

    Attributes:
        exit_codes: Of the installers and uninstallers that were run, in their order.
        warnings: Sentences about what could not be cleaned up.
    """

    def __init__(self, host: Host) -> None:
        """Take the server."""
        self._host = host
        self._places: list[str] = []
        self.exit_codes: list[int] = []
        self.warnings: list[str] = []

    def perform(self, operation: Operation, fence: Fence | None = None) -> None:
        """Perform one operation, planned in this process or another.

        Args:
            operation: One of a server's.
            fence: Held by the server against the runs that it has seen; only the replacement of a file takes one yet.

        Raises:
            InvalidInput: It is an operation of something else, or takes no fence.
            OdjError: It could not be done.
        """
        if fence and not isinstance(operation, ReplaceFile):
            raise InvalidInput("perform the operation", on=operation.target, got="it takes no fence")
        match operation:
            case ReplaceFile():
                self._replace_file(operation, fence)
            case RunInstaller():
                path = operation.path or self._bring(operation)
                self.exit_codes.append(run_installer(self._host, operation, path))
            case RunUninstaller():
                self.exit_codes.append(run_uninstaller(self._host, operation))
            case RestartServer():
                self._restart()
            case SetStartType():
                # Automatic: one that is right is not planned, because the delayed one would become this.
                self._set_service(operation.service, "set the start type of the service", {"start_mode": "auto"})
            case StartService():
                self._set_service(operation.service, "start the service", {"state": "started"})
            case _:
                raise InvalidInput("perform the operation", on=operation.target, got="it is none of a server's")

    def apply(self, plan: Plan, record: Record) -> None:
        """Perform the operations of a plan in their order.

        Raises:
            OdjError: One could not be performed.
        """
        for operation in plan.changes:
            with record.performing(operation):
                self.perform(operation)

    def clean_up(self) -> list[str]:
        """Remove what was brought to the server; return a warning for each directory that could not be removed.

        That something could not be removed undoes nothing, so it fails nobody: a virus scanner may still hold the
        file, or the server may be on its way to a restart.
        """
        warnings = []
        for place in self._places:
            try:
                remove_place(self._host, place)
            except (OdjError, AnsibleError) as problem:
                warnings.append(f"{problem} Remove the directory {place} on {self._host.name} by hand.")
        self._places.clear()
        return warnings

    def _bring(self, operation: RunInstaller) -> str:
        place = make_place(self._host)
        self._places.append(place)
        return bring(self._host, operation, place)

    def _restart(self) -> None:
        try:
            self._host.run_action("restart the server", "ansible.windows.win_reboot", {})
        except WindowsError as problem:
            problem.in_doubt = problem.result.get("rebooted") is not False
            raise

    def _set_service(self, name: str, tried: str, options: Mapping[str, object]) -> None:
        self._host.run_module(tried, "ansible.windows.win_service", {"name": name, **options})

    def _replace_file(self, operation: ReplaceFile, fence: Fence | None) -> None:
        options: dict[str, object] = {
            "operation": "replace_file",
            "path": operation.target,
            "content": base64.b64encode(operation.content).decode("ascii"),
            "expected_sha256": operation.expected_sha256,
            "backup_path": operation.backup_path,
            "keep_backups": operation.keep_backups,
        }
        if fence:
            options["fence"] = fence.to_json()
        try:
            result = self._host.run_module("replace the configuration file", CHANGE, options)
        except WindowsError as problem:
            problem.in_doubt = problem.result.get("changed", True)  # a script that ends early says nothing
            raise
        if result.get("stale"):
            raise OdjError(
                "edit the configuration of the connector",
                on=self._host.name,
                got=f"{operation.target} was changed by somebody else just now",
                advice="Run again.",
            )
        left = [str(path) for path in result.get("backups_not_removed") or ()]
        self.warnings += [f"The old backup {path} on {self._host.name} could not be removed." for path in left]
