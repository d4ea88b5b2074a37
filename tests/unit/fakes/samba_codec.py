# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba's own codec of security descriptors, as the oracle for ours; tests are skipped where it cannot be imported."""

from __future__ import annotations

import sys
import typing as t
import uuid

import pytest

# What Samba 4.17 reads as MS-DTYP 2.4.4 says. Its SDDL printer ends the process with a fault at any other type, and at
# the flag 0x20.
KNOWN_TYPES = frozenset({0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08})
OBJECT_TYPES = frozenset({0x05, 0x06, 0x07, 0x08})
DOMAIN = "S-1-5-21-1-2-3"

# (type, flags, mask, object type, inherited type, SID)
AceMeaning: t.TypeAlias = tuple[int, int, int, uuid.UUID | None, uuid.UUID | None, str]
# (control, owner, group, entries of the SACL, entries of the DACL); None for what is absent
Meaning: t.TypeAlias = tuple[int, str | None, str | None, list[AceMeaning] | None, list[AceMeaning] | None]


class SambaCodec:
    """Debian's package belongs to the system's Python; it can be used from any Python of the same version."""

    def __init__(self) -> None:
        sys.path.append("/usr/lib/python3/dist-packages")
        try:
            why = "python3-samba is not there for this Python"
            self._security = pytest.importorskip("samba.dcerpc.security", reason=why)
            self._ndr = pytest.importorskip("samba.ndr", reason=why)
        finally:
            sys.path.remove("/usr/lib/python3/dist-packages")

    def again(self, data: bytes) -> bytes:
        """Return a descriptor as Samba writes what it read."""
        return t.cast(bytes, self._ndr.ndr_pack(self._unpacked(data)))

    def meaning(self, data: bytes) -> Meaning | None:
        """Return what Samba reads; None when it refuses the bytes."""
        try:
            found = self._unpacked(data)
        except RuntimeError:
            return None
        sids = [None if sid is None else _sid(sid) for sid in (found.owner_sid, found.group_sid)]
        lists = [None if acl is None else [_ace(ace) for ace in acl.aces] for acl in (found.sacl, found.dacl)]
        return found.type, sids[0], sids[1], lists[0], lists[1]

    def sddl(self, data: bytes) -> str:
        """Return a descriptor that holds KNOWN_TYPES alone as the SDDL that Samba prints."""
        return t.cast(str, self._unpacked(data).as_sddl())

    def sddl_again(self, text: str) -> str:
        """Return SDDL as Samba prints what it reads from it."""
        domain = self._security.dom_sid(DOMAIN)
        return t.cast(str, self._security.descriptor.from_sddl(text, domain).as_sddl())

    def _unpacked(self, data: bytes) -> t.Any:
        return self._ndr.ndr_unpack(self._security.descriptor, data)


def _ace(ace: t.Any) -> AceMeaning:
    kinds: list[uuid.UUID | None] = [None, None]
    if ace.type in OBJECT_TYPES:
        present = ace.object.flags & 1, ace.object.flags & 2
        guids = ace.object.type, ace.object.inherited_type
        kinds = [uuid.UUID(str(guid)) if flag else None for flag, guid in zip(present, guids, strict=True)]
    return ace.type, ace.flags, ace.access_mask, kinds[0], kinds[1], _sid(ace.trustee)


def _sid(sid: t.Any) -> str:
    """Return the text of a SID with an authority in hexadecimal as MS-DTYP 2.4.2.1 has it: twelve large digits."""
    head, authority, *numbers = str(sid).split("-")[1:]
    big = f"0x{int(authority, 16):012X}" if authority.startswith("0x") else authority
    return "-".join(["S", head, big, *numbers])
