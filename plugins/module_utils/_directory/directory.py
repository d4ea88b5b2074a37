# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What the directory side asks of a directory, whichever it is: settings, filters, entries and the operations."""

from __future__ import annotations

import re
import typing as t
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

NO_SUCH_OBJECT = 32
ROOT_ATTRIBUTES = (
    "defaultNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "currentTime",
    "dnsHostName",
    "supportedCapabilities",
)
Attributes: t.TypeAlias = "Mapping[str, Sequence[bytes]]"
T = t.TypeVar("T")
Value: t.TypeAlias = "str | bytes"
_SPECIAL = "\\*()\x00"  # what has a meaning in a filter
_NUMBER = re.compile(rb"-?[0-9]{1,19}")
_GUID_SIZE = 16
_SHOWN = 40  # bytes of a value that cannot be meant


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value."""

    attribute: str

    def __str__(self) -> str:
        return f"({self.attribute}=*)"


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute has this value."""

    attribute: str
    value: Value

    def __str__(self) -> str:
        return f"({self.attribute}={escape(self.value)})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these holds."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return f"(&{''.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return f"(|{''.join(map(str, self.parts))})"


Filter: t.TypeAlias = "Present | Equals | AllOf | AnyOf"
ANYTHING = Present("objectClass")


def escape(value: Value) -> str:
    """Return a value as it may stand in a filter: bytes all in hexadecimal, of text what has a meaning there.

    White space is escaped too: ldap3 takes it off the ends of a value otherwise.
    """
    if isinstance(value, bytes):
        return "".join(f"\\{byte:02x}" for byte in value)
    return "".join(escape(char.encode()) if char in _SPECIAL or char.isspace() else char for char in value)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in runs of at most this size."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach a domain controller, and as whom; named as the options of the modules.

    Attributes:
        server: Name or address of one domain controller; None to look one up in ``domain``.
        domain: DNS name of the domain whose domain controllers are looked up.
        dns_servers: Addresses of the DNS servers to ask; () for those of the system.
        auth_protocol: "simple" or "kerberos".
        username: For simple: name behind a domain and a backslash, user principal name, or distinguished name. For
            kerberos: name@REALM; None for the principal of ``ccache``.
        password: Its password; None when Kerberos takes ``keytab`` or ``ccache``.
        keytab: File with the keys of the account.
        ccache: Credential cache with its tickets; None for the default one of the process.
        port: None for the usual one of the mode.
        tls_mode: "ldaps" or "start_tls".
        ca_path: PEM file of the authority; None for those of the system.
        validate_certs: Whether certificate and name are checked.
        server_name: The name the certificate has to carry; None for the server as given or found.
        timeout: Seconds, for connecting and for each answer.
    """

    server: str | None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    domain: str | None = None
    dns_servers: Sequence[str] = ()
    auth_protocol: str = "simple"
    keytab: str | None = None
    ccache: str | None = None
    port: int | None = None
    tls_mode: str = "ldaps"
    ca_path: str | None = None
    validate_certs: bool = True
    server_name: str | None = None
    timeout: int = 30

    @property
    def account(self) -> str:
        """As whom, for messages."""
        return (self.username or "").strip() or "the account of the Kerberos tickets"

    @property
    def where(self) -> str:
        """What the user named, for messages before a domain controller is found."""
        return self.server or self.domain or ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as the directory gave it.

    Attributes:
        dn: Its distinguished name, spelt as the directory does.
        values: Values by attribute name in lower case.
    """

    dn: str
    values: Mapping[str, tuple[bytes, ...]]

    def all(self, attribute: str) -> tuple[bytes, ...]:
        """Return all values of an attribute; () when it has none or may not be read."""
        return self.values.get(attribute.lower(), ())

    def one(self, attribute: str) -> bytes | None:
        """Return the first value, or None."""
        return next(iter(self.all(attribute)), None)

    def text(self, attribute: str) -> str:
        """Return the first value as text, or ""."""
        return (self.one(attribute) or b"").decode("utf-8", "replace")

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Return all values as text."""
        return tuple(value.decode("utf-8", "replace") for value in self.all(attribute))

    def number(self, attribute: str) -> int | None:
        """Return the first value as a number (RFC 4517 3.3.16, of 64 bits at most: MS-ADTS 3.1.1.2.2.2), or None.

        Raises:
            DirectoryError: It is none.
        """
        value = self.one(attribute)
        number = int(value) if value and _NUMBER.fullmatch(value) else None
        if value is not None and (number is None or not -(1 << 63) <= number < 1 << 63):
            raise self._odd(attribute, value, "a number")
        return number

    def sid(self, attribute: str) -> Sid | None:
        """Return the first value as a SID, or None.

        Raises:
            DirectoryError: It is none.
        """
        return next(iter(self.sids(attribute)), None)

    def sids(self, attribute: str) -> tuple[Sid, ...]:
        """Return all values as SIDs.

        Raises:
            DirectoryError: One is none.
        """
        return tuple(self._sid(attribute, value) for value in self.all(attribute))

    def guid(self, attribute: str) -> uuid.UUID | None:
        """Return the first value as a GUID, or None.

        Raises:
            DirectoryError: It is none.
        """
        value = self.one(attribute)
        if value is not None and len(value) != _GUID_SIZE:
            raise self._odd(attribute, value, "a GUID")
        return None if value is None else uuid.UUID(bytes_le=value)

    def required_sid(self, attribute: str = "objectSid") -> Sid:
        """Return the first value as a SID.

        Raises:
            DirectoryError: It is none, or there is none that may be read.
        """
        sid = self.sid(attribute)
        if sid is None:
            raise DirectoryError(
                f"read {attribute}",
                on=self.dn,
                got="it has none that may be read",
                advice="Let the account that is used here read it.",
            )
        return sid

    def _sid(self, attribute: str, value: bytes) -> Sid:
        try:
            return Sid.from_bytes(value)
        except ValueError:
            raise self._odd(attribute, value, "a SID") from None

    def _odd(self, attribute: str, value: bytes, what: str) -> DirectoryError:
        return DirectoryError(
            f"read {attribute}",
            on=self.dn,
            got=f"{value[:_SHOWN]!r} is not {what}",
            advice="Is it a domain controller of Active Directory? Something between may change what it says.",
        )


@dataclass(frozen=True, slots=True)
class Read:
    """One step of a procedure: read one object by its name. The answer is the Entry, None when there is none.

    Attributes:
        dn: Its distinguished name.
        attributes: What to ask for.
        dacl: As for Directory.search.
        owner: As for Directory.search.
    """

    dn: str
    attributes: Sequence[str]
    dacl: bool = False
    owner: bool = False

    @property
    def tried(self) -> str:
        """What it does, as a phrase for errors."""
        return "search the directory"


@dataclass(frozen=True, slots=True)
class Write:
    """One step of a procedure: change attributes of one object. The answer is None.

    Attributes:
        dn: Its distinguished name.
        changes: As for Directory.modify.
        dacl: As for Directory.modify.
    """

    dn: str
    changes: Mapping[str, tuple[str, Sequence[bytes]]]
    dacl: bool = False

    @property
    def tried(self) -> str:
        """What it does, as a phrase for errors."""
        return f"change {', '.join(self.changes)}"


# What has to be done to one object, written as if it were alone: it yields steps, is sent their answers (a
# DirectoryError of a step is raised where it was yielded), and returns its result.
Procedure: t.TypeAlias = Generator["Read | Write", "Entry | None", T]


class Directory(t.Protocol):
    """What the rest of the directory side needs of a directory."""

    @property
    def clock(self) -> Clock:
        """The clock of the task."""

    def root(self) -> Entry:
        """Return the rootDSE (MS-ADTS 3.1.1.3.2), read before the logon: ROOT_ATTRIBUTES as far as it has them."""

    def search(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> list[Entry]:
        """Return the objects that match; ``dacl`` makes nTSecurityDescriptor carry the access list alone.

        Args:
            base: Where to start; "" with scope "base" is the rootDSE.
            where: The filter.
            attributes: What to ask for.
            scope: "base", "level" or "subtree".
            dacl: Send the SD flags control with DACL_SECURITY_INFORMATION.
            owner: With ``dacl``: ask for the owner too (OWNER_SECURITY_INFORMATION).

        Raises:
            DirectoryError: With code 32 when the base does not exist.
        """

    def modify(self, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool = False) -> None:
        """Change attributes of one object: name -> ("replace" | "add" | "delete", values)."""

    def add(self, dn: str, object_class: str, attributes: Attributes) -> None:
        """Create an object."""

    def delete(self, dn: str) -> None:
        """Remove an object that has no children."""

    def entries(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> Iterator[Entry]:
        """Do as ``search`` does, but hand out what a page holds while the next one is on its way."""

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        """Work through many procedures, many of them at a time, so that none waits for the way to the directory.

        Yields the result of each in their order, or the error that ended it. After an error no further procedure is
        started; those under way are finished.
        """

    def facts(self) -> dict[str, t.Any]:
        """Return ``server`` and ``operations`` (how many of each kind were made) for the task result."""


def root_dse(directory: Directory, *attributes: str) -> Entry:
    """Return what the domain controller says of itself.

    Raises:
        DirectoryError: It does not say one of the attributes: it is no domain controller of Active Directory.
    """
    entry = directory.root()
    missing = [name for name in attributes if not entry.all(name)]
    if missing:
        raise DirectoryError(
            "read the naming contexts", got=f"no {', '.join(missing)}", advice="Is it an Active Directory server?"
        )
    return entry
