# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Who may read the password of a group account: msDS-GroupMSAMembership, a descriptor."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    FULL_CONTROL,
    GENERIC_ALL,
    GENERIC_READ,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import (
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import ADMINISTRATORS, EVERYONE, Sid

_GENERIC = GENERIC_ALL | GENERIC_READ


def readers_descriptor(readers: Sequence[Sid]) -> bytes:
    """Return msDS-GroupMSAMembership for these readers: owner Administrators, full control for each."""
    aces = tuple(_grant(sid) for sid in readers)
    return new_descriptor(ADMINISTRATORS.to_bytes(), aces).to_bytes()


def readers_in(descriptor: bytes) -> tuple[Sid, ...]:
    """Return the SIDs that a value of msDS-GroupMSAMembership allows to read the password, each once.

    A descriptor without an access list lets everyone do everything. A generic right counts, see ``doubtful_in``.

    Raises:
        MalformedDescriptor: The value is not a descriptor.

    """
    dacl = SecurityDescriptor.parse(descriptor).dacl
    if dacl is None:
        return (EVERYONE,)
    reading = (rule for rule in map(_reading_rule, dacl.aces) if rule and rule.allow)
    return tuple(dict.fromkeys(rule.trustee for rule in reading))


def doubtful_in(descriptor: bytes) -> tuple[Sid, ...]:
    """Return those of the readers in a value of msDS-GroupMSAMembership who have nothing but a generic right.

    In the descriptor of an object the directory replaces a generic right by what it means (MS-ADTS 6.1.3). In this
    value it stays. Samba 4.22 gives nobody the password for it; what Active Directory does is not known.

    Raises:
        MalformedDescriptor: The value is not a descriptor.

    """
    dacl = SecurityDescriptor.parse(descriptor).dacl
    rules = map(_reading_rule, dacl.aces if dacl else ())
    sure = {rule.trustee for rule in rules if rule and rule.allow and rule.mask & READ_PROPERTY}
    return tuple(sid for sid in readers_in(descriptor) if dacl and sid not in sure)


def denied_in(descriptor: bytes) -> tuple[Sid, ...]:
    """Return the SIDs that a value of msDS-GroupMSAMembership forbids to read the password.

    Raises:
        MalformedDescriptor: The value is not a descriptor.

    """
    dacl = SecurityDescriptor.parse(descriptor).dacl
    rules = map(_reading_rule, dacl.aces if dacl else ())
    return tuple(dict.fromkeys(rule.trustee for rule in rules if rule and not rule.allow))


def edited(descriptor: bytes, readers: Sequence[Sid], present: Sequence[Sid]) -> bytes:
    """Return the descriptor that lets exactly these read; entries about anything else stay byte for byte.

    Args:
        descriptor: The present value, b"" when there is none.
        readers: Who may read afterwards.
        present: Who can already, so that entries of theirs stay; those of other readers are replaced.

    Raises:
        MalformedDescriptor: The present value is not a descriptor.

    """
    old = SecurityDescriptor.parse(descriptor) if descriptor else None
    if old is None or old.dacl is None:
        return readers_descriptor(readers)
    staying = set(readers).intersection(present)
    kept = tuple(ace for ace in old.dacl.aces if not _lets_read(ace) or _reader(ace) in staying)
    return old.with_dacl((*kept, *(_grant(sid) for sid in readers if sid not in staying))).to_bytes()


def _grant(sid: Sid) -> bytes:
    return AccessRule(True, FULL_CONTROL, sid).to_ace()


def _reading_rule(ace: bytes) -> AccessRule | None:
    rule = AccessRule.from_ace(ace)
    reads = rule is not None and rule.applies_here and rule.object_type is None
    return rule if rule and reads and rule.mask & (READ_PROPERTY | _GENERIC) else None


def _lets_read(ace: bytes) -> bool:
    rule = _reading_rule(ace)
    return rule is not None and rule.allow


def _reader(ace: bytes) -> Sid | None:
    rule = AccessRule.from_ace(ace)
    return rule.trustee if rule else None
