# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Accounts: how people name them, what the directory knows of them, and what they are for an access check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import (
    ALWAYS_HELD,
    DOMAIN_CONTROLLERS_RID,
    ENTERPRISE_DOMAIN_CONTROLLERS,
    Sid,
    held_over_the_network,
    is_of_a_domain,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

SERVICE_ACCOUNTS = frozenset({"standalone_service_account", "group_service_account", "delegated_service_account"})


@dataclass(frozen=True, slots=True)
class Domain:
    """The domain of the directory.

    Attributes:
        dn: Its distinguished name.
        netbios: Its NetBIOS name.
        dns_name: Its DNS name.

    """

    dn: str
    netbios: str
    dns_name: str

    def is_called(self, name: str) -> bool:
        """Say whether a name in front of a backslash or behind an at sign means this domain."""
        return name.casefold() in (self.netbios.casefold(), self.dns_name.casefold())


@dataclass(frozen=True, slots=True)
class Principal:
    """An object with a SID.

    Attributes:
        dn: Its distinguished name.
        sam: sAMAccountName.
        upn: userPrincipalName, or "".
        sid: objectSid.
        primary_group_id: primaryGroupID, or None.

    """

    dn: str
    sam: str
    upn: str
    sid: Sid
    primary_group_id: int | None = None


@dataclass(frozen=True, slots=True)
class AccountName:
    """What a user wrote for an account, taken apart. Exactly one of sid, dn and sam is set.

    Attributes:
        text: As written.
        sid: When it is a SID.
        dn: When it is a distinguished name.
        sam: The account's own name, when it is one of the other forms.
        domain: What stands in front of a backslash or behind an at sign, or "".
        is_upn: It is of the form name@domain.

    """

    text: str
    sid: Sid | None = None
    dn: Dn | None = None
    sam: str = ""
    domain: str = ""
    is_upn: bool = False

    @classmethod
    def parse(cls, text: str) -> AccountName:
        """Recognise the form: SID, distinguished name, name behind a domain and a backslash, name@domain, name.

        Raises:
            InvalidInput: It is none of them.

        """
        name = text.strip()
        if name.upper().startswith("S-1-"):
            return cls(text, sid=Sid.parse(name))
        if "=" in name:
            return cls(text, dn=Dn.parse(name))
        domain, slash, sam = name.rpartition("\\")
        if slash and domain and sam and "\\" not in domain:
            return cls(text, sam=sam, domain=domain)
        sam, at, domain = name.rpartition("@")
        if at and sam and domain and not slash:
            return cls(text, sam=sam, domain=domain, is_upn=True)
        if not name or slash or at:
            raise InvalidInput(
                "read the account name",
                on=text,
                got="it is none of: sAMAccountName, DOMAIN\\name, name@domain, distinguished name, SID",
            )
        return cls(text, sam=name)

    @property
    def sam_names(self) -> tuple[str, ...]:
        """The values of sAMAccountName it may mean: as written, and with the dollar sign of machine accounts."""
        return () if not self.sam else (self.sam,) if self.sam.endswith("$") else (self.sam, f"{self.sam}$")

    def chosen_from(self, principals: Iterable[Principal], domain: Domain) -> tuple[Principal, ...]:
        """Return those of the principals that it means; one when all is well.

        Of name@domain that is the account whose userPrincipalName it is as well as the one that is called name: whoever
        may choose a userPrincipalName must not get what is meant for another account.
        """
        everyone = tuple(principals)
        if self.sid:
            return tuple(p for p in everyone if p.sid == self.sid)
        if self.dn:
            return tuple(p for p in everyone if Dn.parse(p.dn).key == self.dn.key)
        here = not self.domain or domain.is_called(self.domain)
        names = {name.casefold() for name in self.sam_names} if here else set()
        upn = self.text.strip().casefold() if self.is_upn else None
        return tuple(p for p in everyone if p.upn.casefold() == upn or p.sam.casefold() in names)


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
class Trustee:
    """Whom an entry speaks of.

    Attributes:
        sid: Its SID.
        name: As people write it; the SID when it has no name here.
        kind: One of SERVICE_ACCOUNTS, "computer", "user", "group", "well_known", "orphan" (of this domain, but there is
            no such object) or "foreign" (of another domain).
        hosts: How many computers a service account is linked to.
        enabled: False when it is an account that is disabled.

    """

    sid: Sid
    name: str
    kind: str
    hosts: int = 0
    enabled: bool = True


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
