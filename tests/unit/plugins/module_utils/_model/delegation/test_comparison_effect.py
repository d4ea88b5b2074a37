# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of an access list comes to for everybody, judged by an access check that knows nothing of delegations.

The plan says what it does; here the lists before and after are asked, for every right, class, place and trustee there
is in them: what was wished for is so, and nothing else has changed.
"""

from __future__ import annotations

import typing as t
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, ace_to_sddl, is_canonical
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import UnchangedCache, compare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import (
    Delegation,
    DelegationError,
    Desired,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, RIGHTS
from ansible_collections.hybridjoin.odj.tests.unit.fakes.plain_access import INHERITED, allowed, in_force, read_ace

DN = "OU=Autopilot,DC=contoso,DC=test"
DOMAIN = Sid(5, (21, 1, 2, 3, 0))
ME = Trustee(DOMAIN.sibling(1101), "CONTOSO\\msaODJab1cd$", primary_group=DOMAIN.sibling(515))
OTHER = Trustee(DOMAIN.sibling(1102), "CONTOSO\\msaODJef2gh$", primary_group=DOMAIN.sibling(515))
STRANGER, NETWORK, SELF = DOMAIN.sibling(1103), Sid(5, (2,)), Sid(5, (10,))
UNIT_CLASS = uuid.UUID("bf967aa5-0de6-11d0-a285-00aa003049e2")
USER_CLASS = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
RESET = uuid.UUID("00299570-246d-11d0-a768-00aa006e0529")
RESTRICTIONS = uuid.UUID("4c164200-20c0-11d0-a768-00aa006e0529")
DNS_NAME = uuid.UUID("72e39547-7b18-11d1-adef-00c04fd8d5cd")
SPN = uuid.UUID("f3a64788-5306-11d1-a9c5-0000f80367c1")
CREATE, DELETE, VALIDATED, WRITE, CONTROL = 0x1, 0x2, 0x8, 0x20, 0x100

# Written down once more from the documentation, on purpose: right -> (bits, any of which does; GUID; on computers).
MEANING: dict[str, list[tuple[tuple[int, ...], uuid.UUID, bool]]] = {
    "create_computer": [((CREATE,), COMPUTER_CLASS, False)],
    "delete_computer": [((DELETE,), COMPUTER_CLASS, False)],
    "reuse_computer": [
        ((CONTROL,), RESET, True),
        ((WRITE,), RESTRICTIONS, True),
        ((VALIDATED, WRITE), DNS_NAME, True),
        ((VALIDATED, WRITE), SPN, True),
    ],
}
PLACES = [(0, UNIT_CLASS), (1, UNIT_CLASS), (2, UNIT_CLASS), (1, COMPUTER_CLASS), (2, COMPUTER_CLASS), (2, USER_CLASS)]
BITS = [CREATE, DELETE, VALIDATED, WRITE, CONTROL, 0x10, 0x40, 0x40000]
TYPES = [COMPUTER_CLASS, USER_CLASS, RESET, RESTRICTIONS, DNS_NAME, SPN, uuid.UUID(int=0)]

# A question: (trustees, depth and class of the object, bit, GUID)
Place: t.TypeAlias = tuple[int, uuid.UUID]
Question: t.TypeAlias = tuple[frozenset[bytes], Place, int, uuid.UUID]


MASKS = [0, CREATE, DELETE, VALIDATED, WRITE, CONTROL, 3, 0x28, 0x10, 0x40000, 0xF01FF, 0xF01FF & ~1, 0x10000000,
         0x40000000, 0x80000000, 0x20000000]  # fmt: skip
FLAGS = [0, 0x02, 0x0A, 0x06, 0x0E, 0x08, 0x01, 0x10, 0x12, 0x1A]
TRUSTEES = [*[ME.sid] * 4, OTHER.sid, STRANGER, EVERYONE, NETWORK, SELF, DOMAIN.sibling(515)]
HEIRS = [None, None, None, COMPUTER_CLASS, USER_CLASS, UNIT_CLASS]
SHAPES = ["plain"] * 6 + ["condition", "audit", "unknown", "trailing"]
CASES = 600


def any_rule(source: Random) -> AccessRule:
    pick = source.choice
    return AccessRule(
        pick((True, False)), pick(MASKS), pick(TRUSTEES), pick((None, None, *TYPES)), pick(HEIRS), pick(FLAGS)
    )


def nearly_right(source: Random, rights: t.Collection[str]) -> AccessRule:
    """Return an entry as the collection makes it, or one that differs from it in one field: where mistakes are made."""
    part = source.choice([part for name in rights for part in RIGHTS[name].parts])
    exact, other = part.rule(ME.sid, subtree=source.choice((True, False))), any_rule(source)
    field = source.choice(["allow", "mask", "more", "trustee", "object_type", "inherited_type", "flags", ""])
    if field == "more":
        return replace(exact, mask=exact.mask | source.choice(MASKS))
    return replace(exact, **{field: getattr(other, field)}) if field else exact


def entry(source: Random, rights: t.Collection[str] = tuple(RIGHTS)) -> bytes:
    ace = (nearly_right(source, rights) if source.randrange(4) else any_rule(source)).to_ace()
    shape = source.choice(SHAPES)
    if shape == "condition":
        return _of_kind({0x00: 0x09, 0x01: 0x0A, 0x05: 0x0B, 0x06: 0x0C}[ace[0]], ace, b"artx")
    if shape == "audit":
        return _of_kind({0x00: 0x02, 0x01: 0x02, 0x05: 0x07, 0x06: 0x07}[ace[0]], ace, b"")
    return _of_kind(0x77, ace, b"") if shape == "unknown" else _of_kind(ace[0], ace, b"\0" * 4 * (shape == "trailing"))


class Case(t.NamedTuple):
    """A list, and what is asked for. The same ones in every run; the seed is in the message of a failure."""

    aces: list[bytes]
    rights: list[str]
    applies_to: str
    source: Random

    @classmethod
    def of(cls, seed: int) -> Case:
        source = Random(seed)  # noqa: S311 - the same lists in every run
        rights = source.sample(list(RIGHTS), source.choice((1, 1, 2, 3)))
        aces = [entry(source, rights) for __ in range(source.randint(0, 7))]
        return cls(aces, rights, source.choice(["this_object", "subtree"]), source)

    def told(self, seed: int) -> str:
        return f"{seed}: {self.rights}, {self.applies_to}, {[ace_to_sddl(ace) for ace in self.aces]}"


def _of_kind(kind: int, ace: bytes, more: bytes) -> bytes:
    return bytes((kind, ace[1])) + (len(ace) + len(more)).to_bytes(2, "little") + ace[4:] + more


def stage(ace: bytes) -> int:
    return 2 if ace[1] & INHERITED else 0 if ace[0] in {0x01, 0x06, 0x0A, 0x0C} else 1


def listing(aces: t.Iterable[bytes]) -> SecurityDescriptor:
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(4, tuple(aces)))


def after(
    aces: list[bytes], rights: t.Collection[str], applies_to: str, *accounts: Trustee, **more: t.Any
) -> tuple[list[bytes], tuple[Delegation, ...]]:
    wanted = tuple(RIGHTS[name].reaching(applies_to) for name in rights)
    change, found = compare(
        DN, listing(aces), Desired(tuple(token_of(one, None) for one in accounts or (ME,)), wanted, **more)
    )
    if change is None:
        return aces, found
    written = SecurityDescriptor.parse(change.wanted).dacl
    assert written is not None
    return list(written.aces), found


def held_by(account: Trustee) -> frozenset[bytes]:
    return frozenset(sid.to_bytes() for sid in token_of(account, None).sids)


EVERYBODY = [held_by(who) for who in (ME, OTHER, Trustee(STRANGER, "stranger"))]


def yes(aces: t.Iterable[bytes], *, conditions: bool) -> set[Question]:
    """Return every question that a list answers with yes."""
    plain = [ace for ace in map(read_ace, aces) if ace]
    return {
        (held, place, bit, kind)
        for held in EVERYBODY
        for place in PLACES
        if (counting := [ace for ace in in_force(plain, *place) if ace.sid in held])
        for bit in BITS
        for kind in TYPES
        if allowed(counting, held, bit, kind, conditions=conditions)
    }


def wished(rights: t.Collection[str], places: t.Callable[[bool], t.Collection[Place]]) -> list[set[Question]]:
    """Return the questions for each entry and place; of each set one at least has to be answered with yes."""
    return [
        {(held_by(ME), place, bit, kind) for bit in bits}
        for name in rights
        for bits, kind, on_computers in MEANING[name]
        for place in places(on_computers)
    ]


def needed(rights: t.Collection[str], applies_to: str) -> list[set[Question]]:
    """Return where it has to work: computers are not created below computers, though an entry may let them be."""
    on_unit = PLACES[:3] if applies_to == "subtree" else PLACES[:1]
    return wished(rights, lambda on_computers: PLACES[3:5] if on_computers else on_unit)


def touched(rights: t.Collection[str], applies_to: str) -> set[Question]:
    """Return everything that the documented entries speak of."""
    on_unit = PLACES if applies_to == "subtree" else PLACES[:1]
    return set().union(*wished(rights, lambda on_computers: PLACES[3:5] if on_computers else on_unit))


@pytest.mark.once
def test_present_means_that_it_works_and_that_nothing_else_is_new() -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(CASES):
        case = Case.of(seed)
        before = sorted(case.aces, key=stage) if seed % 4 else case.aces
        try:
            now, __ = after(before, case.rights, case.applies_to)
        except DelegationError:
            outcomes["refused"] += 1
            continue
        outcomes["there" if now == before else "added"] += 1
        works = yes(now, conditions=False)
        assert all(either & works for either in needed(case.rights, case.applies_to)), case.told(seed)
        for conditions in (True, False):
            was, is_now = (yes(aces, conditions=conditions) for aces in (before, now))
            assert was <= is_now, case.told(seed)
            assert is_now - was <= touched(case.rights, case.applies_to), case.told(seed)
        assert [ace for ace in now if ace in before] == before
        assert now == before or is_canonical(tuple(now))
    assert min(outcomes.values()) > CASES / 20, outcomes
    assert len(outcomes) == 3


@pytest.mark.once
def test_absent_takes_the_documented_entries_out_and_no_other_byte() -> None:
    outcomes: Counter[bool] = Counter()
    for seed in range(CASES):
        case = Case.of(seed)
        before = sorted(case.aces, key=stage)
        now, __ = after(before, case.rights, case.applies_to, present=False)
        wanted = (without_ours(ace, case.rights, case.applies_to) for ace in before)
        assert now == [left for left in wanted if left], case.told(seed)
        for conditions in (True, False):
            was, is_now = (yes(aces, conditions=conditions) for aces in (before, now))
            assert was - is_now <= touched(case.rights, case.applies_to), case.told(seed)
            assert is_now <= was, case.told(seed)
        outcomes[now == before] += 1
    assert min(outcomes[True], outcomes[False]) > CASES / 10, outcomes


def without_ours(raw: bytes, rights: t.Collection[str], applies_to: str) -> bytes:
    """Return an entry without the bits that the documented entries of its type have, b"" when nothing is left."""
    ace = read_ace(raw)
    if ace is None or ace.kind not in {0x00, 0x05} or ace.sid != ME.sid.to_bytes():
        return raw
    rest = ace.mask
    for bits, kind, on_computers in (part for name in rights for part in MEANING[name]):
        flags = {0x0A} if on_computers else {0x00, 0x02} if applies_to == "subtree" else {0x00}
        heir = COMPUTER_CLASS if on_computers else None
        if (ace.object_type, ace.heir) == (kind, heir) and ace.flags in flags:
            rest &= ~bits[0]
    if rest == ace.mask:
        return raw
    return raw[:4] + rest.to_bytes(4, "little") + raw[8:] if rest else b""


def test_adding_and_removing_gives_the_list_back() -> None:
    compared = 0
    for seed in range(CASES):
        case = Case.of(seed)
        before = after(sorted(case.aces, key=stage), case.rights, "subtree", present=False)[0]
        with suppress(DelegationError):
            now, __ = after(before, case.rights, case.applies_to)
            assert after(now, case.rights, case.applies_to, present=False)[0] == before, case.told(seed)
            compared += 1
    assert compared > CASES / 3


def test_order_is_restored_without_losing_an_entry() -> None:
    compared = 0
    for seed in range(CASES):
        case = Case.of(seed)
        aces = list(dict.fromkeys(case.aces))
        with suppress(DelegationError):
            now, __ = after(aces, case.rights, case.applies_to, canonicalize=True)
            rest = [ace for ace in now if ace in aces]
            assert rest == (sorted(aces, key=stage) if now != aces else aces), case.told(seed)
            compared += not is_canonical(tuple(aces))
    assert compared > CASES / 4


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.once
def test_what_is_settled_is_what_a_comparison_would_find(present: bool) -> None:
    """A remembered answer must never hide a difference: ask of lists that differ a little from one that is settled."""
    accounts, remembered = (ME, OTHER), 0
    for seed in range(CASES):
        case = Case.of(seed)
        settled: UnchangedCache[tuple[Delegation, ...]] = UnchangedCache(
            [sid for account in accounts for sid in token_of(account, None).sids]
        )
        aces = sorted(case.aces, key=stage)
        with suppress(DelegationError):
            aces = after(aces, case.rights, case.applies_to, *accounts, present=present)[0]
        for __ in range(8):
            known = settled.find(listing(aces))
            remembered += known is not None
            try:
                now, found = after(aces, case.rights, case.applies_to, *accounts, present=present)
            except DelegationError:
                assert known is None, case.told(seed)
            else:
                assert known is None or (now == aces and known == found), case.told(seed)
                if now == aces:
                    settled.add(listing(aces), found)
            aces = _changed_a_little(aces, case.source)
    assert remembered > CASES / 2


def _changed_a_little(aces: list[bytes], source: Random) -> list[bytes]:
    way = source.choice(["shuffle", "more", "less", "swap"])
    if way == "more":
        return [*aces, entry(source)]
    if way == "less":
        return aces[1:]
    return source.sample(aces, len(aces)) if way == "shuffle" else [*aces[1:2], *aces[:1], *aces[2:]]


@pytest.mark.parametrize("kind", [None, DNS_NAME])
def test_a_denied_write_does_not_stand_in_for_the_validated_one(kind: uuid.UUID | None) -> None:
    """Full write access covers a validated write, but not where a Deny takes just that write away."""
    deny = AccessRule(False, WRITE, EVERYONE, DNS_NAME, COMPUTER_CLASS, 0x0A).to_ace()
    wide = AccessRule(True, WRITE, ME.sid, kind, COMPUTER_CLASS, 0x0A).to_ace()
    grants = [part.rule(ME.sid, subtree=False).to_ace() for part in RIGHTS["reuse_computer"].parts]
    without = [grants[0], grants[1], grants[3], wide]
    assert after(without, ["reuse_computer"], "this_object")[0] == without
    assert after([deny, *without], ["reuse_computer"], "this_object")[0] == [deny, *without, grants[2]]


@pytest.mark.parametrize("sid", [NETWORK, Sid(5, (15,)), Sid(5, (11,)), EVERYONE])
def test_a_deny_for_what_every_token_over_the_network_holds_is_in_the_way(sid: Sid) -> None:
    with pytest.raises(DelegationError, match="an entry denies it"):
        after([AccessRule(False, CREATE, sid).to_ace()], ["create_computer"], "this_object")
