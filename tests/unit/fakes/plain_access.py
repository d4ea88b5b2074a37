# SPDX-License-Identifier: GPL-3.0-or-later
"""A second reading of access lists and a second access check, as plain as can be; ours are held to it.

Written from MS-DTYP 2.4.4 to 2.4.6 and MS-ADTS 5.1.3 alone; it shares no line with the collection.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

ALLOW, DENY, CONDITIONAL = {0x00, 0x05, 0x09, 0x0B}, {0x01, 0x06, 0x0A, 0x0C}, {0x09, 0x0A, 0x0B, 0x0C}
WITH_TYPES = {0x05, 0x06, 0x0B, 0x0C}
CONTAINER_INHERIT, NO_PROPAGATE, INHERIT_ONLY, INHERITED = 0x02, 0x04, 0x08, 0x10
GENERIC = {0x10000000: 0x000F01FF, 0x20000000: 0x00020004, 0x40000000: 0x00020028, 0x80000000: 0x00020094}


@dataclass(frozen=True, slots=True)
class PlainAce:
    """One entry that allows or denies; the fields as MS-DTYP has them."""

    kind: int
    flags: int
    mask: int
    object_type: uuid.UUID | None
    heir: uuid.UUID | None
    sid: bytes

    @property
    def allows(self) -> bool:
        return self.kind in ALLOW

    @property
    def rights(self) -> int:
        rights = self.mask
        for generic, meaning in GENERIC.items():
            rights |= meaning if self.mask & generic else 0
        return rights


def read_ace(raw: bytes) -> PlainAce | None:
    """Read one entry; None when it neither allows nor denies."""
    kind, flags = raw[0], raw[1]
    if kind not in ALLOW | DENY:
        return None
    (mask,) = struct.unpack_from("<I", raw, 4)
    at, object_type, heir = 8, None, None
    if kind in WITH_TYPES:
        (present,) = struct.unpack_from("<I", raw, 8)
        at = 12
        if present & 1:
            object_type, at = uuid.UUID(bytes_le=raw[at : at + 16]), at + 16
        if present & 2:
            heir, at = uuid.UUID(bytes_le=raw[at : at + 16]), at + 16
    return PlainAce(kind, flags, mask, object_type, heir, raw[at : at + 8 + 4 * raw[at + 1]])


def split(acl: bytes) -> list[bytes]:
    """Return the entries of a list as bytes."""
    (count,) = struct.unpack_from("<H", acl, 4)
    aces, at = [], 8
    for __ in range(count):
        (size,) = struct.unpack_from("<H", acl, at + 2)
        aces.append(acl[at : at + size])
        at += size
    return aces


def read_dacl(descriptor: bytes) -> list[PlainAce]:
    """Return what allows or denies in the access list of a self-relative descriptor, which has one."""
    (at,) = struct.unpack_from("<I", descriptor, 16)
    return [ace for ace in map(read_ace, split(descriptor[at:])) if ace]


def owner(descriptor: bytes) -> bytes:
    """Return the owner of a self-relative descriptor, which has one."""
    (at,) = struct.unpack_from("<I", descriptor, 4)
    return descriptor[at : at + 8 + 4 * descriptor[at + 1]]


def in_force(aces: Iterable[PlainAce], depth: int, kind: uuid.UUID) -> list[PlainAce]:
    """Return the entries that count for an object of that class, so many levels below the one that has them.

    Every object of a directory is a container. An entry with a class of heirs is passed on through the others to them.
    """
    if depth == 0:
        return [ace for ace in aces if not ace.flags & INHERIT_ONLY]
    return [
        ace
        for ace in aces
        if ace.flags & CONTAINER_INHERIT and (depth == 1 or not ace.flags & NO_PROPAGATE) and ace.heir in (None, kind)
    ]


def allowed(
    aces: Iterable[PlainAce], held: Collection[bytes], right: int, object_type: uuid.UUID, *, conditions: bool
) -> bool:
    """Go through the entries in their order: the first that speaks of the right decides.

    Args:
        aces: Those in force.
        held: SIDs of whoever asks.
        right: One bit.
        object_type: What it is asked for: a class, a property, an extended right.
        conditions: Whether conditions hold.

    """
    for ace in aces:
        if ace.sid not in held or (ace.kind in CONDITIONAL and not conditions):
            continue
        if ace.rights & right and ace.object_type in (None, object_type):
            return ace.allows
    return False
