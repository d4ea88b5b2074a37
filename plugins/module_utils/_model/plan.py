# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The plan: what would change, why, and what follows from it.

Each module reads, states what is desired, and compares; the result is a plan. Whether something changed, the diff and
the answer of check mode are read off the plan, never assigned.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs from what is desired.

    Attributes:
        action: The verb, one word with underscores: "replace_dacl", "install", "create".
        target: What it is done to: a DN, a path, a service name.
        before: Text of the present state as a person reads it, lines ended by a newline; "" when absent.
        after: The same for the state after the change.
        summary: One sentence for people.
        payload: What the adapter needs to do it (bytes, options). Never printed.
    """

    action: str
    target: str
    before: str
    after: str
    summary: str
    payload: object = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SideCondition:
    """Something that follows from a change and that somebody has to know or do.

    Attributes:
        kind: "restart_service", "reboot", "sign_in" ...
        target: What it concerns.
        reason: One sentence for people.
    """

    kind: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes in the order in which they are to be made, with what follows from them. False when empty."""

    changes: tuple[Change, ...] = ()
    side_conditions: tuple[SideCondition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def to_json(self) -> dict[str, list[dict[str, str]]]:
        """Return the plan as data for a task result: ``changes`` and ``side_conditions``, without payloads."""
        return {
            "changes": [
                {"action": c.action, "target": c.target, "before": c.before, "after": c.after, "summary": c.summary}
                for c in self.changes
            ],
            "side_conditions": [{"kind": s.kind, "target": s.target, "reason": s.reason} for s in self.side_conditions],
        }

    def to_diff(self) -> list[dict[str, str]]:
        """Return Ansible's list form of a diff, one entry for each change."""
        return [
            {"before_header": c.target, "after_header": c.target, "before": c.before, "after": c.after}
            for c in self.changes
        ]
