# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The words of a delegation: an account, what is wished for, and how it stands."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_rights import Right
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_strangers import Stranger
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.well_known import ALWAYS_HELD


class DelegationError(OdjError):
    """A descriptor does not allow the delegation to be made (or judged) safely."""


@dataclass(frozen=True, slots=True)
class Account:
    """A resolved account.

    Attributes:
        name: As people write it: domain, backslash, sAMAccountName; the SID when there is no such object any more.
        sid: Its SID.
        primary_group: SID of its primary group, when known.
        dn: Its distinguished name; "" when there is no such object.
        groups: Groups it is a member of, when they were asked for.

    """

    name: str
    sid: Sid
    primary_group: Sid | None = None
    dn: str = ""
    groups: frozenset[Sid] = frozenset()

    @property
    def always_in(self) -> frozenset[Sid]:
        """The account, the groups it is in without being a member, and the others that are known."""
        own = {self.sid, self.primary_group} if self.primary_group else {self.sid}
        return self.groups | ALWAYS_HELD | own


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
