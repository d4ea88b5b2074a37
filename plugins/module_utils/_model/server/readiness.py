# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What it takes until a connector can be counted on: its service kept running, and a person who signs in.

Whether a sign-in helps is judged here: nobody is asked for one that does not.
"""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    Plan,
    SetStartType,
    StartService,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import SERVICE_NAME
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.service import Service
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import ServerState, may_count_on

# With another account than a managed one the connector does not work, running or not.
_NOT_STARTED = frozenset({"AccountLocalSystem", "AccountNotManaged", "AccountUnexpected", "ServiceMissing"})


class NotReady(OdjError):
    """A connector that cannot be counted on, and that neither starting its service nor a sign-in mends.

    Attributes:
        facts: What the task result holds beside the message.
    """

    def __init__(self, server: str, judged: ServerState, *, more: str = "") -> None:
        self.facts = {"server": judged.to_json()}
        remediations = dict.fromkeys(one.remediation for one in judged.reasons)
        causes = " ".join(one.cause for one in judged.reasons)
        super().__init__(
            "count on the connector",
            on=server,
            got=f"it is {judged.state}. {causes} {more}".strip(),
            advice=" ".join(remediations),
        )


class NobodySignedIn(OdjError):
    """The time for the sign-in is over.

    Attributes:
        facts: What the task result holds beside the message, so that the list of sign-ins still has the server.
    """

    def __init__(self, server: str, judged: ServerState, timeout: float) -> None:
        self.facts = {"server": judged.to_json()}
        super().__init__(
            "see the sign-in at the connector",
            on=server,
            got=f"nobody signed in within {round(timeout)} s",
            advice=f"{judged.causes} Then run this again; it goes on from here.",
        )


class RestartPending(OdjError):
    """The installer asked for a restart that has not been made: until then nothing else is worth doing."""

    def __init__(self, server: str) -> None:
        super().__init__(
            "go on with the connector",
            on=server,
            got="the installer asked for a restart of the server, which has not been made",
            advice="Restart the server, or let this run do it (odj_reboot), and run again: the outcome is judged then.",
        )


def plan_service(server: str, judged: ServerState, service: Service) -> Plan:
    """Return what has to be done so that the service of a connector that somebody has signed in to runs and stays so.

    Before the sign-in the service stands still; then only a start type is changed that the wizard could not cope with.
    """
    awaiting = judged.state == "awaiting_sign_in"
    if not service.exists or (judged.state not in ("degraded", "healthy") and not awaiting):
        return Plan()
    if judged.condition("account_ready").reason in _NOT_STARTED and not awaiting:
        return Plan()
    stands = service.state == "Running" or (service.state or "").endswith("Pending") or awaiting
    mode_is_right = service.start_mode == "Auto" or (awaiting and service.start_mode != "Disabled")
    operations: list[SetStartType | StartService] = []
    if not mode_is_right:
        mode = service.start_mode or "unknown"
        operations.append(
            SetStartType(
                target=server,
                before=f"start type: {mode}\n",
                after="start type: Auto\n",
                summary=f"Set the start type of the service {SERVICE_NAME} on {server} to Automatic; it is {mode}.",
                reason="The service has to come back by itself when the server starts.",
                service=SERVICE_NAME,
            )
        )
    if not stands:
        reason = judged.condition("service_running").message
        operations.append(
            StartService(
                target=server,
                before=f"state: {service.state or 'unknown'}\n",
                after="state: Running\n",
                summary=f"Start the service {SERVICE_NAME} on {server}. {reason}",
                reason=reason,
                service=SERVICE_NAME,
            )
        )
    return Plan(tuple(operations))


def sign_in_helps(judged: ServerState) -> bool:
    """Return whether a sign-in is all that is missing."""
    return judged.state == "awaiting_sign_in" and [one.reason for one in judged.reasons] == ["NotSignedIn"]


def still_starting(judged: ServerState) -> bool:
    """Return whether all that is wrong is a service that has not finished starting."""
    return judged.state == "degraded" and {one.reason for one in judged.reasons} == {"ServicePending"}


def check_ready(server: str, judged: ServerState, plan: Plan) -> None:
    """Let pass what is in service, what a plan may mend, what only awaits a sign-in or a moment, and an empty server.

    Raises:
        NotReady: It is none of these.
    """
    passes = (
        may_count_on(judged).answer is True,
        bool(plan),
        sign_in_helps(judged),
        still_starting(judged),
        judged.state == "absent",
    )
    if not any(passes):
        raise NotReady(server, judged)
