# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Managed service accounts as directory objects: what is wanted, and what is there."""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import (
    ACCOUNT_DISABLED,
    SERVICE_ACCOUNT_CLASSES,
    AccountName,
    Trustee,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError

CLASSES = {kind: SERVICE_ACCOUNT_CLASSES[kind] for kind in ("standalone", "group")}
CONTAINER_GUID = "1EB93889E40C45DF9F0C64D23BBB6237"  # in otherWellKnownObjects of the domain

# MS-KILE 2.2.7, Supported Encryption Types bit flags: those that can be asked for, and those that are only told.
ENCRYPTION_TYPES = {"rc4": 0x04, "aes128": 0x08, "aes256": 0x10}
USUAL_ENCRYPTION_TYPES = ENCRYPTION_TYPES["aes128"] | ENCRYPTION_TYPES["aes256"]
_TOLD = {"des_cbc_crc": 0x01, "des_cbc_md5": 0x02, **ENCRYPTION_TYPES, "aes256_sk": 0x20}
ALL_ENCRYPTION_TYPES = sum(_TOLD.values())  # the other flags of that value speak of claims and the like
WORKSTATION_TRUST_ACCOUNT = 0x1000  # MS-ADTS 2.2.16, userAccountControl

MAX_NAME = 15  # sAMAccountName of a managed service account, without the dollar sign
_FORBIDDEN = re.compile(r'[\x00-\x1f"/\\\[\]:;|=,+*?<>@$]')
_DNS_NAME = re.compile(r"(?=.{1,255}\Z)(?!-)[\w-]{1,63}(?<!-)(\.(?!-)[\w-]{1,63}(?<!-))*")


class ServiceAccountError(OdjError):
    """The service account cannot be made what is asked for."""


@dataclass(frozen=True, slots=True)
class DesiredAccount:
    """What the user asks for. None means: leave it as it is.

    Attributes:
        name: Without the dollar sign.
        kind: "standalone" or "group".
        enabled: Whether it may be used. A new account may, unless this is False.
        description: Text for people.
        dns_host_name: dNSHostName.
        interval_days: Of the managed password; counts at creation only.
        encryption_types: Sum of ENCRYPTION_TYPES; a new account has USUAL_ENCRYPTION_TYPES when this is None.
        readers: Who may read the password of a group account, after the task.
    """

    name: str
    kind: str
    enabled: bool | None = None
    description: str | None = None
    dns_host_name: str | None = None
    interval_days: int = 30
    encryption_types: int | None = None
    readers: tuple[Trustee, ...] | None = None


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
        membership: msDS-GroupMSAMembership as it is; b"" when there is none.
        password_set: When its password was set; None when never.
        created: When the object was made; None when that may not be read.
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
    membership: bytes = field(default=b"", repr=False)
    password_set: datetime.datetime | None = None
    created: datetime.datetime | None = None

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


def desired_account(name: str, options: Mapping[str, t.Any]) -> DesiredAccount:
    """Return what the options of odj_msa ask for, but for the readers.

    Raises:
        InvalidInput: One of them cannot be meant as it stands.
    """
    days, types, dns_name = (
        options[option] for option in ("managed_password_interval_days", "kerberos_encryption_types", "dns_host_name")
    )
    if days < 1:
        raise InvalidInput("read the options", on="managed_password_interval_days", got="it must be at least 1")
    if types is not None and not types:
        raise InvalidInput(
            "read the options", on="kerberos_encryption_types", got="it is empty, which lets the directory choose"
        )
    return DesiredAccount(
        name=name,
        kind=options["kind"],
        enabled=options["enabled"],
        description=options["description"],
        dns_host_name=None if dns_name is None else checked_dns_name(dns_name),
        interval_days=days,
        encryption_types=None if types is None else sum(ENCRYPTION_TYPES[one] for one in set(types)),
    )


def checked_name(name: str) -> str:
    """Return the name without a trailing dollar sign.

    Raises:
        InvalidInput: It cannot be the name of a managed service account.
    """
    bare = name.removesuffix("$")
    size = len(bare.encode("utf-16-le", "surrogatepass")) // 2  # as the directory counts
    if not bare.strip() or bare != bare.strip() or size > MAX_NAME or _FORBIDDEN.search(bare) or bare[-1] == ".":
        raise InvalidInput(
            "take the name of the service account",
            on=name,
            got=f'it must have 1 to {MAX_NAME} characters (without $), none of " / \\ [ ] : ; | = , + * ? < > @, and '
            "no full stop at its end",
        )
    return bare


def checked_dns_name(name: str) -> str:
    """Return a DNS host name as it is.

    Raises:
        InvalidInput: It is none.
    """
    if not _DNS_NAME.fullmatch(name):
        raise InvalidInput("read the options", on="dns_host_name", got=f"{name!r} is not a DNS name")
    return name


def encryption_names(value: int) -> list[str]:
    """Return the names of the encryption types in a value of msDS-SupportedEncryptionTypes."""
    return [name for name, bit in _TOLD.items() if value & bit]


Item = t.TypeVar("Item")
Other = t.TypeVar("Other")


@dataclass(frozen=True, slots=True)
class ListChange(t.Generic[Item]):
    """What is to become of a list.

    Attributes:
        exactly: The whole list; None when only ``add`` and ``remove`` count.
        add: What has to be in it.
        remove: What must not be in it.
    """

    exactly: tuple[Item, ...] | None = None
    add: tuple[Item, ...] = ()
    remove: tuple[Item, ...] = ()

    @property
    def required(self) -> tuple[Item, ...]:
        """What has to be in the list afterwards."""
        return (*(self.exactly or ()), *self.add)

    def apply_to(self, current: Sequence[Item]) -> tuple[Item, ...]:
        """Return the list afterwards: what stays keeps its place, each item once."""
        kept = [item for item in current if self.exactly is None or item in self.exactly]
        return tuple(item for item in dict.fromkeys((*kept, *self.required)) if item not in self.remove)

    def checked(self, option: str, shown: Callable[[Item], str] = str) -> ListChange[Item]:
        """Return it as it is.

        Args:
            option: Where it comes from.
            shown: What people call an item.

        Raises:
            InvalidInput: An item is both to be added and to be removed, under whatever names.
        """
        both = sorted(shown(item) for item in self.add if item in self.remove)
        if both:
            raise InvalidInput("read the options", on=option, got=f"both to add and to remove: {', '.join(both)}")
        return self

    def of(self, found: Callable[[Sequence[Item]], Sequence[Other]]) -> ListChange[Other]:
        """Return the same edit of what the items mean; ``found`` is asked for each part that is not empty."""

        def all_of(items: tuple[Item, ...]) -> tuple[Other, ...]:
            return tuple(found(items)) if items else ()

        exactly = None if self.exactly is None else all_of(self.exactly)
        return ListChange(exactly, all_of(self.add), all_of(self.remove))


def list_change_from(option: str, value: Mapping[str, Sequence[str] | None] | None) -> ListChange[str] | None:
    """Read an option with the keys ``add``, ``remove`` and ``set``; None when nothing is asked for.

    Raises:
        InvalidInput: ``set`` stands beside another key, or a name is both to be added and to be removed.
    """
    parts = {key: value.get(key) for key in ("set", "add", "remove")} if value else {}
    if all(part is None for part in parts.values()):
        return None
    add, remove = tuple(parts["add"] or ()), tuple(parts["remove"] or ())
    if parts["set"] is not None and (add or remove):
        raise InvalidInput(
            "read the options", on=option, got="set says the whole list, so add and remove go without it"
        )
    both = {name.casefold() for name in add} & {name.casefold() for name in remove}
    if both:
        raise InvalidInput("read the options", on=option, got=f"both to add and to remove: {', '.join(sorted(both))}")
    return ListChange(None if parts["set"] is None else tuple(parts["set"]), add, remove)


def hosts_change_from(params: Mapping[str, t.Any]) -> ListChange[str] | None:
    """Read the options ``host`` and ``hosts``: names of computers; None when neither is given.

    Raises:
        InvalidInput: They cannot be meant as they stand.
    """
    if params["host"] and params["kind"] != "standalone":
        raise InvalidInput("read the options", on="host", got="it is for kind standalone only", advice="Use hosts.")
    change = ListChange((params["host"],)) if params["host"] else list_change_from("hosts", params["hosts"])
    for name in (*change.required, *change.remove) if change else ():
        AccountName.parse(name, "hosts")
    return change


def readers_change_from(params: Mapping[str, t.Any]) -> ListChange[str] | None:
    """Read the options ``allowed_readers`` and ``readers``: names of accounts; None for a standalone account.

    Raises:
        InvalidInput: They cannot be meant as they stand.
    """
    listed = params["allowed_readers"]
    change = list_change_from("readers", params["readers"]) if listed is None else ListChange(tuple(listed))
    option = "readers" if listed is None else "allowed_readers"
    names = (*change.required, *change.remove) if change else ()
    if names and params["kind"] != "group":
        raise InvalidInput("read the options", on=option, got="it is for kind group only")
    for name in names:
        AccountName.parse(name, option)
    return change if params["kind"] == "group" else None
