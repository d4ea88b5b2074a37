# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The access check of a domain controller, computed: may this account create computers below this object?

MS-ADTS 3.1.1.5.2.1 demands RIGHT_DS_CREATE_CHILD on the parent for the class of the new object. MS-ADTS 5.1.3.3 and
MS-DTYP 2.5.3.2 say how it is looked for: the entries in their order, the first that speaks of the right decides, and
where none does it is not granted. Being the owner grants READ_CONTROL and WRITE_DAC, and no more than these.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    INHERIT_ONLY,
    NO_PROPAGATE,
    AccessRule,
    Ace,
    aces_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import OWNER_RIGHTS, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS

CanCreate: t.TypeAlias = t.Literal["true", "false", "unknown"]
Reason: t.TypeAlias = t.Literal[
    "allowed", "denied", "not_granted", "condition", "membership", "no_access_list", "unreadable"
]

_REACH = {
    # (inherited by containers, not by the object itself, not by those below its children)
    (True, False, False): "subtree",
    (True, False, True): "this_object_and_children",
    (True, True, False): "descendants",
    (True, True, True): "children",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What an access check comes to.

    Attributes:
        verdict: "unknown" when something that decides cannot be known here.
        reason: Why; "condition" and "membership" say what is not known.
        entry: The entry that decides, or that cannot be judged; None when there is none.
    """

    verdict: CanCreate
    reason: Reason
    entry: Ace | None = None


def owner_of(descriptor: SecurityDescriptor) -> Sid | None:
    """Return the owner, None when it was not read."""
    return Sid.from_bytes(descriptor.owner) if descriptor.owner else None


def creating(descriptor: SecurityDescriptor) -> list[Ace]:
    """Return the entries that speak of creating computers, on the object or below it, in their order."""
    return [entry for entry in aces_in(descriptor) if speaks_of_creating(entry.rule)]


def speaks_of_creating(rule: AccessRule) -> bool:
    """Say whether an entry is about creating computers, here or in what inherits it (not in computers themselves)."""
    in_computers_only = not rule.applies_here and rule.inherited_type == COMPUTER_CLASS
    return bool(rule.rights & CREATE_CHILD) and rule.object_type in (None, COMPUTER_CLASS) and not in_computers_only


def applies_to(rule: AccessRule) -> str:
    """Return how far an entry reaches: this_object, subtree, this_object_and_children, descendants or children."""
    passed_on, only = bool(rule.flags & CONTAINER_INHERIT), bool(rule.flags & INHERIT_ONLY)
    return _REACH.get((passed_on, only, bool(rule.flags & NO_PROPAGATE)), "nothing" if only else "this_object")


def may_create_computers(descriptor: SecurityDescriptor | None, token: Token) -> Decision:
    """Decide as the domain controller does.

    Args:
        descriptor: Of the object below which the computer is to come, with its owner; None when it may not be read.
        token: Of the account that is to create it.
    """
    if descriptor is None:
        return Decision("unknown", "unreadable")
    if descriptor.dacl is None:
        return Decision("true", "no_access_list")
    owner = owner_of(descriptor)
    uncertain: dict[bool, Ace] = {}
    doubted: set[Sid] = set()
    for entry in aces_in(descriptor):
        held = _concerns(entry.rule, token, owner)
        # Of two entries for a doubtful SID the second never decides: the first did, or neither concerns the account.
        if held is False or entry.rule.trustee in doubted or not entry.rule.speaks_of(CREATE_CHILD, COMPUTER_CLASS):
            continue
        if held is None and not entry.rule.conditional:
            doubted.add(entry.rule.trustee)
        if held is None or entry.rule.conditional:
            uncertain.setdefault(entry.rule.allow, entry)
        elif (not entry.rule.allow) not in uncertain:
            return Decision("true", "allowed", entry) if entry.rule.allow else Decision("false", "denied", entry)
        else:
            return _unknown(uncertain[not entry.rule.allow])
    return _unknown(uncertain[True]) if True in uncertain else Decision("false", "not_granted")


def _unknown(entry: Ace) -> Decision:
    return Decision("unknown", "condition" if entry.rule.conditional else "membership", entry)


def _concerns(rule: AccessRule, token: Token, owner: Sid | None) -> bool | None:
    if rule.trustee != OWNER_RIGHTS:
        return token.holds(rule.trustee)
    # Servers differ in whether such an entry counts for more than READ_CONTROL and WRITE_DAC (Samba 4.17 and 4.22: no).
    return False if owner and token.holds(owner) is False else None
