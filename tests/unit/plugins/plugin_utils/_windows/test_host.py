# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter to the inventory's connection: what it passes on, and what becomes an error."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import PROBE, WindowsError, WindowsHost
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON, StandingClock


class Action(SimpleNamespace):
    """An action plugin whose modules answer what the test says."""

    def _execute_module(self, *, module_name: str, module_args: dict[str, t.Any], task_vars: object) -> t.Any:
        self.seen = (module_name, module_args)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def host(answer: object, **more: object) -> tuple[WindowsHost, Action]:
    action = Action(answer=answer, **more)
    return WindowsHost(t.cast(t.Any, action), {"inventory_hostname": "odj07"}, StandingClock()), action


def test_a_look_is_one_execution_between_two_readings_of_the_clock() -> None:
    server, action = host({"answers": {"a": {"ok": True, "value": {"x": 1}}}})
    snapshot = server.ask([{"id": "a", "kind": "host"}])
    assert action.seen == (PROBE, {"probes": [{"id": "a", "kind": "host"}]})
    assert (snapshot.value("a").number("x"), snapshot.asked_at, snapshot.answered_at) == (1, NOON, NOON)


def test_a_failed_module_says_what_was_tried_where() -> None:
    server, _action = host({"failed": True, "msg": "Zugriff verweigert"})
    with pytest.raises(WindowsError, match=r"Could not look at the server \(odj07\): Zugriff verweigert\."):
        server.ask([])
    server, _action = host({"failed": True})
    with pytest.raises(WindowsError, match="without a message"):
        server.ask([])


@pytest.mark.parametrize("answer", [{}, {"answers": None}, {"answers": [1]}, {"answers": "x"}])
def test_an_answer_without_answers_is_an_error(answer: object) -> None:
    server, _action = host(answer)
    with pytest.raises(WindowsError, match="holds no answers"):
        server.ask([])


def test_an_unreachable_server_stays_ansibles_own_error() -> None:
    server, _action = host(AnsibleConnectionFailure("odj07 refused"))
    with pytest.raises(AnsibleConnectionFailure):
        server.ask([])


class Task(SimpleNamespace):
    def copy(self) -> Task:
        return Task(**vars(self))


def test_an_action_gets_a_task_of_its_own_and_no_diff() -> None:
    task = Task(args={"state": "present"}, diff=True)
    made: dict[str, t.Any] = {}

    def get(name: str, **things: t.Any) -> object:
        made.update(things, name=name)
        return SimpleNamespace(run=lambda task_vars: {"rebooted": True})

    loader = SimpleNamespace(action_loader=SimpleNamespace(get=get))
    nothing = dict.fromkeys(("_connection", "_play_context", "_loader", "_templar"))
    server, _action = host(None, _task=task, _shared_loader_obj=loader, **nothing)
    assert server.run_action("restart", "ansible.windows.win_reboot", {"msg": "x"}) == {"rebooted": True}
    assert (made["name"], made["task"].args, made["task"].diff) == ("ansible.windows.win_reboot", {"msg": "x"}, False)
    assert (task.args, task.diff) == ({"state": "present"}, True)


def test_a_missing_action_plugin_is_named() -> None:
    loader = SimpleNamespace(action_loader=SimpleNamespace(get=lambda *_a, **_k: None))
    nothing = dict.fromkeys(("_connection", "_play_context", "_loader", "_templar"))
    server, _action = host(None, _task=Task(args={}), _shared_loader_obj=loader, **nothing)
    with pytest.raises(WindowsError, match=r"there is no action plugin ansible\.windows\.win_copy"):
        server.run_action("copy", "ansible.windows.win_copy", {})


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(AnsibleError("no such file"), WindowsError), (AnsibleConnectionFailure("away"), AnsibleConnectionFailure)],
)
def test_an_action_that_ends_with_an_error_in_place_of_a_result_is_one_of_ours(
    raised: Exception, kind: type[Exception]
) -> None:
    def run(task_vars: object) -> t.Any:
        raise raised

    plugins = SimpleNamespace(action_loader=SimpleNamespace(get=lambda _name, **_more: SimpleNamespace(run=run)))
    parts = {"_connection": None, "_play_context": None, "_loader": None, "_templar": None}
    server, _action = host(None, _task=Task(args={}, diff=False), _shared_loader_obj=plugins, **parts)
    with pytest.raises(kind, match=str(raised)):
        server.run_action("bring it", "ansible.windows.win_copy", {})
