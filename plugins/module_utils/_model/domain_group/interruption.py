# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Whether a connector may be taken out of service, even for seconds: never the last one that carries the joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import part, text

_IDLE = ("absent", "legacy", "awaiting_sign_in")
ALLOW = "odj_allow_outage: true"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server of the group stands when somebody is about to take one out of service.

    Attributes:
        name: Its name in the inventory.
        state: The state word of its connector; "" or "unknown" when it is not known.
        in_batch: Whether the same batch works on it.
        interrupts: Whether the play would take it out of service; None when its plan is not known yet.
        stopped: Whether its service is known not to run.
    """

    name: str
    state: str
    in_batch: bool = False
    interrupts: bool | None = False
    stopped: bool = False

    @property
    def healthy(self) -> bool:
        """Whether its connector carries joins."""
        return self.state == "healthy"

    @property
    def idle(self) -> bool:
        """Whether its connector is known to carry no joins; a degraded one may, as long as its service runs."""
        return self.state in _IDLE or (self.state == "degraded" and self.stopped)


@dataclass(frozen=True, slots=True)
class Permit:
    """It may be interrupted; ``reason`` is one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """It may not be interrupted now.

    Attributes:
        sentence: Why.
        satisfied_by: What would change that, as a sentence.
    """

    sentence: str
    satisfied_by: str


def may_interrupt(group: Sequence[Standing], target: str, *, allow_outage: bool = False) -> Permit | Refusal:
    """Judge whether the connector of ``target`` may be taken out of service.

    Args:
        group: All servers of the domain, in the order in which the play works on them; ``target`` is one of them.
        target: Name of the server.
        allow_outage: The user accepts that no connector of the domain may be left for a while.
    """
    own = next(one for one in group if one.name == target)
    if own.idle:
        return Permit(f"The connector of {target} carries no joins now ({own.state}).")
    if allow_outage:
        return Permit("The user accepts an outage (odj_allow_outage).")
    peers = [one for one in group if one.name != target]
    return _one_at_a_time(group, target) or _others_carry_on(peers, target)


def _one_at_a_time(group: Sequence[Standing], target: str) -> Refusal | None:
    batch = [one for one in group if one.in_batch]
    unplanned = [one.name for one in batch if one.interrupts is None and one.name != target]
    if unplanned:
        return Refusal(
            f"{target} would be interrupted, and what the same run will do to {_listed(unplanned)} is not known yet.",
            "Run it with the linear strategy and serial: 1 (odj_serial).",
        )
    first = next((one.name for one in batch if one.interrupts and not one.idle), target)
    if first == target:
        return None
    return Refusal(
        f"{target} would be interrupted in the same batch as {first}, which serves the same domain.",
        "Run it with serial: 1 (odj_serial), one server after the other.",
    )


def _others_carry_on(peers: Sequence[Standing], target: str) -> Permit | Refusal:
    unknown = [one.name for one in peers if one.state in ("", "unknown")]
    ill = [
        f"{one.name} ({one.state})" for one in peers if not one.healthy and one.state not in ("", "unknown", "absent")
    ]
    if unknown:
        return Refusal(
            f"{target} would be interrupted, and whether {_listed(unknown)} can take over is not known.",
            f"Make {_listed(unknown)} reachable, or accept an outage ({ALLOW}).",
        )
    if ill:
        return Refusal(
            f"{target} would be interrupted while {_listed(ill)} of the same domain cannot take over.",
            f"Repair {_listed(ill)} first, or accept an outage ({ALLOW}).",
        )
    healthy = [one.name for one in peers if one.healthy]
    if not healthy:
        return Refusal(
            f"{target} is the only connector of its domain, so no device could join while it is out of service.",
            f"Set up a second server first, or accept an outage ({ALLOW}).",
        )
    return Permit(f"{_listed(healthy)} can take over meanwhile.")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def interrupts(result: Mapping[str, object]) -> bool | None:
    """Return whether the plan of a task result takes a connector out of service; None when there is no plan."""
    if "plan" not in result:
        return None
    changes = part(result, "plan").get("changes")
    if not isinstance(changes, Sequence):
        return None
    return any(change.get("interrupts") is not False for change in changes if isinstance(change, Mapping))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that may be of the group, and what a play knows of it.

    Attributes:
        name: Its name in the inventory.
        domain: Its AD domain by the inventory; "" when that says nothing.
        look: A result of odj_server_info; empty when it did not answer.
        plan: The result of odj_connector_install in check mode; empty when there is none yet.
        in_batch: Whether the same batch works on it.
    """

    name: str
    domain: str
    look: Mapping[str, object]
    plan: Mapping[str, object]
    in_batch: bool

    @property
    def seen_domain(self) -> str:
        """The domain as seen on the server, else as the inventory says, in lower case."""
        seen = text(part(part(self.look, "server"), "host"), "domain") or self.domain
        return seen.rstrip(".").casefold()

    def standing(self) -> Standing:
        """Return how it stands."""
        state = text(part(self.look, "server"), "state")
        planned = interrupts(self.plan) if self.in_batch else False
        return Standing(self.name, state, self.in_batch, planned, self._stopped())

    def _stopped(self) -> bool:
        conditions = part(self.look, "server").get("conditions")
        running = [one for one in conditions if isinstance(one, Mapping)] if isinstance(conditions, Sequence) else []
        return any(text(one, "type") == "service_running" and text(one, "status") == "false" for one in running)


def standings(candidates: Sequence[Candidate], target: str) -> list[Standing]:
    """Return how all servers of the domain of one stand; one whose domain nobody knows counts among them."""
    domain = next(one for one in candidates if one.name == target).seen_domain
    return [one.standing() for one in candidates if one.name == target or one.seen_domain in (domain, "")]
