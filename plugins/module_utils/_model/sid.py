# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Security identifiers: text, bytes, and the short names that SDDL has for the well-known ones."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

_TEXT = re.compile(r"S-1-(\d{1,15}|0x[0-9A-F]{1,12})((?:-\d{1,10}){0,15})", re.ASCII | re.IGNORECASE)

# The aliases of MS-DTYP 2.5.1.1 that name the same account in every domain.
WELL_KNOWN = {
    "S-1-1-0": "WD",
    "S-1-3-0": "CO",
    "S-1-3-1": "CG",
    "S-1-5-7": "AN",
    "S-1-5-9": "ED",
    "S-1-5-10": "PS",
    "S-1-5-11": "AU",
    "S-1-5-18": "SY",
    "S-1-5-32-544": "BA",
    "S-1-5-32-545": "BU",
    "S-1-5-32-548": "AO",
    "S-1-5-32-549": "SO",
    "S-1-5-32-550": "PO",
    "S-1-5-32-554": "RU",
}


@dataclass(frozen=True, slots=True)
class Sid:
    """A security identifier (MS-DTYP 2.4.2).

    Attributes:
        authority: The 48-bit identifier authority; 5 for accounts of Windows.
        sub_authorities: At most fifteen 32-bit numbers; the last is the relative identifier.

    """

    authority: int
    sub_authorities: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Sid:
        """Read the text form ``S-1-5-21-...``.

        Raises:
            InvalidInput: The text is not a SID.

        """
        match = _TEXT.fullmatch(text)
        numbers = tuple(int(part) for part in match.group(2).split("-")[1:]) if match else ()
        authority = int(match.group(1), 0 if match.group(1)[:2].lower() == "0x" else 10) if match else 0
        if not match or authority >= 1 << 48 or any(number >= 1 << 32 for number in numbers):
            raise InvalidInput("read the SID", on=text, got="it is not of the form S-1-5-21-...")
        return cls(authority, numbers)

    @classmethod
    def from_bytes(cls, data: bytes) -> Sid:
        """Read the binary form (MS-DTYP 2.4.2.2).

        Raises:
            ValueError: The bytes are not exactly one SID.

        """
        if len(data) < 8 or data[0] != 1 or len(data) != 8 + 4 * data[1] or data[1] > 15:
            raise ValueError("not a security identifier")
        return cls(int.from_bytes(data[2:8], "big"), struct.unpack_from(f"<{data[1]}I", data, 8))

    def to_bytes(self) -> bytes:
        """Return the binary form."""
        count = len(self.sub_authorities)
        return bytes((1, count)) + self.authority.to_bytes(6, "big") + struct.pack(f"<{count}I", *self.sub_authorities)

    def __str__(self) -> str:
        authority = str(self.authority) if self.authority < 1 << 32 else f"0x{self.authority:012X}"
        return "-".join(["S-1", authority, *map(str, self.sub_authorities)])

    @property
    def sddl(self) -> str:
        """The form that SDDL uses: a two-letter alias where one exists in every domain, else the whole SID."""
        return WELL_KNOWN.get(str(self), str(self))

    def sibling(self, relative_id: int) -> Sid:
        """Return the account of the same domain with another relative identifier."""
        return Sid(self.authority, (*self.sub_authorities[:-1], relative_id))


EVERYONE = Sid(1, (0,))
AUTHENTICATED_USERS = Sid(5, (11,))
ADMINISTRATORS = Sid(5, (32, 544))
