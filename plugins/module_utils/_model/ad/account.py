# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Accounts: how people name them, what the directory knows of them, and what they hold in an access check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

ACCOUNT_DISABLED = 0x0002  # userAccountControl, MS-ADTS 2.2.16
# Kind -> lDAPDisplayName of the class. All descend from computer, so (objectClass=computer) finds them too: never
# search by that alone.
SERVICE_ACCOUNT_CLASSES = {
    "standalone": "msDS-ManagedServiceAccount",
    "group": "msDS-GroupManagedServiceAccount",
    "delegated": "msDS-DelegatedManagedServiceAccount",
}
# Class -> kind of trustee; the first that an object has, so a computer is what is no service account.
_KINDS = {
    **{name: f"{kind}_service_account" for kind, name in SERVICE_ACCOUNT_CLASSES.items()},
    "computer": "computer",
    "user": "user",
    "group": "group",
}
SERVICE_ACCOUNTS = frozenset(kind for kind in _KINDS.values() if kind.endswith("_service_account"))


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

    def not_called(self, name: str) -> str:
        """Return the finding for a name that means another domain."""
        return f"this domain controller holds {self.netbios} ({self.dns_name}), not {name}"


@dataclass(frozen=True, slots=True)
class Trustee:
    """Whom an ACE speaks of, and whom an option names: an account, a group, a well-known SID, somebody deleted.

    Attributes:
        sid: Its SID.
        name: As people write it: domain, backslash, sAMAccountName; the SID when it has no name here.
        kind: One of SERVICE_ACCOUNTS, "computer", "user", "group", "well_known", "orphan" (of this domain, but there is
            no such object) or "foreign" (of another domain).
        dn: Its distinguished name; "" when there is no object.
        sam: sAMAccountName, or "".
        upn: userPrincipalName, or "".
        dns_host_name: dNSHostName, or "".
        object_class: Its most specific class, or "".
        primary_group: SID of its primary group, when it has one.
        hosts: How many computers a service account is linked to.
        enabled: False when it is an account that is disabled.
    """

    sid: Sid
    name: str
    kind: str = "foreign"
    dn: str = ""
    sam: str = ""
    upn: str = ""
    dns_host_name: str = ""
    object_class: str = ""
    primary_group: Sid | None = None
    hosts: int = 0
    enabled: bool = True


def kind_of(classes: Sequence[str]) -> str:
    """Return the kind of trustee that an object with these classes is; "foreign" when none of them is known."""
    return next((kind for name, kind in _KINDS.items() if name in classes), "foreign")


@dataclass(frozen=True, slots=True)
class AccountName:
    """What a user wrote for an account, taken apart. Exactly one of sid, dn and sam is set.

    Every option that takes an account takes all of these forms, an FQDN for computers alone.

    Attributes:
        text: As written, without blanks around it.
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
    def parse(cls, text: str, option: str = "") -> AccountName:
        """Recognise the form: SID, DN, name behind a domain and a backslash, name@domain, FQDN of a computer, name.

        ``option`` is named in the error.

        Raises:
            InvalidInput: It is none of them.
        """
        name = text.strip()
        if name.upper().startswith("S-1-"):
            return cls(name, sid=Sid.parse(name))
        if "=" in name:
            return cls(name, dn=Dn.parse(name))
        domain, slash, sam = name.rpartition("\\")
        if slash and domain and sam.strip("$") and "\\" not in domain:
            return cls(name, sam=sam, domain=domain)
        sam, at, domain = name.rpartition("@")
        if at and sam and domain and not slash:
            return cls(name, sam=sam, domain=domain, is_upn=True)
        if not name.strip("$") or slash or at:
            raise InvalidInput(
                f"read the account name in {option}" if option else "read the account name",
                on=text,
                got="it is none of: sAMAccountName, DOMAIN\\name, name@domain, distinguished name, SID",
            )
        return cls(name, sam=name)

    @property
    def sam_names(self) -> tuple[str, ...]:
        """The values of sAMAccountName it may mean: as written, and with the dollar sign of machine accounts."""
        return () if not self.sam else (self.sam,) if self.sam.endswith("$") else (self.sam, f"{self.sam}$")

    @property
    def host_name(self) -> str:
        """The dNSHostName it may mean, "" when it can be none."""
        return self.text if self.sam and not self.domain and "." in self.text else ""

    def among(self, trustees: Iterable[Trustee], domain: Domain) -> tuple[Trustee, ...]:
        """Return those of the trustees that it means; one when all is well.

        Of name@domain that is the account whose userPrincipalName it is as well as the one that is called name: whoever
        may choose a userPrincipalName must not get what is meant for another account.
        """
        everyone = tuple(trustees)
        if self.sid:
            return tuple(one for one in everyone if one.sid == self.sid)
        if self.dn:
            return tuple(one for one in everyone if Dn.parse(one.dn).key == self.dn.key)
        here = not self.domain or domain.is_called(self.domain)
        names = {name.casefold() for name in self.sam_names} if here else set()
        upn = self.text.casefold() if self.is_upn else None
        host = self.host_name.casefold()
        return tuple(
            one
            for one in everyone
            if one.sam.casefold() in names
            or one.upn.casefold() == upn
            or (host and one.kind == "computer" and one.dns_host_name.casefold() == host)
        )


@dataclass(frozen=True, slots=True)
class Token:
    """What an account is on a domain controller of its domain: the SIDs of itself and of everything it is in.

    Attributes:
        account: Whose.
        sids: Those it holds for sure.
        doubtful: Those it may hold.
        complete: Whether its group memberships are known. When not, any group may be one of them.
    """

    account: Trustee
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
    account: Trustee, groups: Iterable[Sid] | None, *, by_everyone: Iterable[Sid] = (), doubtful: Iterable[Sid] = ()
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
