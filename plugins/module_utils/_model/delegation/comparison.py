# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Delegation: what has to change on an OU so that the ACEs that let accounts join computers are there, or not."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    AccessRule,
    ace_to_sddl,
    canonical,
    first_inherited,
    is_canonical,
    trustee_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import (
    Delegation,
    DelegationError,
    Desired,
    StaleDelegation,
    is_delegation,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS, Part, Right
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import WriteDacl

T = t.TypeVar("T")
_Aces: t.TypeAlias = tuple[bytes, ...]
Origin: t.TypeAlias = Callable[[AccessRule], str]


def _from_above(rule: AccessRule) -> str:
    return "above"


def compare(
    dn: str, descriptor: SecurityDescriptor, desired: Desired, origin: Origin = _from_above
) -> tuple[WriteDacl | None, tuple[Delegation, ...]]:
    """Compare the access list of one OU with what is wanted.

    Args:
        dn: The unit.
        descriptor: Its access list.
        desired: What is wanted.
        origin: Says where an inherited entry comes from.

    Returns:
        The operation that is due or None, and the state of each delegation.

    Raises:
        DelegationError: A Deny stands in the way, the list is not in canonical order, or there is no list.
    """
    if descriptor.dacl is None:
        raise DelegationError(
            "read the access list",
            on=dn,
            got="it has none, so everybody may do everything there",
            advice="Ask the owner of the OU to repair its permissions first.",
        )
    before = descriptor.dacl.aces
    aces, found = _apply(dn, before, desired, origin)
    if aces == before:
        return None, found
    notes: tuple[str, ...] = ()
    if not is_canonical(before):
        if not desired.canonicalize:
            raise _out_of_order(dn)
        notes = ("its entries are put in canonical order",)
        aces, found = _apply(dn, canonical(before), desired, origin)
    after = descriptor.with_dacl(aces)
    news = [d.news for d in found if d.state in ("added", "removed")]
    labels = {ace: d for d in found for ace in d.aces}
    return _write(dn, descriptor, after, "; ".join((*news, *notes)), labels), found


def _write(
    dn: str, before: SecurityDescriptor, after: SecurityDescriptor, news: str, labels: dict[str, Delegation]
) -> WriteDacl:
    lists = [descriptor.dacl.aces if descriptor.dacl else () for descriptor in (before, after)]
    return WriteDacl(
        target=dn,
        before=_lines(lists[0], labels),
        after=_lines(lists[1], labels),
        summary=f"{dn}: {news}",
        reason="The access list grants more or less than is asked for.",
        known=before.to_bytes(),
        wanted=after.to_bytes(),
    )


def _out_of_order(dn: str) -> DelegationError:
    return DelegationError(
        "change the access list",
        on=dn,
        got="its entries are not in canonical order (explicit deny, explicit allow, inherited)",
        advice="Put it in order with the Security tab of Active Directory Users and Computers, or set canonicalize.",
    )


def _lines(aces: _Aces, labels: dict[str, Delegation]) -> str:
    """Return what a diff shows: one entry per line, with its meaning where it is one of ours."""
    texts = map(ace_to_sddl, aces)
    return "".join(f"{text}{_meaning(labels.get(text))}\n" for text in texts)


def _meaning(delegation: Delegation | None) -> str:
    return f"  {delegation.account} may {delegation.sentence}" if delegation else ""


def _apply(dn: str, aces: _Aces, desired: Desired, origin: Origin) -> tuple[_Aces, tuple[Delegation, ...]]:
    found: list[Delegation] = []
    if desired.present:
        listing, missing = _Listing.of(aces), []
        for token in desired.accounts:
            for right in desired.rights:
                more, delegation = _grant(dn, listing, token, right, origin)
                missing += more
                found.append(delegation)
        at = first_inherited(aces)
        aces = (*aces[:at], *missing, *aces[at:])
    else:
        for token in desired.accounts:
            for right in desired.rights:
                aces, delegation = _revoke(aces, token.account, right, origin)
                found.append(delegation)
    for stale in desired.stale:
        aces, gone = _remove(aces, stale)
        found += gone
    return aces, tuple(found)


def _rules(aces: _Aces) -> list[tuple[int, AccessRule]]:
    rules = ((index, AccessRule.from_ace(ace)) for index, ace in enumerate(aces))
    return [(index, rule) for index, rule in rules if rule is not None]


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list, sorted once for all accounts: what one of them is granted decides nothing for another one or right."""

    aces: _Aces
    allowing: Mapping[Sid, Sequence[tuple[int, AccessRule]]]
    denying: Sequence[tuple[int, AccessRule]]

    @classmethod
    def of(cls, aces: _Aces) -> _Listing:
        allowing: dict[Sid, list[tuple[int, AccessRule]]] = {}
        denying = []
        for index, rule in _rules(aces):
            if not rule.allow:
                denying.append((index, rule))
            elif not rule.conditional:
                allowing.setdefault(rule.trustee, []).append((index, rule))
        return cls(aces, allowing, denying)


def _grant(dn: str, listing: _Listing, token: Token, right: Right, origin: Origin) -> tuple[list[bytes], Delegation]:
    counting: list[tuple[bytes, AccessRule, bool]] = []
    missing: list[bytes] = []
    for part in right.parts:
        allowing = _allowing(dn, listing, token, right, part, origin)
        exact, entry = _exact(part, token.account.sid, right.subtree)
        if allowing:
            index, rule = next(((i, r) for i, r in allowing if r == exact), allowing[0])
            counting.append((listing.aces[index], rule, rule != exact))
        else:
            missing.append(entry)
    shown = missing or [ace for ace, rule, broader in counting]
    above = next((origin(rule) for ace, rule, broader in counting if rule.inherited), "")
    broader = any(broader for ace, rule, broader in counting)
    return missing, _delegation(token.account, right, "added" if missing else "present", broader, above, shown)


@lru_cache(maxsize=1 << 10)  # the same on every unit
def _exact(part: Part, trustee: Sid, subtree: bool) -> tuple[AccessRule, bytes]:
    rule = part.rule(trustee, subtree=subtree)
    return rule, rule.to_ace()


def _allowing(
    dn: str, listing: _Listing, token: Token, right: Right, part: Part, origin: Origin
) -> list[tuple[int, AccessRule]]:
    mine = listing.allowing.get(token.account.sid, ())
    against = [(i, r) for i, r in listing.denying if r.trustee in token.sids]
    for way in part.ways:
        allowing = [(i, r) for i, r in mine if way.covered_by(r, subtree=right.subtree)]
        denied = next((i for i, r in against if way.denied_by(r, subtree=right.subtree)), len(listing.aces))
        if allowing and allowing[0][0] < denied:
            return allowing
    denial = next(((i, r) for i, r in against if part.denied_by(r, subtree=right.subtree)), None)
    if denial is None:
        return []
    where = f", inherited from {origin(denial[1])}" if denial[1].inherited else ""
    raise DelegationError(
        f"let {token.account.name} {right.sentence}",
        on=dn,
        got=f"an entry denies it: {ace_to_sddl(listing.aces[denial[0]])}{where}",
        advice="A Deny is never overridden or removed here: find out why it is there, and remove it if wrong.",
    )


def _revoke(aces: _Aces, account: Trustee, right: Right, origin: Origin) -> tuple[_Aces, Delegation]:
    before = aces
    for part in right.parts:
        ours = {i for i, r in _rules(aces) if r.trustee == account.sid and r.allow
                and part.is_in(r, subtree=right.subtree)}  # fmt: skip
        aces = tuple(_without(ace, part.mask) if i in ours else ace for i, ace in enumerate(aces))
        aces = tuple(ace for ace in aces if ace)
    ways = [way for part in right.parts for way in part.ways]
    mine = [(aces[i], r) for i, r in _rules(aces) if r.allow and r.trustee == account.sid]
    left = [(ace, r) for ace, r in mine if any(way.covered_by(r, subtree=False) for way in ways)]  # conditional or not
    taken = [ace for ace in before if ace not in aces]
    state = "removed" if taken else "present" if left else "absent"
    above = next((origin(rule) for ace, rule in left if rule.inherited), "")
    return aces, _delegation(account, right, state, bool(left), above, [ace for ace, rule in left] or taken)


def _without(ace: bytes, mask: int) -> bytes:
    rest = int.from_bytes(ace[4:8], "little") & ~mask
    return ace[:4] + rest.to_bytes(4, "little") + ace[8:] if rest else b""


def _delegation(
    account: Trustee, right: Right, state: str, broader: bool, above: str, aces: Iterable[bytes]
) -> Delegation:
    texts = tuple(map(ace_to_sddl, aces))
    return Delegation(account.name, account.sid, right.name, right.sentence, state, broader, above, texts)


def _remove(aces: _Aces, stale: StaleDelegation) -> tuple[_Aces, Sequence[Delegation]]:
    going = {i: r for i, r in _rules(aces) if r.trustee == stale.trustee.sid and is_delegation(r)}
    if not going:
        return aces, ()
    names = {_name_of(rule): rule for rule in going.values()}
    kept = tuple(ace for index, ace in enumerate(aces) if index not in going)
    texts = {name: tuple(ace_to_sddl(aces[i]) for i, r in going.items() if _name_of(r) == name) for name in names}
    return kept, [
        Delegation(
            stale.trustee.name,
            stale.trustee.sid,
            name,
            f"{_phrase(name)} here ({stale.why})",
            "removed",
            aces=texts[name],
        )
        for name in names
    ]


def _name_of(rule: AccessRule) -> str:
    fitting = (r.name for r in RIGHTS.values() for p in r.parts if p.is_in(rule, subtree=True) and p.mask == rule.mask)
    return next(fitting, "other")


def _phrase(name: str) -> str:
    return RIGHTS[name].phrase if name in RIGHTS else "work on computers"


class UnchangedCache(t.Generic[T]):
    """What was found on lists where nothing has to change.

    A comparison looks at the entries of certain trustees only. Where those are the same and in the same order, and
    nothing had to change, the same is found. Where something has to change the whole list counts, and is not kept here.
    """

    def __init__(self, trustees: Iterable[Sid]) -> None:
        self._trustees = frozenset(sid.to_bytes() for sid in trustees)
        self._counts: dict[bytes, bool] = {}
        self._known: dict[tuple[bytes, ...], T] = {}

    def find(self, descriptor: SecurityDescriptor) -> T | None:
        """Return what was found on a list that is the same in what counts, None when there was none yet."""
        return None if descriptor.dacl is None else self._known.get(self._key(descriptor.dacl.aces))

    def add(self, descriptor: SecurityDescriptor, told: T) -> None:
        """Remember what was found on a list where nothing had to change."""
        if descriptor.dacl is not None:
            self._known[self._key(descriptor.dacl.aces)] = told

    def _key(self, aces: tuple[bytes, ...]) -> tuple[bytes, ...]:
        for ace in aces:
            if ace not in self._counts:
                self._counts[ace] = trustee_in(ace) in self._trustees
        return tuple(ace for ace in aces if self._counts[ace])
