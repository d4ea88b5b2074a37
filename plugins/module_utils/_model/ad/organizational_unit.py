# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Organizational units as targets: what was asked for, what is there, and why it may be refused."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError

WRITE_DACL = 4  # sDRightsEffective, MS-ADTS 3.1.1.4.5.4: DACL_SECURITY_INFORMATION
COMPUTERS_CONTAINER_GUID = "AA312825768811D1ADED00C04FD8D5CD"  # in wellKnownObjects of the domain


DOMAIN_CONTROLLERS_GUID = "A361B2FFFFD211D1AA4B00C04FD7D83A"  # MS-ADTS 6.1.1.4, as the one above


class TargetError(OdjError):
    """Something that was named as a target cannot be one."""


@dataclass(frozen=True, slots=True)
class OrganizationalUnit:
    """One target.

    Attributes:
        requested: As the user wrote it.
        dn: As the directory spells it; the parsed spelling of the user when it does not exist.
        exists: Whether there is such an object.
        object_class: Its most specific class, or "".
        can_write_dacl: Whether the account that asks may write its access list.
        descriptor: nTSecurityDescriptor with the access list alone; None when it may not be read.
        nearest: When it does not exist: the nearest object above that does, or "".

    """

    requested: str
    dn: str
    exists: bool
    object_class: str = ""
    can_write_dacl: bool = False
    descriptor: bytes | None = None
    nearest: str = ""

    def to_json(self) -> dict[str, t.Any]:
        """Return the unit as data for a task result."""
        return {
            "requested": self.requested,
            "dn": self.dn,
            "exists": self.exists,
            "object_class": self.object_class,
            "can_write_dacl": self.can_write_dacl,
            "nearest_existing": self.nearest,
        }

    def missing(self) -> str:
        """Return the finding for a unit that does not exist."""
        near = f"; the nearest object above that exists is {self.nearest}" if self.nearest else ""
        return f"{self.requested}: there is no such object{near}"


_Key: t.TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Places of a domain that decide whether something is a usual target, as the keys of their names.

    Attributes:
        base: The domain.
        controllers: Where domain controllers are, as the domain says and by its usual name.
        holder: AdminSDHolder.
        computers: The default computers container; () when unknown.

    """

    base: _Key
    controllers: tuple[_Key, ...]
    holder: _Key
    computers: _Key

    @classmethod
    def of(cls, base: str, domain_controllers: str = "", computers: str = "") -> Landmarks:
        """Take the DN of the domain, and those of its well-known containers ("" when it names none)."""
        domain = Dn.parse(base)
        usual = domain.child("OU", "Domain Controllers").key
        named = (Dn.parse(domain_controllers).key,) if domain_controllers else ()
        holder = domain.child("CN", "System").child("CN", "AdminSDHolder").key
        return cls(domain.key, (usual, *named), holder, Dn.parse(computers).key if computers else ())

    def objection(self, key: _Key, object_class: str) -> str:
        """Say why a target is an unusual one, as a phrase that fits after "it is"; "" when it is a usual one."""
        if key == self.base:
            return "the root of the domain"
        if any(key[-len(place) :] == place for place in self.controllers):
            return "the container of the domain controllers, or below it"
        if key == self.holder:
            return "AdminSDHolder, the pattern for the access lists of all administrators"
        if object_class != "organizationalUnit" and key != self.computers:
            return f"of class {object_class or 'unknown'}, not an organizational unit or the computers container"
        return ""


def parse_all(names: Sequence[str], option: str = "organizational_units") -> tuple[Dn, ...]:
    """Read distinguished names, all of them before anything is refused.

    Raises:
        InvalidInput: Names every malformed one.

    """
    parsed: list[Dn] = []
    findings: list[str] = []
    advice = ""
    for name in names:
        try:
            parsed.append(Dn.parse(name))
        except InvalidInput as problem:
            findings.append(f"{name!r}: {problem.got}")
            advice = problem.advice
    if findings:
        raise InvalidInput(f"read {option}", got="; ".join(findings), advice=advice)
    return tuple(parsed)


def refuse_missing(units: Iterable[OrganizationalUnit]) -> None:
    """Raise TargetError that names every unit that does not exist."""
    findings = [unit.missing() for unit in units if not unit.exists]
    if findings:
        raise TargetError(
            "find the organizational units",
            got="; ".join(findings),
            advice="Create them or correct the names. Nothing was changed.",
        )


def refuse_unsuitable(units: Iterable[OrganizationalUnit], landmarks: Landmarks, allowed: Iterable[Dn] = ()) -> None:
    """Raise TargetError that names every unit whose access list is not to be edited, or cannot be read.

    Args:
        units: The targets.
        landmarks: Places of the domain that are no usual targets, or the one that is.
        allowed: Targets that the user named as wanted although they are unusual.

    """
    named = {name.key for name in allowed}
    findings = []
    for unit in units:
        key = Dn.parse(unit.dn).key
        why = "" if key in named else landmarks.objection(key, unit.object_class)
        if why:
            findings.append(f"{unit.dn}: it is {why} (only allow_unusual_targets would let it through)")
        elif unit.descriptor is None:
            findings.append(f"{unit.dn}: its access list cannot be read (Read permissions is missing)")
    if findings:
        raise TargetError("use the targets", got="; ".join(findings), advice="Nothing was changed.")


def refuse_unwritable(units: Iterable[OrganizationalUnit], username: str) -> None:
    """Raise TargetError that names every unit that has to change and whose access list may not be written."""
    names = [unit.dn for unit in units if not unit.can_write_dacl]
    if names:
        raise TargetError(
            "change the access lists",
            on="; ".join(names),
            got=f"{username} may not write them",
            advice="It needs Modify permissions (WRITE_DAC) on each, and nothing else. Nothing was changed.",
        )
