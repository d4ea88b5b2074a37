# SPDX-License-Identifier: GPL-3.0-or-later
"""Random access lists, packed here by [MS-DTYP] 2.4.4 and not by the collection, whose reading of them is judged."""

from __future__ import annotations

import random
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALLOW, DENY, ALLOW_OBJECT, DENY_OBJECT = 0, 1, 5, 6
# Callback entries with an empty condition: Samba 4.17 drops a condition when it stores one, and does not read them.
CONDITIONAL = (0x09, 0x0A)
# Audit, mandatory label, scoped policy, and one that there is not; Samba 4.22 wants a claim in a resource attribute.
NEITHER = (0x02, 0x11, 0x13, 0x77)
ODD = 0.12  # of the entries
CONTAINER_INHERIT, NO_PROPAGATE, INHERIT_ONLY, OBJECT_INHERIT = 0x02, 0x04, 0x08, 0x01
GENERIC_ALL, FULL = 0x10000000, 0x000F01FF
CREATE, DELETE_CHILD, READ, WRITE_DAC, WRITE_OWNER = 0x1, 0x2, 0x20094, 0x40000, 0x80000
CONTROL_ACCESS = 0x100
# More than half of the entries speak of creating something, else hardly any list would decide. None grants
# CONTROL_ACCESS without CREATE: for Samba an object entry with it grants whatever is asked for its object type.
MASKS = (CREATE, CREATE, CREATE, CREATE | DELETE_CHILD, FULL, GENERIC_ALL, FULL & ~CREATE & ~CONTROL_ACCESS, READ,
         DELETE_CHILD, WRITE_DAC, WRITE_DAC | WRITE_OWNER, 0x20)  # fmt: skip
FLAGS = (0, 0, 0, CONTAINER_INHERIT, CONTAINER_INHERIT, CONTAINER_INHERIT | INHERIT_ONLY,
         CONTAINER_INHERIT | NO_PROPAGATE, CONTAINER_INHERIT | NO_PROPAGATE | INHERIT_ONLY, OBJECT_INHERIT)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pool:
    """What the entries are drawn from.

    Attributes:
        trustees: Binary SIDs, those that matter more often than the others.
        kinds: What an entry can be limited to; None for everything.
        heirs: Classes of heirs.

    """

    trustees: Sequence[bytes]
    kinds: Sequence[uuid.UUID | None]
    heirs: Sequence[uuid.UUID | None]


def ace(kind: int, flags: int, mask: int, sid: bytes, object_type: uuid.UUID | None, heir: uuid.UUID | None) -> bytes:
    """Return one entry; the kind becomes that of an object entry when it has to."""
    body = struct.pack("<I", mask)
    if object_type or heir:
        kind += ALLOW_OBJECT if kind < ALLOW_OBJECT else 0
        body += struct.pack("<I", bool(object_type) + 2 * bool(heir))
        body += b"".join(guid.bytes_le for guid in (object_type, heir) if guid)
    body += sid
    return struct.pack("<BBH", kind, flags, len(body) + 4) + body


def random_list(source: random.Random, pool: Pool) -> tuple[bytes, ...]:
    """Return up to nine entries in any order, canonical or not."""
    return tuple(
        _odd(source, pool) if source.random() < ODD else _usual(source, pool) for __ in range(source.randint(0, 9))
    )


def _usual(source: random.Random, pool: Pool) -> bytes:
    return ace(
        source.choice((ALLOW, ALLOW, DENY)),
        source.choice(FLAGS),
        source.choice(MASKS),
        source.choice(pool.trustees),
        source.choice(pool.kinds),
        source.choice(pool.heirs),
    )


def _odd(source: random.Random, pool: Pool) -> bytes:
    """Return an entry that holds under a condition, or one that neither allows nor denies and has no place there."""
    kind = source.choice((*CONDITIONAL, *CONDITIONAL, *NEITHER))
    return ace(kind, source.choice(FLAGS), source.choice(MASKS), source.choice(pool.trustees), None, None)


def descriptor(owner: bytes, group: bytes, aces: Sequence[bytes], *, protected: bool) -> bytes:
    """Return a self-relative descriptor with these three parts."""
    body = b"".join(aces)
    acl = struct.pack("<BBHHH", 4, 0, 8 + len(body), len(aces), 0) + body
    control = 0x8004 | (0x1000 if protected else 0)
    at_group, at_dacl = 20 + len(owner), 20 + len(owner) + len(group)
    return struct.pack("<BBHIIII", 1, 0, control, 20, at_group, 0, at_dacl) + owner + group + acl


def sid(text: str) -> bytes:
    """Return a SID in its binary form."""
    authority, *numbers = map(int, text.split("-")[2:])
    return bytes((1, len(numbers))) + authority.to_bytes(6, "big") + struct.pack(f"<{len(numbers)}I", *numbers)


# Without This Organization (S-1-5-15): Samba's tokens for a simple bind lack it, those of Windows have it.
WELL_KNOWN: Mapping[str, bytes] = {
    name: sid(text)
    for name, text in {
        "Everyone": "S-1-1-0", "Creator Owner": "S-1-3-0", "Owner Rights": "S-1-3-4", "Network": "S-1-5-2",
        "Interactive": "S-1-5-4", "Service": "S-1-5-6", "Anonymous": "S-1-5-7", "Enterprise DCs": "S-1-5-9",
        "Self": "S-1-5-10", "Authenticated Users": "S-1-5-11", "System": "S-1-5-18", "Administrators": "S-1-5-32-544",
        "Users": "S-1-5-32-545", "Guests": "S-1-5-32-546", "Pre-Windows 2000": "S-1-5-32-554",
    }.items()
}  # fmt: skip
