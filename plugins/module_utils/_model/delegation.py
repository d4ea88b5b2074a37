# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Delegation: which entry lets an account create computers in an OU, and what has to change so that it stands there."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    CREATE_CHILD,
    INHERITED,
    AccessRule,
    first_inherited,
    is_canonical,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl, dacl_lines
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import AUTHENTICATED_USERS, EVERYONE, Sid

# schemaIDGUID of the class computer: the same in every forest, and checked against the directory all the same.
COMPUTER_CLASS = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2")


class DelegationError(OdjError):
    """A descriptor does not allow the delegation to be made (or judged) safely."""


@dataclass(frozen=True, slots=True)
class Right:
    """A right that can be delegated on an OU, on this object only.

    Attributes:
        name: Value of the option.
        mask: Access mask of the entry.
        object_type: GUID that the entry is limited to.
        class_name: lDAPDisplayName of the class with that GUID, for the check against the schema.
        sentence: What it lets an account do, as a phrase that fits after its name.

    """

    name: str
    mask: int
    object_type: uuid.UUID
    class_name: str
    sentence: str

    def rule(self, trustee: Sid) -> AccessRule:
        """Return the entry that grants exactly this."""
        return AccessRule(True, self.mask, trustee, self.object_type)


RIGHTS = {
    "create_computer": Right(
        "create_computer", CREATE_CHILD, COMPUTER_CLASS, "computer", "create computers (this object only)"
    )
}


@dataclass(frozen=True, slots=True)
class Account:
    """A resolved account.

    Attributes:
        name: As people write it: domain, backslash, sAMAccountName; the SID when there is no such object any more.
        sid: Its SID.
        primary_group: SID of its primary group, when known.
        dn: Its distinguished name; "" when there is no such object.

    """

    name: str
    sid: Sid
    primary_group: Sid | None = None
    dn: str = ""

    @property
    def always_in(self) -> frozenset[Sid]:
        """The account and the groups it is in without being a member."""
        groups = {EVERYONE, AUTHENTICATED_USERS, self.sid} | ({self.primary_group} if self.primary_group else set())
        return frozenset(groups)


@dataclass(frozen=True, slots=True)
class Delegation:
    """How it stands with one right of one account on one OU.

    Attributes:
        account: Whose.
        right: Which.
        state: "present", "absent", and "added" or "removed" when a change is due.
        broader: An entry grants more than this right, and is the one that counts (or that remains).
        inherited: The entry that counts comes from above.
        ace: That entry as SDDL; "" when there is none.

    """

    account: Account
    right: Right
    state: str
    broader: bool = False
    inherited: bool = False
    ace: str = ""

    def to_json(self, organizational_unit: str) -> dict[str, t.Any]:
        """Return the delegation as data for a task result."""
        return {
            "organizational_unit": organizational_unit,
            "account": self.account.name,
            "sid": str(self.account.sid),
            "right": self.right.name,
            "state": self.state,
            "broader": self.broader,
            "inherited": self.inherited,
            "ace": self.ace,
        }


def compare(
    dn: str, descriptor: SecurityDescriptor, accounts: Iterable[Account], rights: Sequence[Right], *, present: bool
) -> tuple[Change | None, tuple[Delegation, ...]]:
    """Compare the access list of one OU with what is wanted.

    Returns:
        The change that is due (its payload is the new SecurityDescriptor) or None, and the state of each delegation.

    Raises:
        DelegationError: A Deny stands in the way, the list is not in canonical order, or there is no list.

    """
    if descriptor.dacl is None:
        raise DelegationError(
            "read the access list", on=dn, got="it has none, so everybody may do everything there", advice=_ASK
        )
    aces, found = descriptor.dacl.aces, []
    step = _grant if present else _revoke
    for account in accounts:
        for right in rights:
            aces, delegation = step(dn, aces, account, right)
            found.append(delegation)
    if aces == descriptor.dacl.aces:
        return None, tuple(found)
    if not is_canonical(descriptor.dacl.aces):
        raise DelegationError(
            "change the access list",
            on=dn,
            got="its entries are not in canonical order (explicit deny, explicit allow, inherited)",
            advice="Put it in order with the Security tab of Active Directory Users and Computers, then run again.",
        )
    after = descriptor.with_dacl(aces)
    summary = f"{dn}: " + "; ".join(_sentence(d) for d in found if d.state in ("added", "removed"))
    change = Change("replace_dacl", dn, dacl_lines(descriptor), dacl_lines(after), summary, after)
    return change, tuple(found)


_ASK = "Ask the owner of the OU to repair its permissions first."


def _sentence(delegation: Delegation) -> str:
    sign, verb = ("+", "may") if delegation.state == "added" else ("-", "may no longer")
    return f"{sign} {delegation.account.name} {verb} {delegation.right.sentence}"


_Step: t.TypeAlias = "tuple[tuple[bytes, ...], Delegation]"


def _rules(aces: tuple[bytes, ...]) -> list[tuple[int, AccessRule]]:
    rules = ((index, AccessRule.from_ace(ace)) for index, ace in enumerate(aces))
    return [(index, rule) for index, rule in rules if rule is not None]


def _grant(dn: str, aces: tuple[bytes, ...], account: Account, right: Right) -> _Step:
    deciding = [(i, rule) for i, rule in _rules(aces) if rule.speaks_of(right.mask, right.object_type)]
    allowing = [(i, r) for i, r in deciding if r.allow and not r.conditional and r.trustee == account.sid]
    denying = [i for i, rule in deciding if not rule.allow and rule.trustee in account.always_in]
    if denying and not (allowing and allowing[0][0] < denying[0]):
        raise DelegationError(
            f"let {account.name} {right.sentence}",
            on=dn,
            got=f"an entry denies it: {ace_to_sddl(aces[denying[0]])}",
            advice="A Deny is never overridden or removed here: find out why it is there, and remove it if wrong.",
        )
    exact = right.rule(account.sid)
    if not allowing:
        ace = exact.to_ace()
        at = first_inherited(aces)
        return (*aces[:at], ace, *aces[at:]), Delegation(account, right, "added", ace=ace_to_sddl(ace))
    index, rule = next(((i, r) for i, r in allowing if r == exact), allowing[0])
    return aces, Delegation(account, right, "present", rule != exact, rule.inherited, ace_to_sddl(aces[index]))


def _revoke(dn: str, aces: tuple[bytes, ...], account: Account, right: Right) -> _Step:
    mine = [
        (index, rule)
        for index, rule in _rules(aces)
        if rule.allow and rule.trustee == account.sid and rule.speaks_of(right.mask, right.object_type)
    ]
    ours = {index: rule for index, rule in mine if _is_ours(rule, right)}
    remaining = [index for index, rule in mine if index not in ours]
    kept = tuple(
        _without(ace, ours[index], right.mask) if index in ours else ace
        for index, ace in enumerate(aces)
        if index not in ours or ours[index].mask != right.mask
    )
    state = "removed" if ours else "present" if remaining else "absent"
    shown = remaining[0] if remaining else next(iter(ours), None)
    inherited = bool(remaining) and bool(aces[remaining[0]][1] & INHERITED)
    ace = "" if shown is None else ace_to_sddl(aces[shown])
    return kept, Delegation(account, right, state, bool(remaining), inherited, ace)


def _is_ours(rule: AccessRule, right: Right) -> bool:
    """Say whether it is the entry this collection makes, possibly merged by AD with other rights of the same type."""
    plain = not rule.flags and not rule.conditional and rule.inherited_type is None
    return plain and rule.object_type == right.object_type and rule.mask & right.mask == right.mask


def _without(ace: bytes, rule: AccessRule, mask: int) -> bytes:
    return ace[:4] + (rule.mask & ~mask).to_bytes(4, "little") + ace[8:]
