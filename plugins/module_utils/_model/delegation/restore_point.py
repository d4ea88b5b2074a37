# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Restore points: what an access list was before we changed it, and whether it may be put back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    INHERITED,
    ace_to_sddl,
    dacl_lines,
    in_standard_order,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import RestoreDacl

FORMAT = 1
PROTECTED = 0x1000  # SE_DACL_PROTECTED, MS-DTYP 2.4.6: nothing is inherited


class RestoreError(OdjError):
    """A restore point is missing, malformed, or does not fit what is there now."""


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """One access list before and after a change of ours.

    Attributes:
        dn: The object.
        old: nTSecurityDescriptor with the access list alone, as it was read.
        new: The same, as it was written.
        time: When, in UTC (ISO 8601).
        server: The domain controller it was written to.
        reason: The change as a sentence.
        restores: It was made by putting an older one back.
        made: The list is known to have been written; False from the moment before until that is noted.
    """

    dn: str
    old: bytes
    new: bytes
    time: str
    server: str
    reason: str
    restores: bool = False
    made: bool = False

    @property
    def new_hash(self) -> str:
        """SHA-256 over what identifies the list we wrote."""
        return fingerprint(SecurityDescriptor.parse(self.new))

    def to_json(self) -> dict[str, t.Any]:
        """Return the point as data for the file; bytes in base64."""
        return {
            "dn": self.dn,
            "time": self.time,
            "server": self.server,
            "reason": self.reason,
            "restores": self.restores,
            "made": self.made,
            "old": base64.b64encode(self.old).decode("ascii"),
            "new": base64.b64encode(self.new).decode("ascii"),
            "new_sha256": self.new_hash,
        }

    @classmethod
    def from_json(cls, data: t.Any) -> RestorePoint:
        """Read what to_json gave.

        Raises:
            ValueError: It is something else, or was changed since (then the hash does not fit).
            MalformedDescriptor: The bytes are no descriptor.
        """
        try:
            old, new = (base64.b64decode(data[name], validate=True) for name in ("old", "new"))
            texts = {name: data[name] for name in ("dn", "time", "server", "reason")}
            restores, made, digest = data["restores"], data["made"], data["new_sha256"]
        except (KeyError, TypeError, binascii.Error) as problem:
            raise ValueError(f"an entry is incomplete or malformed ({problem})") from None
        flags = isinstance(restores, bool) and isinstance(made, bool)
        if not flags or not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("an entry holds something else than text where text is due")
        point = cls(old=old, new=new, restores=restores, made=made, **texts)
        Dn.parse(point.dn)
        SecurityDescriptor.parse(old)
        if point.new_hash != digest:
            raise ValueError(f"the entry of {point.dn} was changed: its hash does not fit")
        return point


def fingerprint(descriptor: SecurityDescriptor) -> str:
    """Return SHA-256 over the entries that are the object's own, and whether inheritance is cut off.

    Inherited entries change with the objects above, the layout with the server, and Active Directory sorts a list when
    it is written; none of that counts. Where the order decides on access, in a list that is not canonical, it does. No
    list at all lets everybody do everything, an empty one nobody.
    """
    if descriptor.dacl is None:
        return hashlib.sha256(b"no access list").hexdigest()
    protected = bytes((bool(descriptor.control & PROTECTED),))
    return hashlib.sha256(protected + b"".join(in_standard_order(explicit(descriptor)))).hexdigest()


def explicit(descriptor: SecurityDescriptor) -> tuple[bytes, ...]:
    """Return the entries that are the object's own; the inherited ones are the server's to keep up to date."""
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    return tuple(ace for ace in aces if not ace[1] & INHERITED)


def dump(points: Iterable[RestorePoint]) -> str:
    """Return the text of a file of restore points."""
    return json.dumps({"format": FORMAT, "restore_points": [p.to_json() for p in points]}, indent=1) + "\n"


def load(text: str, path: str) -> tuple[RestorePoint, ...]:
    """Read the text of a file of restore points.

    Raises:
        RestoreError: It is not one.
    """
    try:
        data = json.loads(text)
        if (
            not isinstance(data, dict)
            or data.get("format") != FORMAT
            or not isinstance(data.get("restore_points"), list)
        ):
            raise ValueError(f"it is not a file of restore points of format {FORMAT}")
        return tuple(RestorePoint.from_json(item) for item in data["restore_points"])
    except (ValueError, OdjError, RecursionError) as problem:  # the last one: brackets within brackets
        raise RestoreError(
            "read the restore points", on=path, got=str(problem), advice="Correct backup_path. Nothing was changed."
        ) from None


def by_object(points: Iterable[RestorePoint]) -> dict[object, tuple[RestorePoint, ...]]:
    """Return the points of each object, oldest first, by Dn.key."""
    found: dict[object, list[RestorePoint]] = {}
    for point in points:
        found.setdefault(Dn.parse(point.dn).key, []).append(point)
    return {key: tuple(group) for key, group in found.items()}


def trimmed(points: Sequence[RestorePoint], keep: int) -> list[RestorePoint]:
    """Return the points without the oldest of each object: as many of those that were made stay, and all later ones.

    Args:
        points: Oldest first.
        keep: How many; 0 for all.
    """
    if not keep:
        return list(points)
    left: dict[object, int] = {}
    stays = []
    for point in reversed(points):
        key = Dn.parse(point.dn).key
        if left.setdefault(key, keep) > 0:
            stays.append(point)
            left[key] -= point.made
    return stays[::-1]


def restore(dn: str, current: SecurityDescriptor, points: Sequence[RestorePoint], *, force: bool) -> RestoreDacl | None:
    """Compare what is there with what was there before the last change that was not itself a restoration.

    Args:
        dn: The object.
        current: Its access list.
        points: Its restore points, oldest first.
        force: Put the old list back whatever is there.

    Returns:
        The operation that puts it back; None when it is as it was, or when it was put back before and others changed it
        since.

    Raises:
        RestoreError: There is no such change; or what is there is not what it made, and ``force`` is not set.
    """
    is_now = fingerprint(current)
    changes = [p for p in points if not p.restores]
    if not changes:
        raise RestoreError(
            "put the access list back",
            on=dn,
            got="the file holds no restore point for it",
            advice="Correct backup_path or organizational_units. Nothing was changed.",
        )
    point = next((p for p in reversed(changes) if not _was_never_made(p, points, is_now)), None)
    if point is None:
        return None
    old, new = SecurityDescriptor.parse(point.old), SecurityDescriptor.parse(point.new)
    if old.dacl is None:
        raise RestoreError("put the access list back", on=dn, got=f"the restore point of {point.time} holds none")
    if is_now == fingerprint(old):
        return None
    if is_now != fingerprint(new) and not force:
        if _was_put_back(point, points) and not _still_there(old, new, current):
            return None
        raise RestoreError(
            "put the access list back",
            on=dn,
            got=f"it is neither what it was before the change of {point.time} nor what that change made of it: "
            f"{_difference(new, current)}",
            advice="It is left as it is. Look at what else changed; force puts the old list back all the same.",
        )
    return _restoration(dn, point, current, _as_before(current, old))


def _restoration(dn: str, point: RestorePoint, current: SecurityDescriptor, wanted: SecurityDescriptor) -> RestoreDacl:
    return RestoreDacl(
        target=dn,
        before=dacl_lines(current),
        after=dacl_lines(wanted),
        summary=f"{dn}: back to what it was before {point.time} ({point.reason})",
        reason=f"The change of {point.time} is to be undone.",
        known=current.to_bytes(),
        wanted=wanted.to_bytes(),
    )


def _was_never_made(point: RestorePoint, points: Sequence[RestorePoint], is_now: str) -> bool:
    """Say whether the task was killed between keeping the point and writing the list, so that an earlier one counts.

    It was when the list is what it was before, now or when it was written the next time.
    """
    if point.made or _was_put_back(point, points):
        return False
    later = points[points.index(point) + 1 :]
    seen = {is_now, *(fingerprint(SecurityDescriptor.parse(one.old)) for one in later if one.made)}
    return fingerprint(SecurityDescriptor.parse(point.old)) in seen


def _was_put_back(point: RestorePoint, points: Sequence[RestorePoint]) -> bool:
    """Say whether a restoration of it was begun; that does not tell whether it was made."""
    later = points[points.index(point) :]
    return any(p.restores and p.new_hash == fingerprint(SecurityDescriptor.parse(point.old)) for p in later)


def _still_there(old: SecurityDescriptor, new: SecurityDescriptor, current: SecurityDescriptor) -> bool:
    """Say whether anything that a change added or took away is still so."""
    were, became, are = (frozenset(explicit(descriptor)) for descriptor in (old, new, current))
    return bool((became - were) & are or (were - became) - are)


def _as_before(current: SecurityDescriptor, old: SecurityDescriptor) -> SecurityDescriptor:
    """Return the old entries of the object's own, with the inherited ones of today."""
    if current.dacl is None:
        return old.with_dacl(explicit(old))  # the server adds what is inherited
    own = set(explicit(current))
    inherited = tuple(ace for ace in current.dacl.aces if ace not in own)
    if old.control & PROTECTED:
        inherited = ()
    restored = current.with_dacl((*explicit(old), *inherited))
    return replace(restored, control=restored.control & ~PROTECTED | old.control & PROTECTED)


def _difference(ours: SecurityDescriptor, current: SecurityDescriptor) -> str:
    if current.dacl is None:
        return "there is no access list any more, so everybody may do everything"
    were, are = explicit(ours), explicit(current)
    more = [f"{ace_to_sddl(ace)} was added" for ace in are if ace not in were]
    less = [f"{ace_to_sddl(ace)} was removed" for ace in were if ace not in are]
    cut = bool(current.control & PROTECTED), bool(ours.control & PROTECTED)
    inheritance = [f"inheritance was {'cut off' if cut[0] else 'let in again'}"] if cut[0] != cut[1] else []
    return "; ".join([*more, *less, *inheritance]) or "the order of its entries is another"
