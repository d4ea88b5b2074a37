# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Organizational units, with their descriptors: what was asked for, what is there, and why it may be refused."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, Ace, aces_in, passes_on
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, DnKey
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError

WRITE_DACL = 4  # sDRightsEffective, MS-ADTS 3.1.1.4.5.4: DACL_SECURITY_INFORMATION
# Well-known GUIDs of containers, MS-ADTS 6.1.1.4
COMPUTERS_CONTAINER_GUID = "AA312825768811D1ADED00C04FD8D5CD"
DOMAIN_CONTROLLERS_GUID = "A361B2FFFFD211D1AA4B00C04FD7D83A"


class TargetError(OdjError):
    """Something that was named as a target cannot be one."""


@dataclass(frozen=True, slots=True)
class OrganizationalUnit:
    """An OU, or another object below which computers may be created.

    Attributes:
        dn: As the directory spells it; the parsed spelling of the user when it does not exist.
        object_class: Its most specific class, or "".
        descriptor: nTSecurityDescriptor with the parts that were asked for; None when it may not be read.
        can_write_dacl: Whether the account that asks may write its DACL.
        requested: As the user wrote it; "" when nobody named it.
        exists: Whether there is such an object.
        nearest: When it does not exist: the nearest object above that does, or "".
    """

    dn: str
    object_class: str = ""
    descriptor: bytes | None = None
    can_write_dacl: bool = False
    requested: str = ""
    exists: bool = True
    nearest: str = ""

    @property
    def security(self) -> SecurityDescriptor | None:
        """The descriptor, parsed.

        Raises:
            MalformedDescriptor: It is not one well-formed descriptor; names the object.
        """
        return None if self.descriptor is None else SecurityDescriptor.of(self.dn, self.descriptor)

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


def origin_of(heir: AccessRule, above: Iterable[OrganizationalUnit | None]) -> tuple[OrganizationalUnit, Ace] | None:
    """Return the nearest object that passes an inherited ACE on, and the ACE as it stands there; None when none does.

    Args:
        heir: What the inherited ACE says.
        above: What is above the object that inherits it, its parent first; None for what cannot be read.
    """
    for distance, unit in enumerate(above):
        for own in aces_in(unit.security) if unit and unit.security else ():
            if unit and passes_on(own.rule, heir, to_child=distance == 0):
                return unit, own
    return None


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Places of a domain that decide whether something is a usual target, as the keys of their names.

    Attributes:
        base: The domain.
        controllers: Where domain controllers are, as the domain says and by its usual name.
        holder: AdminSDHolder.
        computers: The default computers container; () when unknown.
    """

    base: DnKey
    controllers: tuple[DnKey, ...]
    holder: DnKey
    computers: DnKey

    @classmethod
    def of(cls, base: str, domain_controllers: str = "", computers: str = "") -> Landmarks:
        """Take the DN of the domain, and those of its well-known containers ("" when it names none)."""
        domain = Dn.parse(base)
        usual = domain.child("OU", "Domain Controllers").key
        named = (Dn.parse(domain_controllers).key,) if domain_controllers else ()
        holder = domain.child("CN", "System").child("CN", "AdminSDHolder").key
        return cls(domain.key, (usual, *named), holder, Dn.parse(computers).key if computers else ())

    def objection(self, key: DnKey, object_class: str) -> str:
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


def refuse_unreadable(units: Iterable[OrganizationalUnit]) -> None:
    """Raise TargetError that names every unit whose DACL may not be read."""
    names = [unit.dn for unit in units if unit.descriptor is None]
    if names:
        raise TargetError("read the access lists", on="; ".join(names), got="Read permissions is missing")


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
