# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Accounts whose delegation is to go though nobody named them: connectors that are not listed, deleted accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import CREATE_CHILD, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_rights import (
    COMPUTER_CLASS,
    DELETE_CHILD,
    RIGHTS,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.well_known import was_given_by

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
