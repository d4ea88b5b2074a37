# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping a connector in service and waiting for its sign-in, against a server that keeps state."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.readiness import (
    NobodySignedIn,
    NotReady,
    RestartPending,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_ready import ConnectorReady, Patience
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.rendezvous import Rendezvous
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG

BUILD = "6.2604.2000.3"
SCOPE = Scope(frozenset({"host", "connector", "config"}))
BOTH = ("odj01", "odj02")
Result = dict[str, t.Any]
Event = Callable[[ChangingWindows], t.Any]


@dataclass
class Eventful(StandingClock):
    """Something happens at the server while somebody waits.

    Attributes:
        server: The server.
        events: What happens, by the second from which on.
    """

    server: ChangingWindows
    events: dict[float, Event] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    asked: int = 0

    def monotonic(self) -> float:
        self.asked += 1  # no two looks at a real clock are the same
        return super().monotonic() + self.asked / 1_000_000

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        for moment in [one for one in self.events if one <= self.monotonic()]:
            self.events.pop(moment)(self.server)


@dataclass
class Run:
    """One run of the job, and what it said."""

    server: ChangingWindows
    events: dict[float, Event] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __call__(
        self,
        *,
        wait: float = 0,
        keep: bool = True,
        restart: bool = False,
        check_mode: bool = False,
        meeting: Rendezvous | None = None,
    ) -> Result:
        self.clock = Eventful(self.server, self.events)
        job = ConnectorReady(
            self.server,
            SCOPE,
            patience=Patience(wait, 15) if wait else None,
            meeting=meeting,
            keep_service=keep,
            restart_pending=restart,
            clock=self.clock,
            say=self.lines.append,
        )
        return t.cast(Result, carry_out(job, check_mode=check_mode))


def installed(**more: t.Any) -> ChangingWindows:
    server = ChangingWindows(**more)
    server.install(BUILD)
    return server


def signed_in(**service: t.Any) -> ChangingWindows:
    server = installed()
    server.sign_in()
    server.service |= service
    return server


STOPPED = {"state": "Stopped", "exit_code": 1067}


def test_a_healthy_connector_costs_one_look_and_changes_nothing() -> None:
    server = signed_in()
    server.refuse_writes = True
    result = Run(server)()
    assert (result["changed"], result["sign_in_required"], server.looks) == (False, False, 1)
    assert result["server"]["state"] == "healthy"


def test_a_stopped_service_of_a_connector_that_somebody_signed_in_to_is_started() -> None:
    server = signed_in(**STOPPED)
    result = Run(server)()
    assert (result["changed"], result["server"]["state"]) == (True, "healthy")
    # A right start type is not named: it may be the delayed one.
    assert server.calls == [("ansible.windows.win_service", {"name": "ODJConnectorSvc", "state": "started"})]
    assert "unexpectedly" in result["plan"]["changes"][0]["summary"]


def test_check_mode_shows_the_start_and_does_not_make_it() -> None:
    server = signed_in(**STOPPED, start_mode="Disabled")
    server.refuse_writes = True
    result = Run(server)(check_mode=True)
    assert [(one["before"], one["after"]) for one in result["diff"]] == [
        ("start type: Disabled\n", "start type: Auto\n"),
        ("state: Stopped\n", "state: Running\n"),
    ]


def test_a_start_type_that_does_not_outlive_a_restart_is_set_while_the_service_runs() -> None:
    server = signed_in(start_mode="Manual")
    assert Run(server)()["changed"] is True
    assert server.calls[0][1] == {"name": "ODJConnectorSvc", "start_mode": "auto"}
    assert Run(server)()["changed"] is False


@pytest.mark.parametrize("wait", [0, 3600])
def test_a_service_that_cannot_log_on_fails_with_its_reasons_and_nobody_is_waited_for(wait: float) -> None:
    server = signed_in(state="Stopped", exit_code=1069)
    server.broken_service = "Cannot start service"
    run = Run(server)
    with pytest.raises(NotReady, match=r"degraded\. .*could not log on.*Cannot start service.*Group Policy") as caught:
        run(wait=wait)
    assert (run.lines, run.clock.slept) == ([], [])
    assert caught.value.facts["server"]["state"] == "degraded"


def test_an_unmanaged_service_that_stands_still_is_an_error() -> None:
    server = signed_in(**STOPPED)
    server.refuse_writes = True
    with pytest.raises(NotReady, match="Start it"):
        Run(server)(keep=False)


def test_a_service_with_the_wrong_account_is_not_started() -> None:
    server = signed_in(**STOPPED, start_name="LocalSystem")
    server.refuse_writes = True
    with pytest.raises(NotReady, match="LocalSystem"):
        Run(server)()


def test_a_service_that_is_still_starting_is_waited_for() -> None:
    run = Run(signed_in(state="Start Pending"), {10: lambda s: s.service.update(state="Running")})
    assert run()["server"]["state"] == "healthy"
    assert "still starting" in run.lines[0]


def test_a_service_that_never_finishes_starting_is_an_error() -> None:
    run = Run(signed_in(state="Start Pending"))
    with pytest.raises(NotReady, match="still starting"):
        run()
    assert 300 <= sum(run.clock.slept) < 310


def test_a_missing_sign_in_is_a_result_where_nobody_is_waited_for() -> None:
    result = Run(installed(refuse_writes=True))()
    assert (result["changed"], result["sign_in_required"]) == (False, True)


def test_waiting_ends_with_the_sign_in() -> None:
    run = Run(installed(), {100: lambda s: s.sign_in()})
    result = run(wait=3600)
    assert (result["server"]["state"], result["sign_in_required"]) == ("healthy", False)
    assert 100 <= sum(run.clock.slept) < 120


def test_waiting_says_once_a_minute_whom_it_waits_for_and_how_long_still() -> None:
    run = Run(installed())
    with pytest.raises(OdjError, match=r"nobody signed in within 300 s.*Sign in with the connector's wizard"):
        run(wait=300)
    assert len(run.lines) == 5
    assert "Intune Administrator" in run.lines[0]
    assert "odj01.contoso.com, 5 more minutes" in run.lines[0]
    assert run.lines[-1].endswith("1 more minute.")


def test_a_wizard_that_is_not_done_yet_is_no_fault() -> None:
    def certificate_first(server: ChangingWindows) -> None:
        server.sign_in()
        server.service |= {"state": "Stopped", "start_name": "LocalSystem", "exit_code": 1077}

    run = Run(installed(), {30: certificate_first, 90: lambda s: s.sign_in()})
    assert run(wait=3600)["server"]["state"] == "healthy"


def test_a_sign_in_that_leaves_a_broken_connector_is_told_before_the_time_is_up() -> None:
    def broken(server: ChangingWindows) -> None:
        server.sign_in()
        server.service |= {"state": "Stopped", "exit_code": 1069}

    run = Run(installed(), {30: broken})
    with pytest.raises(NotReady, match="could not log on"):
        run(wait=3600)
    assert sum(run.clock.slept) < 400


@pytest.mark.parametrize("probe", ["certificate", "uninstall_64"])
def test_a_look_that_cannot_be_answered_ends_the_wait_at_once_with_the_reason(probe: str) -> None:
    run = Run(installed(), {60: lambda s: s.broken.add(probe)})
    with pytest.raises(NotReady, match=r"unknown\. .*Zugriff verweigert"):
        run(wait=3600)
    assert sum(run.clock.slept) == 60


def test_nobody_is_asked_to_sign_in_where_the_wizard_cannot_work() -> None:
    server = installed(refuse_writes=True)
    server.files[CONFIG] = b"<"
    with pytest.raises(NotReady, match="Correct the file by hand"):
        Run(server)(wait=3600)


def test_a_disabled_service_is_enabled_before_somebody_is_asked_to_sign_in() -> None:
    server = installed()
    server.service["start_mode"] = "Disabled"
    assert Run(server)()["sign_in_required"] is True
    assert server.calls[0][1] == {"name": "ODJConnectorSvc", "start_mode": "auto"}
    server.service["start_mode"] = "Disabled"
    with pytest.raises(NotReady, match="disabled"):
        Run(server)(keep=False)


@pytest.mark.parametrize(("build", "word"), [("6.2407.2000.8", "legacy"), ("newest", "unknown")])
def test_a_connector_that_no_sign_in_mends_is_an_error(build: str, word: str) -> None:
    server = ChangingWindows(refuse_writes=True)
    server.install(build)
    with pytest.raises(NotReady, match=word):
        Run(server)(wait=3600)


def test_an_empty_server_is_an_error_but_in_a_check() -> None:
    server = ChangingWindows(refuse_writes=True)
    assert Run(server)(check_mode=True)["sign_in_required"] is True
    with pytest.raises(NotReady, match="No connector is installed"):
        Run(server)()


def test_a_pending_restart_is_said_before_anything_else() -> None:
    server = installed(refuse_writes=True)
    with pytest.raises(RestartPending, match="restart of the server, which has not been made"):
        Run(server)(restart=True, wait=3600)
    server = ChangingWindows(refuse_writes=True)
    with pytest.raises(RestartPending):
        Run(server)(restart=True)
    assert Run(signed_in())(restart=True)["server"]["state"] == "healthy"


def test_a_sign_in_elsewhere_ends_the_wait_within_a_second_and_not_the_need(tmp_path: Path) -> None:
    here, there = (Rendezvous(str(tmp_path), name, BOTH) for name in BOTH)
    run = Run(installed(), {40: lambda __: there.arrive()})
    result = run(wait=3600, meeting=here)
    assert (result["sign_in_required"], result["changed"]) == (True, False)
    assert 40 <= run.clock.monotonic() <= 41


def test_the_own_sign_in_is_told_to_the_others(tmp_path: Path) -> None:
    here, there = (Rendezvous(str(tmp_path), name, BOTH) for name in BOTH)
    result = Run(installed(), {40: lambda server: server.sign_in()})(wait=3600, meeting=here)
    assert not result["sign_in_required"]
    assert there.others_arrived()


def test_a_server_at_which_nobody_signed_in_stays_on_the_list_of_sign_ins() -> None:
    with pytest.raises(NobodySignedIn, match="nobody signed in within 60 s") as caught:
        Run(installed())(wait=60)
    assert caught.value.facts["server"]["state"] == "awaiting_sign_in"
