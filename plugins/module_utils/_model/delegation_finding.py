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
    """One thing that is wrong, or that somebody should know.

    Attributes:
        code: What, as a word.
        severity: One of SEVERITIES.
        where: DN of the object on which it is cured; "" when that is not an entry of an object.
        cause: What is the matter and why it matters.
        cure: What to do.
        trustee: Whom it is about, if anybody.
        ace: The entry as it stands there, in SDDL, or "".
        excess: Of a finding about too much: what is too much (the keys of EXCESS).
        affects: The audited units that it concerns.

    """

    code: str
    severity: str
    where: str
    cause: str
    cure: str
    trustee: Trustee | None = None
    ace: str = ""
    excess: tuple[str, ...] = ()
    affects: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        """What findings have in common that are one: found on several units, made on one."""
        return self.code, self.where.casefold(), self.trustee.sid if self.trustee else None, self.ace

    def to_json(self) -> dict[str, t.Any]:
        """Return the finding as data for a task result."""
        return {
            "code": self.code,
            "severity": self.severity,
            "organizational_unit": self.where,
            "account": self.trustee.name if self.trustee else "",
            "sid": str(self.trustee.sid) if self.trustee else "",
            "ace": self.ace,
            "excess": list(self.excess),
            "affects": self.affects,
            "cause": self.cause,
            "cure": self.cure,
        }
