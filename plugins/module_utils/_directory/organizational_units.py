# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""OUs and other containers, with their descriptors: read in bulk by name, below a base, and above another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    NO_SUCH_OBJECT,
    AnyOf,
    Directory,
    Entry,
    Equals,
    Procedure,
    Read,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, DnKey, with_ancestors
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    WRITE_DACL,
    OrganizationalUnit,
    origin_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Progress
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

SIBLINGS = 50  # measured: a child in a search below its parent costs half of what reading it by its name does
_ELSEWHERE = (10, 34)  # a referral to another domain; a name that no directory of this schema can hold
_CONTAINERS = AnyOf((Equals("objectClass", "organizationalUnit"), Equals("objectClass", "container")))
_ATTRIBUTES = ("objectClass", "sDRightsEffective", "nTSecurityDescriptor")


def read_units(directory: Directory, names: Sequence[Dn], *, owner: bool = False) -> dict[DnKey, OrganizationalUnit]:
    """Read objects by name, with their DACLs: the many below one parent by one search, the others one by one.

    Args:
        directory: Where they are.
        names: Their names.
        owner: Whether the descriptors are to have the owner as well.

    Returns:
        Those that there are, by the key of the name (see Dn.key).

    Raises:
        DirectoryError: The directory refuses for another reason than that it does not hold the object.
    """
    units: dict[DnKey, OrganizationalUnit] = {}
    siblings: dict[DnKey, list[Dn]] = {}
    for name in names:
        siblings.setdefault(name.key[1:], []).append(name)
    for group in siblings.values():
        if len(group) >= SIBLINGS:
            units |= _children(directory, group, owner=owner)
    rest = [name for name in names if name.key not in units]
    progress = Progress(directory.clock)
    outcomes = directory.run_all(_read(str(name), owner=owner) for name in rest)
    for name, outcome in zip(rest, outcomes, strict=False):
        progress.reached("objects read", len(units), len(names))
        if isinstance(outcome, OdjError):
            raise outcome
        if outcome:
            units[name.key] = _unit(outcome)
    return units


def _children(directory: Directory, names: Sequence[Dn], *, owner: bool) -> dict[DnKey, OrganizationalUnit]:
    """Look for units and containers that have the same parent; where it has many others, not for all of them."""
    wanted, base = {name.key for name in names}, str(names[0].parent or "")
    try:
        found = directory.entries(base, _CONTAINERS, _ATTRIBUTES, scope="level", dacl=True, owner=owner)
        units = ((Dn.parse(entry.dn).key, _unit(entry)) for entry in islice(found, 2 * len(names)))
        return {key: _parsed(unit) for key, unit in units if key in wanted}
    except DirectoryError as problem:
        if problem.code not in (NO_SUCH_OBJECT, *_ELSEWHERE):
            raise
        return {}


def _parsed(unit: OrganizationalUnit) -> OrganizationalUnit:
    """Parse the DACL now, while the next page is on its way: SecurityDescriptor remembers it for whoever needs it."""
    with suppress(MalformedDescriptor):
        SecurityDescriptor.parse(unit.descriptor or b"")
    return unit


def _read(dn: str, *, owner: bool) -> Procedure[Entry | None]:
    try:
        return (yield Read(dn, _ATTRIBUTES, dacl=True, owner=owner))
    except DirectoryError as problem:
        if problem.code not in _ELSEWHERE:
            raise
        return None


def _unit(entry: Entry) -> OrganizationalUnit:
    return OrganizationalUnit(
        dn=entry.dn,
        object_class=(entry.texts("objectClass") or ("",))[-1],
        descriptor=entry.one("nTSecurityDescriptor"),
        can_write_dacl=bool((entry.number("sDRightsEffective") or 0) & WRITE_DACL),
    )


def find_units(lookup: DomainLookup, requested: Sequence[str], names: Sequence[Dn]) -> tuple[OrganizationalUnit, ...]:
    """Look for units by DN; one that does not exist comes back as such, with the nearest object above it.

    Args:
        lookup: Where to look.
        requested: The names as the user wrote them, for the answer.
        names: The same, parsed.
    """
    units = read_units(lookup.directory, names)
    missing = {name.key: name for name in names if name.key not in units}
    base = Dn.parse(lookup.base)
    above = [name for name in with_ancestors(missing.values()) if name.is_within(base) and name.key not in missing]
    known = {**units, **read_units(lookup.directory, above)}
    return tuple(
        replace(units[name.key], requested=text) if name.key in units else missing_unit(text, name, known)
        for text, name in zip(requested, names, strict=True)
    )


def missing_unit(requested: str, name: Dn, known: Mapping[DnKey, OrganizationalUnit]) -> OrganizationalUnit:
    """Return a unit that does not exist; ``known`` are those that do, the ones above it among them."""
    nearest = next((known[step.key].dn for step in name.ancestors if step.key in known), "")
    return OrganizationalUnit(str(name), requested=requested, exists=False, nearest=nearest)


def units_below(directory: Directory, base: Dn) -> list[OrganizationalUnit]:
    """Return the organizational units at or below an object, with owner and DACL.

    Raises:
        DirectoryError: With code 32 when there is no such object.
    """
    where = Equals("objectClass", "organizationalUnit")
    return [_unit(entry) for entry in directory.search(str(base), where, _ATTRIBUTES, dacl=True, owner=True)]


class Origins:
    """Says which object above a unit an inherited ACE comes from; reads what is above when first asked."""

    def __init__(self, lookup: DomainLookup) -> None:
        self._lookup = lookup
        self._base = Dn.parse(lookup.base)
        self._above: dict[DnKey, list[OrganizationalUnit | None]] = {}

    def of(self, dn: str, rule: AccessRule) -> str:
        """Return the DN of the nearest object that passes the ACE on; "above" when none that is read does.

        Args:
            dn: The unit that has the inherited ACE.
            rule: What the ACE says.
        """
        above = tuple(name for name in Dn.parse(dn).ancestors if name.is_within(self._base))
        key = above[0].key if above else ()
        if key not in self._above:
            units = read_units(self._lookup.directory, above)
            self._above[key] = [units.get(name.key) for name in above]
        found = origin_of(rule, self._above[key])
        return found[0].dn if found else "above"
