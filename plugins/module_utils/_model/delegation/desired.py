# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What is wanted of delegations: for whom, which rights, and whose delegations go though nobody named them."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import CREATE_CHILD, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid, was_given_by
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import (
    COMPUTER_CLASS,
    DELETE_CHILD,
    RIGHTS,
    Right,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

# The sign-in makes a standalone managed service account with five random characters behind this prefix.
_WIZARD_NAME = re.compile(r"msaODJ[^$]{5}\$", re.IGNORECASE)
_WIZARD_CLASS = "msDS-ManagedServiceAccount"


@dataclass(frozen=True, slots=True)
class Stranger:
    """An account whose delegation is to be removed.

    Attributes:
        name: As people write it; the SID when there is no such account any more.
        sid: Its SID.
        why: A phrase for people.

    """

    name: str
    sid: Sid
    why: str


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that holds entries, as the directory knows it.

    Attributes:
        name: As people write it.
        sam: sAMAccountName.
        object_class: Its most specific class.

    """

    name: str
    sam: str
    object_class: str

    @property
    def is_wizards(self) -> bool:
        """It is an account that the sign-in made for a connector."""
        return self.object_class == _WIZARD_CLASS and _WIZARD_NAME.fullmatch(self.sam) is not None


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


def strangers_among(
    holders: Mapping[Sid, Holder | None], listed: frozenset[Sid], connectors: frozenset[Sid], domain: Sid, *,
    exact: bool, purge: bool,
) -> tuple[Stranger, ...]:  # fmt: skip
    """Choose those whose delegation is to go.

    Args:
        holders: Who holds such entries; None for a SID that no account has.
        listed: Those who are to have the right.
        connectors: Further accounts that are known to be those of connectors.
        domain: SID of any account of the domain; a SID of another domain is never called orphaned.
        exact: Connectors that are not listed go.
        purge: SIDs of this domain without an account go, but those that Windows itself defines.

    """
    found = []
    for sid, holder in sorted(holders.items(), key=lambda item: str(item[0])):
        if sid in listed:
            continue
        if exact and (sid in connectors or (holder is not None and holder.is_wizards)):
            found.append(Stranger(holder.name if holder else str(sid), sid, "a connector's account that is not listed"))
        elif purge and holder is None and was_given_by(sid, domain.sub_authorities[:-1]):
            found.append(Stranger(str(sid), sid, "no account has this SID any more"))
    return tuple(found)


class DelegationError(OdjError):
    """A descriptor does not allow the delegation to be made (or judged) safely."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted on every unit.

    Attributes:
        accounts: For whom.
        rights: Which rights.
        present: Whether they are to have them or not.
        strangers: Whose delegations about computers are to go besides.
        canonicalize: A list that has to change is put in canonical order first.

    """

    accounts: tuple[Account, ...]
    rights: tuple[Right, ...]
    present: bool = True
    strangers: tuple[Stranger, ...] = ()
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
