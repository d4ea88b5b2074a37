# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The KDS root key that group managed service accounts live on: is there one, and may it be used yet."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.windows_time import shown

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
        moment = shown(self.usable_from) if self.usable_from else None
        return {"state": self.state, "reason": self.reason, "usable_from": moment}


def judge(keys: Sequence[RootKey] | None, now: datetime.datetime) -> KeyVerdict:
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
        f"the KDS root key {starts[moment]} may be used from {shown(moment)} (10 hours after its start time), and the "
        f"domain controller's clock says {shown(now)}",
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
