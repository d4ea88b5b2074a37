# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Security identifiers: text, bytes, and what is known of the well-known ones."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

_TEXT = re.compile(r"S-1-(\d{1,15}|0x[0-9A-F]{1,12})((?:-\d{1,10}){0,15})", re.ASCII | re.IGNORECASE)

# SID -> (alias of MS-DTYP 2.5.1.1 where it means the same account in every domain; name where no directory has to be
# asked for it; held by an account of the domain that asks a domain controller over the network, None where that depends
# on its logon or its memberships). MS-DTYP 2.4.2.4 has the meaning of each.
_WELL_KNOWN: dict[str, tuple[str, str, bool | None]] = {
    "S-1-1-0": ("WD", "Everyone", True),
    "S-1-2-0": ("", "LOCAL", False),
    "S-1-2-1": ("", "CONSOLE LOGON", False),
    "S-1-3-0": ("CO", "CREATOR OWNER", False),
    "S-1-3-1": ("CG", "CREATOR GROUP", False),
    "S-1-3-4": ("", "OWNER RIGHTS", None),
    "S-1-5-1": ("", "DIALUP", False),
    "S-1-5-2": ("", "NETWORK", True),
    "S-1-5-3": ("", "BATCH", False),
    "S-1-5-4": ("", "INTERACTIVE", False),
    "S-1-5-6": ("", "SERVICE", False),
    "S-1-5-7": ("AN", "ANONYMOUS LOGON", False),
    "S-1-5-9": ("ED", "ENTERPRISE DOMAIN CONTROLLERS", False),
    "S-1-5-10": ("PS", "SELF", False),
    "S-1-5-11": ("AU", "Authenticated Users", True),
    "S-1-5-12": ("", "RESTRICTED", None),
    "S-1-5-13": ("", "TERMINAL SERVER USER", False),
    "S-1-5-14": ("", "REMOTE INTERACTIVE LOGON", False),
    "S-1-5-15": ("", "This Organization", True),
    "S-1-5-17": ("", "IUSR", False),
    "S-1-5-18": ("SY", "SYSTEM", False),
    "S-1-5-19": ("", "LOCAL SERVICE", False),
    "S-1-5-20": ("", "NETWORK SERVICE", False),
    "S-1-5-32-544": ("BA", "", None),
    "S-1-5-32-545": ("BU", "", None),
    "S-1-5-32-548": ("AO", "", None),
    "S-1-5-32-549": ("SO", "", None),
    "S-1-5-32-550": ("PO", "", None),
    "S-1-5-32-554": ("RU", "", None),
    "S-1-5-33": ("", "WRITE RESTRICTED", None),
    "S-1-5-1000": ("", "Other Organization", False),
}
_UNKNOWN = ("", "", None)
_FIRST_OWN_RID = 1000  # lower ones are accounts that Windows itself defines


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
        return _WELL_KNOWN.get(str(self), _UNKNOWN)[0] or str(self)

    def sibling(self, relative_id: int) -> Sid:
        """Return the account of the same domain with another relative identifier."""
        return Sid(self.authority, (*self.sub_authorities[:-1], relative_id))


EVERYONE = Sid(1, (0,))
ADMINISTRATORS = Sid(5, (32, 544))
OWNER_RIGHTS = Sid(3, (4,))  # stands for whoever owns the object (MS-DTYP 2.4.2.4)
ENTERPRISE_DOMAIN_CONTROLLERS = Sid(5, (9,))
DOMAIN_CONTROLLERS_RID = 516

ALWAYS_HELD = frozenset(Sid.parse(text) for text, (alias, name, held) in _WELL_KNOWN.items() if held)


def well_known_name(sid: Sid) -> str:
    """Return what people call it; "" when the table has no name for it."""
    return _WELL_KNOWN.get(str(sid), _UNKNOWN)[1]


def held_over_the_network(sid: Sid) -> bool | None:
    """Say whether a token holds it that was made for an access over the network; None when that cannot be known."""
    return _WELL_KNOWN.get(str(sid), _UNKNOWN)[2]


def was_given_by(sid: Sid, domain: tuple[int, ...]) -> bool:
    """Say whether a domain gave this SID to an account of its own: without an object, it is that of a deleted one.

    Relative identifiers below 1000 are accounts that Windows itself defines (MS-DTYP 2.4.2.4), of which older domains
    have fewer: that such a SID has no object does not mean that one was deleted.

    Args:
        sid: The SID.
        domain: The sub-authorities of the domain's own SID.
    """
    return sid.sub_authorities[:-1] == domain and sid.sub_authorities[-1:] >= (_FIRST_OWN_RID,)


def is_of_a_domain(sid: Sid) -> bool:
    """Say whether it is an account or a group of a domain, or a built-in group: what memberships alone decide.

    S-1-5-21-0-0-0-496 and 497 look alike and are not: they tell how somebody logged on (MS-DTYP 2.4.2.4).
    """
    numbers = sid.sub_authorities
    return sid.authority == 5 and (numbers[:1] == (32,) or (numbers[:1] == (21,) and numbers[:4] != (21, 0, 0, 0)))
