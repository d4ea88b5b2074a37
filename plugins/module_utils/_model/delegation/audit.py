# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations looks at, and the plain answers: who may create computers where, by which entry."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import Ace, ace_to_sddl, is_canonical
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, DnKey
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    origin_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid, well_known_name
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    Decision,
    applies_to,
    creating,
    may_create_computers,
    owner_of,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an access check says of one account on one unit."""

    unit: OrganizationalUnit
    token: Token
    decision: Decision


@dataclass(slots=True)
class Audit:
    """Everything that was read.

    Attributes:
        units: Those that are audited.
        above: The objects above them, by Dn.key.
        tokens: Of the accounts that are judged.
        expected: Whether these accounts are meant to create computers in each of the units.
        trustees: Everyone whom an entry speaks of, and the accounts.
        class_names: Names of the classes that entries are limited to.
        quota: ms-DS-MachineAccountQuota of the domain; None when it has none that may be read.
    """

    units: Sequence[OrganizationalUnit]
    above: Mapping[DnKey, OrganizationalUnit]
    tokens: Sequence[Token]
    expected: bool
    trustees: Mapping[Sid, Trustee]
    class_names: Mapping[uuid.UUID, str]
    quota: int | None
    _origins: dict[tuple[object, bytes], tuple[str, Ace] | None] = field(default_factory=dict)

    def trustee(self, sid: Sid) -> Trustee:
        """Return whom a SID means."""
        return self.trustees.get(sid) or Trustee(sid, str(sid), "foreign")

    def inside(self, sid: Sid) -> list[str]:
        """Return the names of the judged accounts that are this SID, or are in it."""
        return [token.account.name for token in self.tokens if token.holds(sid)]

    def origin(self, unit: OrganizationalUnit, entry: Ace) -> tuple[str, Ace]:
        """Return the DN of the object on which an entry was made, and the entry as it stands there.

        Those of the unit itself when the entry is its own, or when what it was inherited from is not found.
        """
        if not entry.rule.inherited:
            return unit.dn, entry
        above = Dn.parse(unit.dn).ancestors
        known = (above[0].key if above else (), entry.data)
        if known not in self._origins:
            found = origin_of(entry.rule, (self.above.get(name.key) for name in above))
            self._origins[known] = (found[0].dn, found[1]) if found else None
        return self._origins[known] or (unit.dn, entry)

    def source(self, unit: OrganizationalUnit, entry: Ace) -> str:
        """Return the DN of the object above from which an entry is inherited; "" when it is not, or not known."""
        dn = self.origin(unit, entry)[0] if entry.rule.inherited else unit.dn
        return "" if dn == unit.dn else dn

    def judgements(self) -> Iterator[Judgement]:
        """Yield the access check of each account on each unit."""
        for unit in self.units:
            for token in self.tokens:
                yield Judgement(unit, token, may_create_computers(unit.security, token))

    def unit_json(self, unit: OrganizationalUnit) -> dict[str, t.Any]:
        """Return one unit as data for a task result: its owner, and each entry that speaks of creating computers."""
        descriptor = unit.security
        owner = owner_of(descriptor) if descriptor else None
        return {
            "dn": unit.dn,
            "object_class": unit.object_class,
            "readable": descriptor is not None,
            "owner": self.trustee(owner).name if owner else "",
            "canonical": is_canonical(descriptor.dacl.aces) if descriptor and descriptor.dacl else True,
            "entries": [self.entry_json(unit, entry) for entry in creating(descriptor)] if descriptor else [],
        }

    def entry_json(self, unit: OrganizationalUnit, entry: Ace) -> dict[str, t.Any]:
        """Return one entry as data for a task result."""
        trustee = self.trustee(entry.rule.trustee)
        return {
            "account": trustee.name,
            "sid": str(trustee.sid),
            "kind": trustee.kind,
            "type": "allow" if entry.rule.allow else "deny",
            "classes": self._class_name(entry.rule.object_type),
            "reach": applies_to(entry.rule),
            "heirs": self._class_name(entry.rule.inherited_type),
            "conditional": entry.rule.conditional,
            "inherited": entry.rule.inherited,
            "inherited_from": self.source(unit, entry),
            "ace": ace_to_sddl(entry.data),
        }

    def access_json(self, judgement: Judgement) -> dict[str, t.Any]:
        """Return one access check as data for a task result."""
        unit, account, decision = judgement.unit, judgement.token.account, judgement.decision
        entry = decision.entry
        return {
            "organizational_unit": unit.dn,
            "account": account.name,
            "sid": str(account.sid),
            "can_create": decision.verdict,
            "reason": decision.reason,
            "through": self.trustee(entry.rule.trustee).name if entry else "",
            "inherited_from": self.source(unit, entry) if entry else "",
            "ace": ace_to_sddl(entry.data) if entry else "",
        }

    def token_json(self, token: Token) -> dict[str, t.Any]:
        """Return one judged account as data for a task result."""
        trustee = self.trustee(token.account.sid)
        known = {sid: self.trustees[sid].name for sid in token.sids if sid in self.trustees}
        return {
            "account": token.account.name,
            "sid": str(token.account.sid),
            "dn": token.account.dn,
            "kind": trustee.kind,
            "enabled": trustee.enabled,
            "hosts": trustee.hosts,
            "groups_known": token.complete,
            "groups": sorted(
                known.get(sid) or well_known_name(sid) or str(sid) for sid in token.sids - {token.account.sid}
            ),
        }

    def _class_name(self, guid: uuid.UUID | None) -> str:
        return "all" if guid is None else self.class_names.get(guid) or str(guid)


def quota_meaning(quota: int | None) -> str:
    """Return what the machine account quota of the domain means for an account without a right on the unit."""
    if quota is None:
        return "The machine account quota (ms-DS-MachineAccountQuota of the domain) is not set or may not be read."
    if quota == 0:
        return "The machine account quota is 0: without the right, a join fails at once."
    return (
        f"The machine account quota is {quota}: without the right, joins may work {quota} times for an account, "
        "then they fail (error 8557)."
    )


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
