# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of [MS-DTYP] 2.4 to add one entry to a DACL; no part of the collection, whose work it helps to judge."""

from __future__ import annotations

import struct
import typing as t
import uuid

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

CREATE_CHILD = 0x1
DELETE_CHILD = 0x2
WRITE_PROPERTY = 0x20
WRITE_DAC = 0x40000

ALLOWED, DENIED, ALLOWED_OBJECT, DENIED_OBJECT = 0, 1, 5, 6
INHERITED = 0x10
DACL_ONLY = security_descriptor_control(sdflags=4)


def sid_text(data: bytes) -> str:
    """Return a binary SID as text."""
    parts = struct.unpack(f"<{data[1]}I", data[8 : 8 + 4 * data[1]])
    return "-".join(map(str, ("S", data[0], int.from_bytes(data[2:8], "big"), *parts)))


def allow(sid: bytes, mask: int, object_type: uuid.UUID | None = None) -> bytes:
    """Return an entry that allows something on this object only; object_type is a class or an attribute."""
    kind, middle = ALLOWED, b""
    if object_type is not None:
        kind, middle = ALLOWED_OBJECT, struct.pack("<I", 1) + object_type.bytes_le
    return struct.pack("<BBHI", kind, 0, 8 + len(middle) + len(sid), mask) + middle + sid


def with_entry(descriptor: bytes, entry: bytes, *, last: bool = False) -> bytes:
    """Return a descriptor that holds a DACL alone with an entry put behind the explicit denials, or the last explicit.

    The first is where an entry that allows belongs; the second is out of order for one that denies.
    """
    start = struct.unpack_from("<I", descriptor, 16)[0]
    revision, __, size, count, __ = struct.unpack_from("<BBHHH", descriptor, start)
    position = start + 8
    for __ in range(count):
        kind, flags, length = struct.unpack_from("<BBH", descriptor, position)
        if flags & INHERITED or not (last or kind in (DENIED, DENIED_OBJECT)):
            break
        position += length
    revision = 4 if entry[0] in (ALLOWED_OBJECT, DENIED_OBJECT) else revision
    header = struct.pack("<BBHHH", revision, 0, size + len(entry), count + 1, 0)
    return descriptor[:start] + header + descriptor[start + 8 : position] + entry + descriptor[position : start + size]


def responses(connection: ldap3.Connection) -> list[dict[str, t.Any]]:
    """Return the entries that the last search found."""
    return [entry for entry in connection.response or () if entry["type"] == "searchResEntry"]


def grant(connection: ldap3.Connection, dn: str, *entries: bytes, last: bool = False) -> None:
    """Add entries to the DACL of an object, with the rights of whoever is bound. Nothing happens for those it has.

    Args:
        connection: Who is bound.
        dn: The object.
        entries: The entries.
        last: Put them behind all other explicit entries.

    Raises:
        LDAPException: The object does not exist, or its DACL may not be read or written.

    """
    connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"], controls=DACL_ONLY)
    before: bytes = responses(connection)[0]["raw_attributes"]["nTSecurityDescriptor"][0]
    after = before
    for entry in entries:
        after = after if entry in after else with_entry(after, entry, last=last)
    if after != before:
        change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [after])]}
        connection.modify(dn, t.cast(t.Any, change), controls=DACL_ONLY)
