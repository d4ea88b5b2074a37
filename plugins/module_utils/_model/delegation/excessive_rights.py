# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Entries that give more than a connector needs: what is too much about them, and whom it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import SERVICE_ACCOUNTS, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    FULL_CONTROL,
    AccessRule,
    Ace,
    ace_to_sddl,
    aces_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import OrganizationalUnit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import OWNER_RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import (
    SEVERITIES,
    Audit,
    Finding,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    applies_to,
    owner_of,
    speaks_of_creating,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.remediation import (
    CHANGE_OWNER,
    REMOVE_CREATOR,
    remove_legacy,
    replace_by_exact,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import MINIMUM_BUILD

WRITE_DAC, WRITE_OWNER = 0x00040000, 0x00080000  # MS-DTYP 2.4.3
EXCESS = {
    "full_control": ("high", "full control"),
    "change_permissions": ("high", "the right to change permissions (WriteDacl)"),
    "take_ownership": ("high", "the right to take ownership (WriteOwner)"),
    "ownership": ("high", "ownership, and with it the right to change permissions"),
    "every_class": ("medium", "the right to create objects of every class, service accounts included"),
    "whole_tree": ("low", "the right on everything below as well"),
}


def excess_of(rule: AccessRule) -> tuple[str, ...]:
    """Return what an entry that allows grants beyond creating computers on one object: keys of EXCESS."""
    mask = rule.rights
    tree = ("whole_tree",) if speaks_of_creating(rule) and rule.flags & CONTAINER_INHERIT else ()
    if rule.object_type is not None:
        return tree
    if mask & FULL_CONTROL == FULL_CONTROL:
        return ("full_control", *tree)
    rights = ((WRITE_DAC, "change_permissions"), (WRITE_OWNER, "take_ownership"), (CREATE_CHILD, "every_class"))
    return (*(word for bit, word in rights if mask & bit), *tree)


def excess_findings(audit: Audit, unit: OrganizationalUnit, entry: Ace) -> Iterator[Finding]:
    """Yield what is too much about one entry."""
    if not entry.rule.allow:
        return
    yield from _service_accounts(audit, unit, entry)
    trustee, excess = audit.trustee(entry.rule.trustee), excess_of(entry.rule)
    if trustee.kind == "computer":
        yield from _legacy(audit, unit, entry, excess)
    elif excess and (trustee.kind in SERVICE_ACCOUNTS or audit.inside(trustee.sid)):
        yield _broader(audit, unit, entry, excess)


def ownership_findings(audit: Audit, unit: OrganizationalUnit) -> Iterator[Finding]:
    """Yield a finding when a judged account owns the unit, unless entries for OWNER RIGHTS take that meaning away."""
    owner = owner_of(unit.security) if unit.security else None
    inside = audit.inside(owner) if owner else []
    limited = unit.security and any(_limits_owner(e.rule) for e in aces_in(unit.security))
    if owner is None or limited or not inside:
        return
    trustee = audit.trustee(owner)
    cause = f"{trustee.name} is the owner{_members(inside, trustee)}: {EXCESS['ownership'][1]}."
    yield Finding("broader", "high", unit.dn, cause, CHANGE_OWNER, trustee, "", ("ownership",))


def _limits_owner(rule: AccessRule) -> bool:
    """Say whether an entry takes the meaning of ownership away: one that only heirs get does not (MS-DTYP 2.5.3.2)."""
    grants = rule.allow and rule.rights & (WRITE_DAC | WRITE_OWNER)
    return rule.trustee == OWNER_RIGHTS and rule.applies_here and not grants


def _service_accounts(audit: Audit, unit: OrganizationalUnit, entry: Ace) -> Iterator[Finding]:
    kind = entry.rule.object_type
    name = audit.class_names.get(kind, "") if kind else ""
    if not entry.rule.rights & CREATE_CHILD or not name.casefold().startswith("msds-"):
        return
    trustee = audit.trustee(entry.rule.trustee)
    where, made = audit.origin(unit, entry)
    cause = (
        f"{trustee.name} may create objects of class {name} ({applies_to(entry.rule)}). Whoever may make service "
        "accounts in a unit may gain the rights of other accounts by it (known as BadSuccessor for delegated service "
        "accounts)."
    )
    severity = "high" if name.casefold() == "msds-delegatedmanagedserviceaccount" else "medium"
    yield Finding("creates_service_accounts", severity, where, cause, REMOVE_CREATOR, trustee, ace_to_sddl(made.data))


def _legacy(audit: Audit, unit: OrganizationalUnit, entry: Ace, excess: tuple[str, ...]) -> Iterator[Finding]:
    rule, trustee = entry.rule, audit.trustee(entry.rule.trustee)
    if not speaks_of_creating(rule) and not excess:
        return
    where, made = audit.origin(unit, entry)
    full = "full_control" in excess
    what = EXCESS[excess[0]][1] if excess and excess[0] != "whole_tree" else "the right to create computers"
    cause = (
        f"The computer account {trustee.name} has {what} ({applies_to(rule)}). Connectors older than {MINIMUM_BUILD} "
        "needed that, because they ran as the computer itself."
    )
    cure = remove_legacy(made.rule, trustee.name)
    severity = "high" if full else "medium"
    yield Finding("legacy_computer_account", severity, where, cause, cure, trustee, ace_to_sddl(made.data), excess)


def _broader(audit: Audit, unit: OrganizationalUnit, entry: Ace, excess: tuple[str, ...]) -> Finding:
    trustee = audit.trustee(entry.rule.trustee)
    where, made = audit.origin(unit, entry)
    what = "; ".join(EXCESS[word][1] for word in excess)
    severity = min((EXCESS[word][0] for word in excess), key=SEVERITIES.index)
    members = _members(audit.inside(trustee.sid), trustee)
    cause = f"{trustee.name} has more than a connector needs ({applies_to(entry.rule)}){members}: {what}."
    cure = replace_by_exact(made.rule, trustee.name, members=bool(members))
    return Finding("broader", severity, where, cause, cure, trustee, ace_to_sddl(made.data), excess)


def _members(inside: Sequence[str], trustee: Trustee) -> str:
    names = [name for name in inside if name != trustee.name]
    return f", which {', '.join(names)} {'is' if len(names) == 1 else 'are'} in" if names else ""
