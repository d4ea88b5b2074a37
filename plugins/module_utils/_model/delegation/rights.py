# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The rights that can be delegated on an OU: which entries each one is made of, with their pinned GUIDs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    INHERIT_ONLY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid

# schemaIDGUID of the class computer: the same in every forest, and checked against the directory all the same.
COMPUTER_CLASS = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2")

DELETE_CHILD = 0x00000002  # the rights of MS-ADTS 5.1.3.2
VALIDATED_WRITE = 0x00000008
WRITE_PROPERTY = 0x00000020
CONTROL_ACCESS = 0x00000100


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a right.

    Attributes:
        mask: Its access mask, a single bit.
        object_type: GUID that it is limited to.
        name: lDAPDisplayName of the class with that GUID, else what Microsoft calls the extended right.
        on_computers: It is for the computers below, not for the unit itself.
        instead: A bit that does for the same type, or for all, what this one does, and more; 0 when there is none.
    """

    mask: int
    object_type: uuid.UUID
    name: str
    on_computers: bool = False
    instead: int = 0

    @property
    def inherited_type(self) -> uuid.UUID | None:
        """Class of the descendants that the entry is for."""
        return COMPUTER_CLASS if self.on_computers else None

    def rule(self, trustee: Sid, *, subtree: bool) -> AccessRule:
        """Return the entry that grants exactly this."""
        return AccessRule(True, self.mask, trustee, self.object_type, self.inherited_type, self._flags(subtree))

    @property
    def ways(self) -> tuple[Part, ...]:
        """This one, and what does instead; an entry that denies the one says nothing of the other."""
        return (self, replace(self, mask=self.instead, instead=0)) if self.instead else (self,)

    def covered_by(self, rule: AccessRule, *, subtree: bool) -> bool:
        """Say whether an entry grants this, and perhaps more."""
        if not rule.decides(self.mask, self.object_type):
            return False
        if self.on_computers:
            return rule.reaches_below(COMPUTER_CLASS)
        return rule.applies_here and (not subtree or rule.reaches_below())

    def denied_by(self, rule: AccessRule, *, subtree: bool) -> bool:
        """Say whether an entry that denies stands against this, somewhere in its reach."""
        if not rule.decides(self.mask, self.object_type):
            return False
        below = bool(rule.flags & CONTAINER_INHERIT)
        if self.on_computers:
            return below and rule.inherited_type in (None, COMPUTER_CLASS)
        return rule.applies_here or (subtree and below and rule.inherited_type != COMPUTER_CLASS)

    def is_in(self, rule: AccessRule, *, subtree: bool) -> bool:
        """Say whether it is an entry this collection makes, possibly merged by AD with others of the same type.

        Args:
            rule: The entry.
            subtree: The entry for this object alone counts as well as the one for all below.
        """
        flags = {self._flags(False), self._flags(subtree)}
        types = (rule.object_type, rule.inherited_type) == (self.object_type, self.inherited_type)
        return types and rule.flags in flags and not rule.conditional and rule.mask & self.mask == self.mask

    def _flags(self, subtree: bool) -> int:
        if self.on_computers:
            return CONTAINER_INHERIT | INHERIT_ONLY
        return CONTAINER_INHERIT if subtree else 0


@dataclass(frozen=True, slots=True)
class Right:
    """A right that can be delegated on an OU.

    Attributes:
        name: Value of the option.
        parts: The entries it is made of; each one is necessary.
        phrase: What it lets an account do, as words that fit after "may".
        subtree: Whether it is to hold in the units below too.
    """

    name: str
    parts: tuple[Part, ...]
    phrase: str
    subtree: bool = False

    def reaching(self, applies_to: str) -> Right:
        """Return the same right with this value of applies_to."""
        return replace(self, subtree=applies_to == "subtree")

    @property
    def where(self) -> str:
        """Where it holds, for people."""
        if self.parts[0].on_computers:
            return "all computers below"
        return "this object and all below" if self.subtree else "this object only"

    @property
    def sentence(self) -> str:
        """What it lets an account do, and where, as a phrase that fits after "may"."""
        return f"{self.phrase} ({self.where})"


def _on_computers(mask: int, guid: str, name: str, instead: int = 0) -> Part:
    return Part(mask, uuid.UUID(guid), name, on_computers=True, instead=instead)


# Re-use takes these four, and each of the four is necessary (proven with an offline domain join against Samba).
# The GUIDs are those that Microsoft gives for joining computers. A validated write has the GUID of what it writes
# (MS-ADTS 5.1.3.2.2): who may write the attribute itself, by an entry for that GUID or for all, needs no validated one.
_REUSE = (
    _on_computers(CONTROL_ACCESS, "00299570-246d-11d0-a768-00aa006e0529", "Reset Password"),
    _on_computers(WRITE_PROPERTY, "4c164200-20c0-11d0-a768-00aa006e0529", "Account Restrictions"),
    _on_computers(
        VALIDATED_WRITE, "72e39547-7b18-11d1-adef-00c04fd8d5cd", "Validated write to DNS host name", WRITE_PROPERTY
    ),
    _on_computers(
        VALIDATED_WRITE,
        "f3a64788-5306-11d1-a9c5-0000f80367c1",
        "Validated write to service principal name",
        WRITE_PROPERTY,
    ),
)


def extended_rights(rights: Iterable[Right]) -> list[tuple[uuid.UUID, int, str]]:
    """Return GUID, access mask and name of the extended rights that these are made of, each once."""
    parts = {part.object_type: part for right in rights for part in right.parts if part.object_type != COMPUTER_CLASS}
    return [(guid, part.mask, part.name) for guid, part in parts.items()]


RIGHTS = {
    right.name: right
    for right in (
        Right("create_computer", (Part(CREATE_CHILD, COMPUTER_CLASS, "computer"),), "create computers"),
        Right("delete_computer", (Part(DELETE_CHILD, COMPUTER_CLASS, "computer"),), "delete computers"),
        Right("reuse_computer", _REUSE, "join again with computer accounts that others made"),
    )
}
