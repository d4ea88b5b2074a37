# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Names that people write for accounts, and which object of the directory each one means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


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
