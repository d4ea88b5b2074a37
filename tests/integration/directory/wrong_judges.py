# SPDX-License-Identifier: GPL-3.0-or-later
"""Access checks with one mistake each: random lists that do not convict every one of them would prove nothing.

The right one is that of tests/unit/fakes/plain_access.py, which shares no line with the collection.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.tests.integration.directory.random_lists import (
    CREATE,
    FULL,
    INHERIT_ONLY,
    WELL_KNOWN,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.plain_access import (
    CONDITIONAL,
    INHERITED,
    PlainAce,
    allowed,
    in_force,
    owner,
    read_ace,
    split,
)

_PLAIN = {0x0A: 0x01, 0x0C: 0x06}  # a Deny under a condition -> the same without one


@dataclass(frozen=True, slots=True)
class Trial:
    """One account before one access list.

    Attributes:
        aces: Entries that allow or deny, in order.
        others: Entries of other types, read as if they allowed.
        owner: Of the unit.
        own: SID of the account.
        held: All SIDs of its token, as the server tells them.
        direct: Of these, the account and the groups that name it as a member.
        primary: Its primary group.
        strict: The server takes a Deny under a condition that it cannot read for one that holds.

    """

    aces: list[PlainAce]
    others: list[PlainAce]
    owner: bytes
    own: bytes
    held: frozenset[bytes]
    direct: frozenset[bytes]
    primary: bytes
    strict: bool

    @classmethod
    def of(
        cls,
        descriptor: bytes,
        own: bytes,
        held: frozenset[bytes],
        direct: frozenset[bytes],
        primary: bytes,
        *,
        strict: bool,
    ) -> Trial:
        (at,) = struct.unpack_from("<I", descriptor, 16)
        raw = split(descriptor[at:])
        others = [ace for ace in (read_ace(b"\0" + ace[1:]) for ace in raw if read_ace(ace) is None) if ace]
        aces = [ace for ace in map(read_ace, raw) if ace]
        return cls(aces, others, owner(descriptor), own, held, direct, primary, strict)

    def judged(
        self,
        change: Callable[[PlainAce], PlainAce | None] = lambda ace: ace,
        more: frozenset[bytes] = frozenset(),
        less: frozenset[bytes] = frozenset(),
        *,
        conditions: bool = False,
    ) -> bool:
        """Say whether the account may create computers; each argument is a way to get it wrong."""
        known = [replace(a, kind=_PLAIN.get(a.kind, a.kind)) for a in self.aces] if self.strict else self.aces
        aces = [changed for changed in map(change, self.aces if conditions else known) if changed]
        held = (self.held | more) - less
        return allowed(in_force(aces, 0, COMPUTER_CLASS), held, CREATE, COMPUTER_CLASS, conditions=conditions)

    @property
    def outcomes(self) -> set[bool]:
        """What it comes to, however that turns out which nobody knows: each condition, and OWNER RIGHTS."""
        owns = frozenset({WELL_KNOWN["Owner Rights"]} if self.owner in self.held else ())
        doubtful = [ace for ace in self.aces if ace.kind in CONDITIONAL and not ace.flags & INHERIT_ONLY]
        return {
            replace(self, aces=[ace for ace in self.aces if ace not in fails]).judged(more=sids, conditions=True)
            for count in range(len(doubtful) + 1)
            for fails in combinations(doubtful, count)
            for sids in (owns, frozenset())
        }

    def _in_order(self, aces: list[PlainAce]) -> bool:
        return replace(self, aces=aces).judged()


def _named(*names: str) -> frozenset[bytes]:
    return frozenset(WELL_KNOWN[name] for name in names)


# Not among them: CREATOR OWNER for whoever owns the unit. A server puts the owner in its place when it stores an entry.
MISTAKES: Mapping[str, Callable[[Trial], bool]] = {
    "inherit-only is overlooked": lambda t: t.judged(lambda ace: replace(ace, flags=ace.flags & ~INHERIT_ONLY)),
    "inherited entries are overlooked": lambda t: t.judged(lambda ace: None if ace.flags & INHERITED else ace),
    "the object type is overlooked": lambda t: t.judged(lambda ace: replace(ace, object_type=None)),
    "only entries for computers count": lambda t: t.judged(lambda ace: ace if ace.object_type else None),
    "the heirs' class is taken for the object type": lambda t: t.judged(
        lambda ace: replace(ace, object_type=ace.object_type or ace.heir)
    ),
    "a Deny is overlooked": lambda t: t.judged(lambda ace: ace if ace.allows else None),
    "a Deny wins wherever it stands": lambda t: t._in_order(sorted(t.aces, key=lambda ace: ace.allows)),
    "the last entry decides": lambda t: t._in_order(t.aces[::-1]),
    "groups are overlooked": lambda t: t.judged(less=t.held - {t.own}),
    "nested groups are overlooked": lambda t: t.judged(less=t.held - t.direct - set(WELL_KNOWN.values())),
    "the primary group is overlooked": lambda t: t.judged(less=frozenset({t.primary})),
    "Everyone is overlooked": lambda t: t.judged(less=_named("Everyone")),
    "Authenticated Users is overlooked": lambda t: t.judged(less=_named("Authenticated Users")),
    "Network is overlooked": lambda t: t.judged(less=_named("Network")),
    "the owner may do everything": lambda t: t.owner in t.held or t.judged(),
    "SELF is whoever asks": lambda t: t.judged(more=_named("Self")),
    "SIDs of another kind of logon count": lambda t: t.judged(
        more=_named("Interactive", "Service", "Anonymous", "Enterprise DCs", "System")
    ),
    "every right is the right to create": lambda t: t.judged(lambda ace: replace(ace, mask=CREATE)),
    "full control is not the right to create": lambda t: t.judged(lambda ace: None if ace.mask == FULL else ace),
    "only the very mask counts": lambda t: t.judged(lambda ace: ace if ace.mask == CREATE else None),
    "a condition always holds": lambda t: t.judged(conditions=True),
    "entries of every type allow": lambda t: t._in_order([*t.others, *t.aces]),
    "nobody may do anything": lambda t: False,
    "everybody may do everything": lambda t: True,
}
