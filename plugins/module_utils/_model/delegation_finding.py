# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""A finding of the audit of delegations."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_survey import Trustee

SEVERITIES = ("high", "medium", "low")


@dataclass(slots=True)
class Finding:
    """One thing that is wrong, or that somebody should know, on however many units it is found.

    Attributes:
        code: What, as a word.
        severity: One of SEVERITIES.
        where: DN of the object on which it is cured, for the unit on which it was found first; "" when there is none.
        cause: What is the matter and why it matters.
        cure: What to do.
        trustee: Whom it is about, if anybody.
        ace: The entry as it stands where it is cured, in SDDL, or "".
        excess: Of a finding about too much: what is too much (the keys of EXCESS).
        source: Of a right from above: the object it comes from.
        cured_on: DNs of the objects on which it is cured, in the order in which they were found.
        inherited_by: DNs of the audited units that inherit it from there.

    """

    code: str
    severity: str
    where: str
    cause: str
    cure: str
    trustee: Trustee | None = None
    ace: str = ""
    excess: tuple[str, ...] = ()
    source: str = ""
    cured_on: dict[str, None] = field(default_factory=dict)
    inherited_by: dict[str, None] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        """What findings have in common that are told as one."""
        return self.code, self.trustee.sid if self.trustee else None, self.ace, self.source

    def found_again(self, other: Finding, unit: str) -> None:
        """Take in what was found on an audited unit and has the same key; it may be this finding itself."""
        self.cured_on[other.where] = None
        if unit != other.where:
            self.inherited_by[unit] = None

    def to_json(self) -> dict[str, t.Any]:
        """Return the finding as data for a task result."""
        return {
            "code": self.code,
            "severity": self.severity,
            "organizational_units": list(self.cured_on),
            "inherited_by": list(self.inherited_by),
            "account": self.trustee.name if self.trustee else "",
            "sid": str(self.trustee.sid) if self.trustee else "",
            "ace": self.ace,
            "excess": list(self.excess),
            "cause": self.cause,
            "cure": self.cure,
        }
