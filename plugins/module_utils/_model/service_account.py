# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Managed service accounts as directory objects: what is wanted, what is there, and the difference."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    FULL_CONTROL,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import (
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import ADMINISTRATORS, Sid

# Both classes descend from computer, so (objectClass=computer) finds them too: never search by that alone.
CLASSES = {"standalone": "msDS-ManagedServiceAccount", "group": "msDS-GroupManagedServiceAccount"}
CONTAINER_GUID = "1EB93889E40C45DF9F0C64D23BBB6237"  # in otherWellKnownObjects of the domain

# MS-KILE 2.2.7, Supported Encryption Types bit flags.
ENCRYPTION_TYPES = {"rc4": 0x04, "aes128": 0x08, "aes256": 0x10}
WORKSTATION_TRUST_ACCOUNT = 0x1000  # MS-ADTS 2.2.16, userAccountControl
ACCOUNT_DISABLED = 0x0002

MAX_NAME = 15  # sAMAccountName of a managed service account, without the dollar sign
_FORBIDDEN = re.compile(r'[\x00-\x1f"/\\\[\]:;|=,+*?<>@$]')


class ServiceAccountError(OdjError):
    """The service account cannot be made what is asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for. None means: leave it as it is.

    Attributes:
        name: Without the dollar sign.
        kind: "standalone" or "group".
        enabled: Whether it may be used.
        description: Text for people.
        dns_host_name: dNSHostName.
        interval_days: Of the managed password; counts at creation only.
        encryption_types: Sum of ENCRYPTION_TYPES.
        readers: Who may read the password of a group account; exactly these.

    """

    name: str
    kind: str
    enabled: bool | None = True
    description: str | None = None
    dns_host_name: str | None = None
    interval_days: int = 30
    encryption_types: int | None = None
    readers: tuple[Account, ...] | None = None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A managed service account as it is in the directory.

    Attributes:
        dn: Its distinguished name.
        name: Without the dollar sign.
        sid: Its SID.
        kind: "standalone" or "group".
        control: userAccountControl.
        description: "" when not set.
        dns_host_name: "" when not set.
        interval_days: None for standalone accounts.
        encryption_types: None when not set.
        readers: SIDs that may read the password; None for standalone accounts.
        hosts: DNs of the computers it is linked to.

    """

    dn: str
    name: str
    sid: Sid
    kind: str
    control: int
    description: str = ""
    dns_host_name: str = ""
    interval_days: int | None = None
    encryption_types: int | None = None
    readers: tuple[Sid, ...] | None = None
    hosts: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """It may be used."""
        return not self.control & ACCOUNT_DISABLED

    def to_json(self) -> dict[str, t.Any]:
        """Return the account as data for a task result."""
        readers = None if self.readers is None else [str(sid) for sid in self.readers]
        return {
            "exists": True,
            "dn": self.dn,
            "name": self.name,
            "sam_account_name": f"{self.name}$",
            "sid": str(self.sid),
            "kind": self.kind,
            "enabled": self.enabled,
            "description": self.description,
            "dns_host_name": self.dns_host_name,
            "managed_password_interval_days": self.interval_days,
            "kerberos_encryption_types": encryption_names(self.encryption_types or 0),
            "hosts": list(self.hosts),
            "allowed_readers": readers,
        }


def checked_name(name: str) -> str:
    """Return the name without a trailing dollar sign.

    Raises:
        InvalidInput: It cannot be the name of a managed service account.

    """
    bare = name.removesuffix("$")
    if not bare.strip() or bare != bare.strip() or len(bare) > MAX_NAME or _FORBIDDEN.search(bare):
        raise InvalidInput(
            "take the name of the service account",
            on=name,
            got=f'it must have 1 to {MAX_NAME} characters (without $), and none of " / \\ [ ] : ; | = , + * ? < > @',
        )
    return bare


def encryption_names(value: int) -> list[str]:
    """Return the names of the encryption types in a value of msDS-SupportedEncryptionTypes."""
    return [name for name, bit in ENCRYPTION_TYPES.items() if value & bit]


def readers_descriptor(readers: Sequence[Sid]) -> bytes:
    """Return msDS-GroupMSAMembership for these readers: owner Administrators, full control for each."""
    aces = tuple(AccessRule(True, FULL_CONTROL, sid).to_ace() for sid in readers)
    return new_descriptor(ADMINISTRATORS.to_bytes(), aces).to_bytes()


def readers_in(descriptor: bytes) -> tuple[Sid, ...]:
    """Return the SIDs that a value of msDS-GroupMSAMembership allows to read the password.

    Raises:
        MalformedDescriptor: The value is not a descriptor.

    """
    dacl = SecurityDescriptor.parse(descriptor).dacl
    rules = [AccessRule.from_ace(ace) for ace in dacl.aces] if dacl else []
    return tuple(r.trustee for r in rules if r and r.allow and r.mask & READ_PROPERTY and r.object_type is None)
