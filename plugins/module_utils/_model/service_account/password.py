# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The password of a group account: who may read it, and the KDS root key that it is made from."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    FULL_CONTROL,
    GENERIC_ALL,
    GENERIC_READ,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import ADMINISTRATORS, EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError

_GENERIC_READ = GENERIC_ALL | GENERIC_READ


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
    return rule if rule and reads and rule.mask & (READ_PROPERTY | _GENERIC_READ) else None


def _lets_read(ace: bytes) -> bool:
    rule = _reading_rule(ace)
    return rule is not None and rule.allow


def _reader(ace: bytes) -> Sid | None:
    rule = AccessRule.from_ace(ace)
    return rule.trustee if rule else None


# Microsoft, "Create the Key Distribution Services KDS Root Key": domain controllers wait 10 hours. Add-KdsRootKey says
# that a start time 10 hours in the past makes a key usable at once, so they count from msKds-UseStartTime.
# So does Samba 4.22, with five minutes more for clocks that differ: until then it refuses new group accounts.
WAIT = datetime.timedelta(hours=10)


@dataclass(frozen=True, slots=True)
class RootKey:
    """A root key as far as it may be seen.

    Attributes:
        name: Its identifier.
        start: msKds-UseStartTime; None when it may not be read.
    """

    name: str
    start: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class KeyVerdict:
    """Whether group accounts can have passwords.

    Attributes:
        state: "usable", "waiting" or "unknown".
        reason: Why, as a sentence without its full stop.
        usable_from: The first moment at which a key may be used; None when unknown.
    """

    state: str
    reason: str
    usable_from: datetime.datetime | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return the verdict as data for a task result."""
        moment = utc_text(self.usable_from) if self.usable_from else None
        return {"state": self.state, "reason": self.reason, "usable_from": moment}


def assess_root_keys(keys: Sequence[RootKey] | None, now: datetime.datetime) -> KeyVerdict:
    """Say whether a group account that is made now can have a password.

    Args:
        keys: None when the directory has no place for root keys, or does not show it.
        now: What the domain controller's clock says.
    """
    if keys is None:
        return KeyVerdict("unknown", "the directory shows no container of KDS root keys")
    if not keys:
        return KeyVerdict(
            "unknown", "no KDS root key is there, or the account that is used here may not see it (administrators may)"
        )
    starts = {key.start + WAIT: key.name for key in keys if key.start}
    if not starts:
        return KeyVerdict(
            "unknown", "a KDS root key is there, but the account that is used here may not read since when"
        )
    moment = min(starts)
    if moment <= now:
        return KeyVerdict("usable", f"the KDS root key {starts[moment]} is in use", moment)
    return KeyVerdict(
        "waiting",
        f"the KDS root key {starts[moment]} may be used from {utc_text(moment)} (10 hours after its start time), and "
        f"the domain controller's clock says {utc_text(now)}",
        moment,
    )


def refuse_early(verdict: KeyVerdict, name: str, *, require: bool) -> None:
    """Raise ServiceAccountError when no key may be used yet, or (with ``require``) when that is not known."""
    if verdict.state == "waiting":
        raise ServiceAccountError(
            "use a group managed service account",
            on=f"{name}$",
            got=verdict.reason,
            advice="Nothing was written. Run again then, when all domain controllers have the key.",
        )
    if verdict.state == "unknown" and require:
        raise ServiceAccountError(
            "use a group managed service account",
            on=f"{name}$",
            got=verdict.reason,
            advice="Nothing was written. Let an administrator look (Get-KdsRootKey), and make one if there is none "
            "(Add-KdsRootKey); or set require_kds_root_key to false.",
        )
