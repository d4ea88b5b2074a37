# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an account is for an access check: its own SID and those of everything it is in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.well_known import (
    ALWAYS_HELD,
    DOMAIN_CONTROLLERS_RID,
    ENTERPRISE_DOMAIN_CONTROLLERS,
    held_over_the_network,
    is_of_a_domain,
)


@dataclass(frozen=True, slots=True)
class Token:
    """The SIDs of an account on a domain controller of its domain.

    Attributes:
        account: Whose.
        sids: Those it holds for sure.
        doubtful: Those it may hold.
        complete: Whether its group memberships are known. When not, any group may be one of them.

    """

    account: Account
    sids: frozenset[Sid]
    doubtful: frozenset[Sid] = frozenset()
    complete: bool = True

    def holds(self, sid: Sid) -> bool | None:
        """Say whether an entry for this SID concerns the account; None when that cannot be known."""
        if sid in self.sids:
            return True
        if sid in self.doubtful:
            return None
        if is_of_a_domain(sid):
            return False if self.complete else None
        return held_over_the_network(sid)


def token_of(
    account: Account, groups: Iterable[Sid] | None, *, by_everyone: Iterable[Sid] = (), doubtful: Iterable[Sid] = ()
) -> Token:
    """Put a token together.

    Args:
        account: Whose.
        groups: What tokenGroups of the account says (nested groups and the primary group), with its former SIDs; None
            when that may not be read.
        by_everyone: Built-in groups that hold Everyone, Authenticated Users or another SID that every token has.
        doubtful: Other groups that hold one of these: not every server counts them.

    """
    sids = {account.sid, *ALWAYS_HELD, *by_everyone, *(groups or ())}
    sids |= {account.primary_group} if account.primary_group else set()
    if account.sid.sibling(DOMAIN_CONTROLLERS_RID) in sids:
        sids.add(ENTERPRISE_DOMAIN_CONTROLLERS)
    return Token(account, frozenset(sids), frozenset(doubtful) - sids, groups is not None)
