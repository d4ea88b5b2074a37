# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The state of a connector: the one word derived from its conditions, with the reasons.

Everyone who has to know whether a server can be counted on asks ``may_count_on``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.conditions import (
    REMEDIATIONS,
    Condition,
    Expectation,
    read_conditions,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot

STATES = ("unknown", "absent", "legacy", "awaiting_sign_in", "degraded", "healthy")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a connector is not healthy: the condition, its reason in one word, cause and remediation as sentences."""

    condition: str
    reason: str
    cause: str
    remediation: str


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of a server's connector.

    Attributes:
        state: One of STATES.
        conditions: One for each of TYPES, in that order.
        reasons: Why it is not healthy; empty when it is.
    """

    state: str
    conditions: tuple[Condition, ...]
    reasons: tuple[Reason, ...]

    def condition(self, name: str) -> Condition:
        """Return the condition of a type."""
        return next(one for one in self.conditions if one.type == name)

    @property
    def signed_in(self) -> bool | None:
        """Whether somebody has signed in, however the connector is now; None when that cannot be read."""
        enrolled = self.condition("enrolled")
        return None if enrolled.status == "unknown" else enrolled.reason != "NotSignedIn"

    @property
    def causes(self) -> str:
        """All causes with their remediations, for a message."""
        return " ".join(f"{one.cause} {one.remediation}".strip() for one in self.reasons)

    def to_json(self) -> dict[str, object]:
        """Return the facts ``state``, ``conditions``, ``reasons`` and ``in_service``."""
        return {
            "state": self.state,
            "conditions": [asdict(one) for one in self.conditions],
            "reasons": [asdict(one) for one in self.reasons],
            "in_service": may_count_on(self).answer,
        }


@dataclass(frozen=True, slots=True)
class Reliance:
    """Whether a server can be counted on to process requests.

    Attributes:
        answer: True or False; None when it is not known, which nobody may take for yes.
        why: One or more sentences; empty with True.
    """

    answer: bool | None
    why: str


def may_count_on(server: ServerState) -> Reliance:
    """Say whether a server can be counted on: it is healthy. An unknown state is neither yes nor no."""
    if server.state == "healthy":
        return Reliance(True, "")
    return Reliance(None if server.state == "unknown" else False, server.causes)


def read_state(snapshot: Snapshot, expected: Expectation | None = None) -> ServerState:
    """Return the state that the answers describe.

    Args:
        snapshot: Answers to the questions of the connector and, where they were asked, of its configuration.
        expected: What was asked for.
    """
    conditions = read_conditions(snapshot, expected or Expectation())
    word = _word(conditions)
    return ServerState(word, conditions, tuple(_reasons(word, conditions)))


def _word(conditions: Sequence[Condition]) -> str:
    installed, enrolled = conditions[:2]
    decisive = [one for one in conditions if one.reason != "NotAsked"]
    rules = (
        ("unknown", installed.status == "unknown"),
        ("absent", installed.status == "false"),
        ("legacy", installed.reason == "LegacyBuild"),
        ("unknown", enrolled.status == "unknown"),
        ("awaiting_sign_in", enrolled.reason == "NotSignedIn"),
        # One that is false decides: what is unknown beside it could not make the server healthy.
        ("degraded", any(one.status == "false" for one in decisive)),
        ("unknown", any(one.status == "unknown" for one in decisive)),
    )
    return next((word for word, holds in rules if holds), "healthy")


def _hinders_sign_in(condition: Condition) -> bool:
    broken = condition.type == "configured" and condition.status == "false"
    return broken or (condition.type == "service_running" and condition.reason in ("ServiceMissing", "ServiceDisabled"))


def _reasons(word: str, conditions: Sequence[Condition]) -> list[Reason]:
    installed, enrolled, *others = conditions
    chosen = {
        "absent": [installed],
        "legacy": [installed],
        # Before the sign-in the service has no account and does not run; what keeps the wizard from its work is told.
        "awaiting_sign_in": [enrolled, *(one for one in others if _hinders_sign_in(one))],
        "degraded": [one for one in conditions if one.status == "false"],
        "unknown": [one for one in conditions if one.status == "unknown" and one.reason != "NotAsked"],
    }
    return [Reason(one.type, one.reason, one.message, REMEDIATIONS[one.reason]) for one in chosen.get(word, [])]
