# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Security descriptors in self-relative form (MS-DTYP 2.4.6): parse and serialise without losing a byte.

Access control entries stay the bytes they are; access_rule.py looks into them. What is not touched is never written
anew, so a descriptor comes back as it was whatever laid it out: the order of its parts, gaps and slack are kept. Parts
that overlap, or that two offsets share, are refused: no server lays them out so, and a change of one would change both.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

DACL_PRESENT = 0x0004
SACL_PRESENT = 0x0010
SELF_RELATIVE = 0x8000
REVISION_DS = 4  # an ACL that may hold object ACEs (MS-DTYP 2.4.5)
REVISIONS = frozenset({2, REVISION_DS})  # the two that MS-DTYP 2.4.5 knows

_HEADER = struct.Struct("<BBHIIII")
_ACL_HEADER = struct.Struct("<BBHHH")

# ACE types whose SID follows the mask, and those where flags and up to two GUIDs stand between (MS-DTYP 2.4.4).
BASIC_TYPES = frozenset({0x00, 0x01, 0x02, 0x03, 0x09, 0x0A, 0x0D, 0x0E, 0x11, 0x12, 0x13})
OBJECT_TYPES = frozenset({0x05, 0x06, 0x07, 0x08, 0x0B, 0x0C, 0x0F, 0x10})


class MalformedDescriptor(OdjError):
    """Bytes that are not one well-formed self-relative security descriptor."""

    def __init__(self, why: str, on: str = "") -> None:
        super().__init__("read the security descriptor", on=on, got=why, advice="Nothing was written.")


@dataclass(frozen=True, slots=True)
class Acl:
    """An access control list.

    Attributes:
        revision: 2, or 4 when it may hold object ACEs.
        aces: The entries as bytes, in order.
        slack: Unused bytes behind the last entry.
        reserved: The two reserved fields of the header.
    """

    revision: int
    aces: tuple[bytes, ...]
    slack: bytes = b""
    reserved: tuple[int, int] = (0, 0)

    def checked_size(self) -> int:
        """Return its length in bytes.

        Raises:
            MalformedDescriptor: The entries do not fit into one list (64 KiB).
        """
        size = 8 + sum(map(len, self.aces)) + len(self.slack)
        if size > 0xFFFF:
            raise MalformedDescriptor("the access control list would be larger than 64 KiB")
        return size

    def to_bytes(self) -> bytes:
        """Return the binary form.

        Raises:
            MalformedDescriptor: The entries do not fit into one list (64 KiB).
        """
        size = self.checked_size()
        header = _ACL_HEADER.pack(self.revision, self.reserved[0], size, len(self.aces), self.reserved[1])
        return header + b"".join(self.aces) + self.slack


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """A self-relative security descriptor.

    Attributes:
        control: The control bits of the header.
        owner: SID bytes or None.
        group: SID bytes or None.
        sacl: The audit list; None when absent.
        dacl: The access list; None when absent or when it is the NULL list, which lets everybody do everything.
        layout: What follows the header, in order: names of the parts above, and bytes that belong to none.
        reserved: The reserved byte of the header (Sbz1).
    """

    control: int
    owner: bytes | None = None
    group: bytes | None = None
    sacl: Acl | None = None
    dacl: Acl | None = None
    layout: tuple[str | bytes, ...] = ("owner", "group", "sacl", "dacl")
    reserved: int = 0

    @classmethod
    @lru_cache(maxsize=1 << 12)
    def parse(cls, data: bytes) -> SecurityDescriptor:
        """Read a descriptor. ``parse(x).to_bytes() == x`` for every x that this accepts.

        The last few thousand are remembered: a task comes across the same one when it plans, writes and verifies.

        Raises:
            MalformedDescriptor: The bytes are not one well-formed descriptor.
        """
        if len(data) < _HEADER.size:
            raise MalformedDescriptor("it is shorter than its header")
        revision, reserved, control, *offsets = _HEADER.unpack_from(data)
        if revision != 1 or not control & SELF_RELATIVE:
            raise MalformedDescriptor("it is not a self-relative descriptor of revision 1")
        if (offsets[2] and not control & SACL_PRESENT) or (offsets[3] and not control & DACL_PRESENT):
            raise MalformedDescriptor("it holds a list that its control bits deny")
        parts: dict[str, bytes] = {}
        layout = _slice(data, offsets, parts)
        sacl, dacl = (_parse_acl(parts[name]) if name in parts else None for name in ("sacl", "dacl"))
        return cls(control, parts.get("owner"), parts.get("group"), sacl, dacl, layout, reserved)

    @classmethod
    def of(cls, dn: str, data: bytes) -> SecurityDescriptor:
        """Read the descriptor of an object.

        Raises:
            MalformedDescriptor: The bytes are not one well-formed descriptor; it names the object.
        """
        try:
            return cls.parse(data)
        except MalformedDescriptor as problem:
            raise MalformedDescriptor(problem.got, dn) from None

    def to_bytes(self) -> bytes:
        """Return the binary form, parts in the order of the layout.

        Raises:
            MalformedDescriptor: A list has outgrown 64 KiB.
        """
        offsets = dict.fromkeys(("owner", "group", "sacl", "dacl"), 0)
        body = bytearray()
        for item in self.layout:
            if isinstance(item, bytes):
                body += item
                continue
            part = getattr(self, item)
            if part is not None:
                offsets[item] = _HEADER.size + len(body)
                body += part.to_bytes() if isinstance(part, Acl) else part
        return _HEADER.pack(1, self.reserved, self.control, *offsets.values()) + bytes(body)

    def with_dacl(self, aces: tuple[bytes, ...]) -> SecurityDescriptor:
        """Return the descriptor with other entries in its access list, everything else as it is.

        Raises:
            MalformedDescriptor: There is no access list to change, or it would outgrow 64 KiB.
        """
        if self.dacl is None:
            raise MalformedDescriptor("it has no access list")
        holds_objects = any(ace[0] in OBJECT_TYPES for ace in aces)
        revision = max(self.dacl.revision, REVISION_DS) if holds_objects else self.dacl.revision
        dacl = replace(self.dacl, revision=revision, aces=aces)
        dacl.checked_size()
        return replace(self, dacl=dacl)


def new_descriptor(owner: bytes, aces: tuple[bytes, ...]) -> SecurityDescriptor:
    """Return a descriptor with an owner and an access list."""
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, owner=owner, dacl=Acl(2, aces))


def sid_length(data: bytes, start: int, end: int) -> int:
    """Return the length of the SID that starts there.

    Raises:
        MalformedDescriptor: There is none, or it does not end before ``end``.
    """
    if start + 8 > end or data[start] != 1 or data[start + 1] > 15:
        raise MalformedDescriptor("it holds something else where a SID is due")
    length: int = 8 + 4 * data[start + 1]
    if start + length > end:
        raise MalformedDescriptor("a SID does not end where its container ends")
    return length


def sid_start(ace: bytes) -> int | None:
    """Return where the SID of an ACE starts; None for types whose inside is not known."""
    if ace[0] in BASIC_TYPES:
        return 8
    if ace[0] not in OBJECT_TYPES:
        return None
    if len(ace) < 12:
        raise MalformedDescriptor("an entry is shorter than its type demands")
    return 12 + 16 * (ace[8] & 1) + 8 * (ace[8] & 2)


def _slice(data: bytes, offsets: list[int], parts: dict[str, bytes]) -> tuple[str | bytes, ...]:
    layout: list[str | bytes] = []
    end = _HEADER.size
    for offset, name in sorted(zip(offsets, ("owner", "group", "sacl", "dacl"), strict=True)):
        if not offset:
            continue
        if offset < end:
            raise MalformedDescriptor(f"its {name} overlaps what stands before it")
        if offset > end:
            layout.append(data[end:offset])
        length = sid_length(data, offset, len(data)) if name in {"owner", "group"} else _acl_length(data, offset)
        parts[name] = data[offset : offset + length]
        layout.append(name)
        end = offset + length
    if end < len(data):
        layout.append(data[end:])
    return tuple(layout)


def _acl_length(data: bytes, start: int) -> int:
    if start + 8 > len(data):
        raise MalformedDescriptor("a list is shorter than its header")
    length = int.from_bytes(data[start + 2 : start + 4], "little")
    if length < 8 or start + length > len(data):
        raise MalformedDescriptor("a list does not end within the descriptor")
    return length


def _parse_acl(data: bytes) -> Acl:
    revision, first, size, count, second = _ACL_HEADER.unpack_from(data)
    if revision not in REVISIONS:
        raise MalformedDescriptor(f"a list is of revision {revision}, which there is not")
    aces = []
    position = 8
    for number in range(count):
        if position + 4 > size:
            raise MalformedDescriptor(f"a list says that it holds {count} entries, but there are {number}")
        length = data[position + 2] | data[position + 3] << 8
        if length < 4 or length & 3 or position + length > size:
            raise MalformedDescriptor("an entry does not end within its list, or not at a multiple of 4")
        ace = data[position : position + length]
        _check_ace(ace)
        aces.append(ace)
        position += length
    return Acl(revision, tuple(aces), data[position:], (first, second))


@lru_cache(maxsize=1 << 14)  # most entries of a domain are inherited or common: the same bytes on every object
def _check_ace(ace: bytes) -> None:
    start = sid_start(ace)
    if start is not None:
        sid_length(ace, start, len(ace))
