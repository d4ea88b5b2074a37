# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an access control entry (ACE) says: read and written, put in order, shown as SDDL, traced to its origin."""

from __future__ import annotations

import functools
import operator
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    SecurityDescriptor,
    sid_length,
    sid_start,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid

CREATE_CHILD = 0x00000001  # ADS_RIGHT_DS_CREATE_CHILD, MS-ADTS 5.1.3.2
READ_PROPERTY = 0x00000010
FULL_CONTROL = 0x000F01FF  # what GENERIC_ALL becomes on an object of the directory
GENERIC_ALL = 0x10000000
GENERIC_WRITE = 0x40000000
GENERIC_READ = 0x80000000
_GENERIC = {GENERIC_ALL: FULL_CONTROL, GENERIC_WRITE: 0x00020028}  # MS-ADTS 5.1.3.2
_GENERIC_BITS = 0xF0000000  # GENERIC_ALL, EXECUTE, WRITE and READ: an heir carries them, or what they mean

CONTAINER_INHERIT = 0x02
NO_PROPAGATE = 0x04
INHERIT_ONLY = 0x08
INHERITED = 0x10

_ALLOW = {0x00, 0x05, 0x09, 0x0B}
_DENY = {0x01, 0x06, 0x0A, 0x0C}
_OBJECT_TYPES = {0x05, 0x06, 0x0B, 0x0C}
_CONDITIONAL = {0x09, 0x0A, 0x0B, 0x0C}

# SDDL, the text form (MS-DTYP 2.5.1)
_SDDL_TYPES = {
    0x00: "A", 0x01: "D", 0x02: "AU", 0x03: "AL", 0x05: "OA", 0x06: "OD", 0x07: "OU", 0x08: "OL", 0x09: "XA",
    0x0A: "XD", 0x0B: "ZA", 0x0D: "XU", 0x11: "ML", 0x12: "RA", 0x13: "SP",
}  # fmt: skip
_SDDL_FLAGS = ((0x01, "OI"), (0x02, "CI"), (0x04, "NP"), (0x08, "IO"), (0x10, "ID"), (0x40, "SA"), (0x80, "FA"))
_SDDL_RIGHTS = (
    (0x1, "CC"), (0x2, "DC"), (0x4, "LC"), (0x8, "SW"), (0x10, "RP"), (0x20, "WP"), (0x40, "DT"), (0x80, "LO"),
    (0x100, "CR"), (0x10000, "SD"), (0x20000, "RC"), (0x40000, "WD"), (0x80000, "WO"),
    (0x10000000, "GA"), (0x20000000, "GX"), (0x40000000, "GW"), (0x80000000, "GR"),
)  # fmt: skip
_LABEL = ((0x1, "NW"), (0x2, "NR"), (0x4, "NX"))  # what the mask of a mandatory label means (MS-DTYP 2.4.4.13)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One entry that allows or denies.

    Attributes:
        allow: False when it denies.
        mask: The rights.
        trustee: Whom it speaks of.
        object_type: Class, property or extended right it is limited to; None for all.
        inherited_type: Class of the descendants that inherit it; None for all.
        flags: The flags of the ACE header.
        conditional: It holds only under a condition, which is not looked into.
    """

    allow: bool
    mask: int
    trustee: Sid
    object_type: uuid.UUID | None = None
    inherited_type: uuid.UUID | None = None
    flags: int = 0
    conditional: bool = False

    @classmethod
    @lru_cache(maxsize=1 << 14)  # most entries of a domain are inherited or common: the same bytes on every unit
    def from_ace(cls, ace: bytes) -> AccessRule | None:
        """Read an entry of a parsed list; None when it neither allows nor denies (audit, label, unknown)."""
        kind, flags = ace[0], ace[1]
        start = sid_start(ace)
        if start is None or kind not in _ALLOW | _DENY:
            return None
        present = ace[8] if start > 8 else 0
        return cls(
            allow=kind in _ALLOW,
            mask=int.from_bytes(ace[4:8], "little"),
            trustee=Sid.from_bytes(ace[start : start + sid_length(ace, start, len(ace))]),
            object_type=uuid.UUID(bytes_le=ace[12:28]) if present & 1 else None,
            inherited_type=uuid.UUID(bytes_le=ace[start - 16 : start]) if present & 2 else None,
            flags=flags,
            conditional=kind in _CONDITIONAL,
        )

    def to_ace(self) -> bytes:
        """Return the entry as bytes; for rules without a condition only."""
        kinds = (self.object_type, self.inherited_type)
        is_object = any(kinds)
        number = (0x00 if self.allow else 0x01) + (0x05 if is_object else 0)
        body = struct.pack("<I", self.mask)
        if is_object:
            body += struct.pack("<I", sum(bit for bit, kind in zip((1, 2), kinds, strict=True) if kind))
            body += b"".join(kind.bytes_le for kind in kinds if kind)
        body += self.trustee.to_bytes()
        return struct.pack("<BBH", number, self.flags, len(body) + 4) + body

    @property
    def applies_here(self) -> bool:
        """It counts for the object that carries it, not only for what is below."""
        return not self.flags & INHERIT_ONLY

    @property
    def inherited(self) -> bool:
        """It comes from an object further up."""
        return bool(self.flags & INHERITED)

    @property
    def rights(self) -> int:
        """The mask with generic rights spelt out, which entries that are inherited only still carry as such."""
        spelt = (meaning for generic, meaning in _GENERIC.items() if self.mask & generic)
        return functools.reduce(operator.or_, spelt, self.mask)

    def reaches_below(self, kind: uuid.UUID | None = None) -> bool:
        """Say whether it is inherited at every depth by objects of that class; by all objects when there is none."""
        deep = self.flags & (CONTAINER_INHERIT | NO_PROPAGATE) == CONTAINER_INHERIT
        return deep and self.inherited_type in (None, kind)

    def decides(self, mask: int, object_type: uuid.UUID) -> bool:
        """Say whether it speaks of all these rights for that class, property or extended right, wherever it applies."""
        return self.rights & mask == mask and self.object_type in (None, object_type)

    def speaks_of(self, mask: int, object_type: uuid.UUID) -> bool:
        """Say whether it decides on all these rights for that class, on the object that carries it."""
        return self.applies_here and self.decides(mask, object_type)


@dataclass(frozen=True, slots=True)
class Ace:
    """One ACE that allows or denies.

    Attributes:
        data: Its bytes.
        rule: What it says.
    """

    data: bytes
    rule: AccessRule


def aces_in(descriptor: SecurityDescriptor) -> Iterator[Ace]:
    """Yield the ACEs of a DACL that allow or deny, in their order."""
    for data in descriptor.dacl.aces if descriptor.dacl else ():
        rule = AccessRule.from_ace(data)
        if rule is not None:
            yield Ace(data, rule)


def is_canonical(aces: tuple[bytes, ...]) -> bool:
    """Say whether a list has the order that Windows demands: explicit deny, explicit allow, inherited."""
    stages = [_stage(ace) for ace in aces]
    return stages == sorted(stages)


def canonical(aces: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the list in that order; entries of the same kind keep theirs."""
    return tuple(sorted(aces, key=_stage))


def in_standard_order(aces: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return a canonical list as Active Directory keeps it, whatever order it was given (MS-ADTS 6.1.3.1).

    Within explicit deny and explicit allow: entries without an object type first, then by their bytes, each once. None
    of that decides on access. A list that is not canonical is kept as it is.
    """
    if not is_canonical(aces):
        return aces
    return tuple(sorted(dict.fromkeys(aces), key=lambda ace: (_stage(ace), ace[0] in _OBJECT_TYPES, ace)))


def first_inherited(aces: tuple[bytes, ...]) -> int:
    """Return where a new explicit entry that allows belongs in a canonical list: before the first inherited one."""
    return next((index for index, ace in enumerate(aces) if ace[1] & INHERITED), len(aces))


def _stage(ace: bytes) -> int:
    if ace[1] & INHERITED:
        return 2
    return 0 if ace[0] in _DENY else 1


def trustee_in(ace: bytes) -> bytes | None:
    """Return the SID that an entry of a parsed list speaks of, as bytes; None for types whose inside is not known."""
    start = sid_start(ace)
    return None if start is None else ace[start : start + sid_length(ace, start, len(ace))]


def passes_on(own: AccessRule, heir: AccessRule, *, to_child: bool) -> bool:
    """Say whether an entry of an object above is the one that an inherited entry comes from.

    The class of the heirs is not compared: on an heir, the entry may have lost it.

    Args:
        own: The entry above.
        heir: The inherited entry.
        to_child: The heir is on a child of that object, not further down.
    """
    inheritable = own.flags & CONTAINER_INHERIT and not (own.flags & NO_PROPAGATE and not to_child)
    return bool(inheritable) and not own.inherited and _said(own) == _said(heir)


def _said(rule: AccessRule) -> tuple[object, ...]:
    return rule.allow, rule.rights & ~_GENERIC_BITS, rule.trustee, rule.object_type, rule.conditional


@lru_cache(maxsize=1 << 14)
def ace_to_sddl(ace: bytes) -> str:
    """Return one entry as SDDL.

    Of a condition or a resource attribute the bytes are given in hexadecimal; an unknown type is given as
    ``(0xTYPE;flags;bytes)``. Neither is valid SDDL: this text is for reading.
    """
    start = sid_start(ace)
    flags = _letters(ace[1], _SDDL_FLAGS)
    if start is None:
        return f"(0x{ace[0]:02X};{flags};{ace[4:].hex()})"
    end = start + sid_length(ace, start, len(ace))
    present = ace[8] if start > 8 else 0
    fields = [
        _SDDL_TYPES.get(ace[0], f"0x{ace[0]:02X}"),
        flags,
        _letters(int.from_bytes(ace[4:8], "little"), _LABEL if ace[0] == 0x11 else _SDDL_RIGHTS),
        str(uuid.UUID(bytes_le=ace[12:28])) if present & 1 else "",
        str(uuid.UUID(bytes_le=ace[start - 16 : start])) if present & 2 else "",
        Sid.from_bytes(ace[start:end]).sddl,
    ]
    return f"({';'.join(fields + ([f'0x{ace[end:].hex()}'] if ace[end:] else []))})"


def dacl_lines(descriptor: SecurityDescriptor) -> str:
    """Return the access list as SDDL with one entry per line: what a diff shows."""
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    return "".join(f"{ace_to_sddl(ace)}\n" for ace in aces)


def _letters(value: int, names: tuple[tuple[int, str], ...]) -> str:
    known = sum(bit for bit, name in names)
    return f"0x{value:x}" if value & ~known else "".join(name for bit, name in names if value & bit)
