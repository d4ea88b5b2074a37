# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The Windows server behind the inventory's own connection: ask it, and change it through modules."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, further_probes, probes_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.installer_source import places_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Probe, Snapshot

PROBE = "hybridjoin.odj.odj_server_probe"
CHANGE = "hybridjoin.odj.odj_server_change"

Result: t.TypeAlias = "Mapping[str, t.Any]"


def say(line: str) -> None:
    """Show a line to the person who watches the run; the automation platform has it in the output of the job.

    A worker hands it to Ansible's own process, which is what shows it.
    """
    Display().display(line)


class WindowsError(OdjError):
    """A module could not do its work on the Windows server.

    Attributes:
        result: What the module answered.
    """

    def __init__(self, tried: str, *, on: str, result: Result, advice: str = "") -> None:
        self.result = result
        super().__init__(
            tried, on=on, got=str(result.get("msg") or "the module failed without a message"), advice=advice
        )


class Host(t.Protocol):
    """What the jobs need of a Windows server."""

    name: str

    def ask(self, probes: Sequence[Probe]) -> Snapshot:
        """Return the answers to questions, all in one remote execution."""

    def run_module(self, tried: str, module: str, options: Mapping[str, object]) -> Result:
        """Run a module that has no action plugin."""

    def run_action(self, tried: str, action: str, options: Mapping[str, object]) -> Result:
        """Run a module through its action plugin."""

    def find_file(self, path: str) -> str:
        """Return the path on the controller of a file that a task names."""

    def forget(self) -> bool:
        """Answer nothing from what an earlier task saw any more; return whether anything was until now."""


def look_at(host: Host, scope: Scope, extra: Sequence[Probe] = ()) -> Snapshot:
    """Return the answers to all questions of a scope, and to ``extra`` ones.

    That is one remote execution; a second one only when the connector lies somewhere else than expected.

    Raises:
        WindowsError: There are no answers at all.
    """
    snapshot = host.ask([*probes_of(scope), *extra])
    further = further_probes(snapshot, scope)
    return snapshot.merged(host.ask(further)) if further else snapshot


class WindowsHost:
    """The server of one task.

    An unreachable server is not an error of ours: Ansible's own, which names the host, goes through.

    Args:
        action: The action plugin of the task: its connection, become and check mode are used.
        task_vars: The task's variables.
        clock: Of the controller; a snapshot says when it was taken.
    """

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any], clock: Clock) -> None:
        self._action = action
        self._task_vars = task_vars
        self._clock = clock
        self.name = str(task_vars.get("inventory_hostname", "the server"))

    def ask(self, probes: Sequence[Probe]) -> Snapshot:
        """Return the answers to questions, all in one remote execution.

        Raises:
            WindowsError: There are no answers at all. A single question that fails is in the snapshot.
        """
        asked_at = self._clock.now()
        result = self.run_module("look at the server", PROBE, {"probes": list(probes)})
        answers = result.get("answers")
        if not isinstance(answers, Mapping):
            raise WindowsError("look at the server", on=self.name, result={"msg": "the answer holds no answers"})
        questions = {str(probe["id"]): probe for probe in probes}
        return Snapshot(answers, asked_at, self._clock.now(), questions)

    def run_module(self, tried: str, module: str, options: Mapping[str, object]) -> Result:
        """Run a module that has no action plugin, and return its result.

        Raises:
            WindowsError: It failed.
        """
        result = self._action._execute_module(module_name=module, module_args=dict(options), task_vars=self._task_vars)
        return self._checked(tried, result)

    def run_action(self, tried: str, action: str, options: Mapping[str, object]) -> Result:
        """Run a module through its action plugin, and return its result.

        Raises:
            WindowsError: It failed.
        """
        task = self._action._task.copy()
        task.args = dict(options)
        task.diff = False  # the diff of the task is that of its plan
        plugin = self._action._shared_loader_obj.action_loader.get(
            action,
            task=task,
            connection=self._action._connection,
            play_context=self._action._play_context,
            loader=self._action._loader,
            templar=self._action._templar,
            shared_loader_obj=self._action._shared_loader_obj,
        )
        if plugin is None:
            raise WindowsError(tried, on=self.name, result={"msg": f"there is no action plugin {action}"})
        try:
            result = plugin.run(task_vars=self._task_vars)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as problem:  # as some action plugins fail: with an error in place of a result
            raise WindowsError(tried, on=self.name, result={"msg": str(problem)}) from problem
        return self._checked(tried, result)

    def find_file(self, path: str) -> str:
        """Return the path on the controller of a file that a task names.

        It is looked for where Ansible does (in files of roles and play, absolute), and beside inventory and playbook.

        Raises:
            AnsibleError: There is no such file; the message lists where it was looked for.
        """
        try:
            return str(self._action._find_needle("files", path))
        except AnsibleError:
            beside = next((place for place in places_of(path, self._task_vars) if Path(place).is_file()), None)
            if beside is None:
                raise
            return beside

    def forget(self) -> bool:
        """Return that nothing of an earlier task is believed."""
        return False

    def _checked(self, tried: str, result: Result) -> Result:
        if result.get("failed"):
            raise WindowsError(tried, on=self.name, result=result)
        return result
