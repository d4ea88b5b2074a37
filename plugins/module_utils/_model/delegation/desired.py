# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What is wanted of delegations, how each one stands, and which are stale: those that go though nobody named them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import CREATE_CHILD, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import (
    COMPUTER_CLASS,
    DELETE_CHILD,
    RIGHTS,
    Right,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import made_by_sign_in


class DelegationError(OdjError):
    """A descriptor does not allow the delegation to be made (or judged) safely."""


@dataclass(frozen=True, slots=True)
class StaleDelegation:
    """Somebody whose delegations are to be removed though nobody named him.

    Attributes:
        trustee: Whom they are for.
        why: A phrase for people.
    """

    trustee: Trustee
    why: str


@dataclass(frozen=True, slots=True)
class Desired:
    """What is wanted on every unit.

    Attributes:
        accounts: For whom, each with what it holds in an access check.
        rights: Which rights.
        present: Whether they are to have them or not.
        stale: Whose delegations about computers are to go besides.
        canonicalize: A list that has to change is put in canonical order first.
    """

    accounts: tuple[Token, ...]
    rights: tuple[Right, ...]
    present: bool = True
    stale: tuple[StaleDelegation, ...] = ()
    canonicalize: bool = False


@dataclass(frozen=True, slots=True)
class Delegation:
    """How it stands with one right of one account on one OU.

    Attributes:
        account: Name of the account.
        sid: Its SID.
        right: Name of the right; "other" for entries about computers that are none of the known rights.
        sentence: What it lets the account do.
        state: "present", "absent", and "added" or "removed" when a change is due.
        broader: An entry grants more than this right, and is the one that counts (or that remains).
        inherited_from: Where the entry that counts comes from, when it is inherited: a DN, or "above".
        aces: The entries that count, as SDDL.
    """

    account: str
    sid: Sid
    right: str
    sentence: str
    state: str
    broader: bool = False
    inherited_from: str = ""
    aces: tuple[str, ...] = ()

    def to_json(self, organizational_unit: str) -> dict[str, t.Any]:
        """Return the delegation as data for a task result."""
        return {
            "organizational_unit": organizational_unit,
            "account": self.account,
            "sid": str(self.sid),
            "right": self.right,
            "state": self.state,
            "broader": self.broader,
            "inherited": bool(self.inherited_from),
            "inherited_from": self.inherited_from,
            "ace": next(iter(self.aces), ""),
            "aces": list(self.aces),
        }

    @property
    def news(self) -> str:
        """The change as a sentence, with its sign."""
        sign, verb = ("+", "may") if self.state == "added" else ("-", "may no longer")
        return f"{sign} {self.account} {verb} {self.sentence}"


def is_delegation(rule: AccessRule) -> bool:
    """Say whether an entry is a delegation about computers, of this collection, the sign-in or the delegation wizard.

    That is an explicit entry that lets create or delete computers and nothing else, or one that is inherited by
    computers alone (as the Full Control that legacy connectors were given).
    """
    if not rule.allow or rule.inherited or rule.conditional:
        return False
    makes = rule.object_type == COMPUTER_CLASS and not rule.mask & ~(CREATE_CHILD | DELETE_CHILD)
    return makes or rule.inherited_type == COMPUTER_CLASS


def delegated_to(descriptors: Iterable[SecurityDescriptor]) -> frozenset[Sid]:
    """Return everyone who holds such an entry."""
    return frozenset(rule.trustee for rule in _distinct(descriptors) if is_delegation(rule))


def _distinct(descriptors: Iterable[SecurityDescriptor]) -> list[AccessRule]:
    """Return each entry of these lists once: a thousand units mostly hold the same."""
    aces = {ace for descriptor in descriptors if descriptor.dacl for ace in descriptor.dacl.aces}
    rules = (AccessRule.from_ace(ace) for ace in aces)
    return [rule for rule in rules if rule is not None]


def foreign_denials(descriptors: Iterable[SecurityDescriptor]) -> bool:
    """Say whether any entry denies something to do with computers to somebody: then groups have to be known."""
    parts = [way for right in RIGHTS.values() for part in right.parts for way in part.ways]
    denials = (rule for rule in _distinct(descriptors) if not rule.allow and rule.trustee != EVERYONE)
    return any(part.denied_by(rule, subtree=True) for rule in denials for part in parts)


def stale_among(
    trustees: Iterable[Trustee], listed: frozenset[Sid], connectors: frozenset[Sid], *, exact: bool, purge: bool
) -> tuple[StaleDelegation, ...]:
    """Choose those whose delegations are to go.

    Args:
        trustees: Who holds delegations.
        listed: Those who are to have them.
        connectors: Further accounts that are known to be those of connectors.
        exact: Connectors that are not listed go.
        purge: SIDs of this domain without an account go, but those that Windows itself defines.
    """
    found = []
    for one in sorted(trustees, key=lambda trustee: str(trustee.sid)):
        if one.sid in listed:
            continue
        if exact and (one.sid in connectors or made_by_sign_in(one.sam, one.object_class)):
            found.append(StaleDelegation(one, "a connector's account that is not listed"))
        elif purge and one.kind == "orphan":
            found.append(StaleDelegation(one, "no account has this SID any more"))
    return tuple(found)
