# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""SDDL, the text form of security descriptors (MS-DTYP 2.5.1), for people: diffs, results, error texts."""

from __future__ import annotations

import uuid
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import (
    Acl,
    SecurityDescriptor,
    sid_length,
    sid_start,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid

_TYPES = {
    0x00: "A", 0x01: "D", 0x02: "AU", 0x03: "AL", 0x05: "OA", 0x06: "OD", 0x07: "OU", 0x08: "OL", 0x09: "XA",
    0x0A: "XD", 0x0B: "ZA", 0x0D: "XU", 0x11: "ML", 0x12: "RA", 0x13: "SP",
}  # fmt: skip
_FLAGS = ((0x01, "OI"), (0x02, "CI"), (0x04, "NP"), (0x08, "IO"), (0x10, "ID"), (0x40, "SA"), (0x80, "FA"))
_RIGHTS = (
    (0x1, "CC"), (0x2, "DC"), (0x4, "LC"), (0x8, "SW"), (0x10, "RP"), (0x20, "WP"), (0x40, "DT"), (0x80, "LO"),
    (0x100, "CR"), (0x10000, "SD"), (0x20000, "RC"), (0x40000, "WD"), (0x80000, "WO"),
    (0x10000000, "GA"), (0x20000000, "GX"), (0x40000000, "GW"), (0x80000000, "GR"),
)  # fmt: skip
_LABEL = ((0x1, "NW"), (0x2, "NR"), (0x4, "NX"))  # what the mask of a mandatory label means (MS-DTYP 2.4.4.13)
_DACL_CONTROL = ((0x1000, "P"), (0x0100, "AR"), (0x0400, "AI"))
_SACL_CONTROL = ((0x2000, "P"), (0x0200, "AR"), (0x0800, "AI"))


@lru_cache(maxsize=1 << 14)
def ace_to_sddl(ace: bytes) -> str:
    """Return one entry as SDDL.

    Of a condition or a resource attribute the bytes are given in hexadecimal; an unknown type is given as
    ``(0xTYPE;flags;bytes)``. Neither is valid SDDL: this text is for reading.
    """
    start = sid_start(ace)
    flags = _letters(ace[1], _FLAGS)
    if start is None:
        return f"(0x{ace[0]:02X};{flags};{ace[4:].hex()})"
    end = start + sid_length(ace, start, len(ace))
    present = ace[8] if start > 8 else 0
    fields = [
        _TYPES.get(ace[0], f"0x{ace[0]:02X}"),
        flags,
        _letters(int.from_bytes(ace[4:8], "little"), _LABEL if ace[0] == 0x11 else _RIGHTS),
        str(uuid.UUID(bytes_le=ace[12:28])) if present & 1 else "",
        str(uuid.UUID(bytes_le=ace[start - 16 : start])) if present & 2 else "",
        Sid.from_bytes(ace[start:end]).sddl,
    ]
    return f"({';'.join(fields + ([f'0x{ace[end:].hex()}'] if ace[end:] else []))})"


def descriptor_to_sddl(descriptor: SecurityDescriptor) -> str:
    """Return a whole descriptor as SDDL."""
    owner = f"O:{Sid.from_bytes(descriptor.owner).sddl}" if descriptor.owner else ""
    group = f"G:{Sid.from_bytes(descriptor.group).sddl}" if descriptor.group else ""
    dacl = _list("D", descriptor.control, 0x0004, _DACL_CONTROL, descriptor.dacl)
    return owner + group + dacl + _list("S", descriptor.control, 0x0010, _SACL_CONTROL, descriptor.sacl)


def dacl_lines(descriptor: SecurityDescriptor) -> str:
    """Return the access list as SDDL with one entry per line: what a diff shows."""
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    return "".join(f"{ace_to_sddl(ace)}\n" for ace in aces)


def _list(letter: str, control: int, present: int, names: tuple[tuple[int, str], ...], acl: Acl | None) -> str:
    if not control & present:
        return ""
    head = f"{letter}:" + "".join(name for bit, name in names if control & bit)
    return head + ("".join(map(ace_to_sddl, acl.aces)) if acl else "NO_ACCESS_CONTROL")


def _letters(value: int, names: tuple[tuple[int, str], ...]) -> str:
    known = sum(bit for bit, name in names)
    return f"0x{value:x}" if value & ~known else "".join(name for bit, name in names if value & bit)
