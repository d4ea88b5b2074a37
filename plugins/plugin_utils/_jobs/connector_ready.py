# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_connector_ready: keep the service running, and wait for the person who signs in."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan, Record
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import read_connector
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, facts_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import host_facts
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.pending_restart import (
    is_pending,
    read_pending,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.readiness import (
    NobodySignedIn,
    NotReady,
    RestartPending,
    check_ready,
    plan_service,
    sign_in_helps,
    still_starting,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import ServerState, read_state
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.changes import WindowsChanges
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, WindowsError, look_at

EVERY = 60.0  # seconds between two lines about the waiting
# Seconds that the wizard may take from the certificate to a service that runs, and a service to finish starting.
GRACE = 300.0
LISTENING_INTERVAL = 1.0  # seconds between two looks whether somebody has signed in elsewhere
SERVICE_INTERVAL = 5.0  # seconds between two looks at a service that is still starting


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody is waited for, and how often the server is looked at meanwhile, in seconds."""

    timeout: float
    interval: float


class Meeting(t.Protocol):
    """Where waits of the same run tell each other that they are over."""

    def arrive(self) -> None:
        """Tell the others that somebody has signed in here."""

    def others_arrived(self) -> bool:
        """Return whether somebody has signed in at another server that is waited for."""


class ConnectorReady:
    """Sees to it that a connector can be counted on, as far as that needs no person, and waits for the person.

    Args:
        host: The server.
        scope: What is asked; with host, connector and config.
        patience: How long to wait for the sign-in; None means not at all.
        meeting: Where to hear of sign-ins at other servers, which end this wait too; None means nowhere.
        keep_service: Whether the service of a connector that somebody has signed in to is kept running.
        restart_pending: Whether an installer asked for a restart that has not been made.
        clock: Measures and waits.
        say: Called with lines for the person who watches the run.
    """

    def __init__(
        self,
        host: Host,
        scope: Scope,
        *,
        patience: Patience | None,
        meeting: Meeting | None = None,
        keep_service: bool,
        restart_pending: bool,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._host, self._scope, self._patience = host, scope, patience
        self._meeting = meeting
        self._keep_service, self._restart_pending = keep_service, restart_pending
        self._clock, self._say = clock, say
        self._failed_start = ""
        self._awaited = False
        self._snapshot: Snapshot

    def plan(self) -> Plan:
        """Look at the server and return what its service needs.

        Raises:
            RestartPending: The server has to be restarted first.
            NotReady: The connector cannot be counted on, and nothing that is done here mends it.
        """
        judged = self._look()
        pending = self._restart_pending or is_pending(self._snapshot, read_pending(self._snapshot))
        if pending and judged.state != "healthy":
            raise RestartPending(self._host.name)
        service = read_connector(self._snapshot).service
        plan = plan_service(self._host.name, judged, service) if self._keep_service else Plan()
        check_ready(self._host.name, judged, plan)
        return plan

    def apply(self, plan: Plan, record: Record) -> None:
        """Start the service, and look what came of it."""
        try:
            WindowsChanges(self._host).apply(plan, record)
        except WindowsError as error:
            # What is wrong then, the server itself tells better: a service does not start without a reason.
            self._failed_start = error.got
        self._look()

    def settle(self, plan: Plan, record: Record) -> None:
        """Wait for what a person or the service still has to do.

        Raises:
            NotReady: The connector cannot be counted on, and waiting does not help.
            NobodySignedIn: The time is over.
        """
        if self._judged().state != "healthy" and self._host.forget():
            self._look()
        begun = self._clock.monotonic()
        told: float | None = None
        since: float | None = None  # it is neither healthy nor waiting for a person
        while (judged := self._judged()).state != "healthy":
            now = self._clock.monotonic()
            if sign_in_helps(judged):
                if self._patience is None:
                    return
                since, self._awaited = None, True
                if self._meeting and self._meeting.others_arrived():
                    return
                self._check_timeout(judged, self._patience, now - begun)
            else:
                since = now if since is None else since
                self._check_progress(judged, now - since)
            if told is None or now - told >= EVERY:
                told = now
                self._say(self._line(judged, now - begun))
            seconds = self._patience.interval if self._patience else SERVICE_INTERVAL
            self._pause(seconds, self._meeting if sign_in_helps(judged) else None)
            self._look()
        if self._meeting:
            self._meeting.arrive()

    def _pause(self, seconds: float, meeting: Meeting | None) -> None:
        """Wait; at a meeting, no longer than until others arrive there."""
        if meeting is None:
            self._clock.sleep(seconds)
            return
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0 and not meeting.others_arrived():
            self._clock.sleep(min(left, LISTENING_INTERVAL))

    def _check_timeout(self, judged: ServerState, patience: Patience, waited: float) -> None:
        if waited >= patience.timeout:
            raise NobodySignedIn(self._host.name, judged, patience.timeout)

    def _check_progress(self, judged: ServerState, since: float) -> None:
        """Let pass, for a while, a service that is still starting and a wizard that is not done yet."""
        at_work = judged.state == "degraded" and (self._awaited or still_starting(judged))
        if not at_work or since >= GRACE:
            more = f"Starting the service failed: {self._failed_start.rstrip('.')}." if self._failed_start else ""
            raise NotReady(self._host.name, judged, more=more)

    def _line(self, judged: ServerState, waited: float) -> str:
        where = host_facts(self._snapshot)["fqdn"] or self._host.name
        if not sign_in_helps(judged) or self._patience is None:
            return f"[{self._host.name}]: waiting for the service on {where}. {judged.causes}"
        minutes = max(1, round((self._patience.timeout - waited) / 60))
        return (
            f"[{self._host.name}]: waiting for an Intune Administrator to sign in with the connector's wizard on "
            f"{where}, {minutes} more minute{'s' if minutes > 1 else ''}."
        )

    def _look(self) -> ServerState:
        self._snapshot = look_at(self._host, self._scope)
        return self._judged()

    def _judged(self) -> ServerState:
        return read_state(self._snapshot, self._scope.expectation)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``server`` and ``sign_in_required``."""
        required = self._judged().state in ("awaiting_sign_in", "absent")
        return {"server": facts_of(self._snapshot, self._scope), "sign_in_required": required}
