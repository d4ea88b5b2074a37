# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entry counts as the delegation, which does not, and that nothing else in a list is touched."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token, Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    FULL_CONTROL,
    GENERIC_ALL,
    GENERIC_WRITE,
    INHERIT_ONLY,
    INHERITED,
    NO_PROPAGATE,
    AccessRule,
    is_canonical,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import compare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import (
    Delegation,
    DelegationError,
    Desired,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import WriteDacl
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import AUTHENTICATED_USERS

DN = "OU=Autopilot,DC=contoso,DC=test"
CREATE, DELETE = 1, 2
USER_CLASS = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
DOMAIN = Sid(5, (21, 1, 2, 3, 0))
ME = Trustee(DOMAIN.sibling(1101), "CONTOSO\\msaODJab1cd$", primary_group=DOMAIN.sibling(515), dn="CN=msaODJab1cd")
OTHER = Trustee(DOMAIN.sibling(1102), "CONTOSO\\msaODJef2gh$")
EXACT = AccessRule(True, CREATE, ME.sid, COMPUTER_CLASS)
DENY_DELETE = AccessRule(False, 0x10000, EVERYONE)
READ = AccessRule(True, 0x20014, AUTHENTICATED_USERS)
FROM_ABOVE = AccessRule(True, 0x10, DOMAIN.sibling(512), flags=CONTAINER_INHERIT | INHERITED)
AUDIT_LIKE = bytes((0x15, 0, 8, 0)) + b"abcd"


def listing(*rules: AccessRule | bytes) -> SecurityDescriptor:
    aces = tuple(rule if isinstance(rule, bytes) else rule.to_ace() for rule in rules)
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(4, aces, b"\1\2"), layout=(b"gap!", "dacl"))


def token(account: Trustee | Token) -> Token:
    return account if isinstance(account, Token) else token_of(account, None)


def run(
    descriptor: SecurityDescriptor,
    *accounts: Trustee | Token,
    rights: tuple[str, ...] = ("create_computer",),
    applies_to: str = "this_object",
    **more: t.Any,
) -> tuple[WriteDacl | None, tuple[Delegation, ...]]:
    wanted = tuple(RIGHTS[name].reaching(applies_to) for name in rights)
    return compare(
        DN, descriptor, Desired(tuple(map(token, accounts or (ME,))), wanted, **more), lambda rule: "OU=Above"
    )


def rules_after(change: WriteDacl | None) -> list[AccessRule | bytes]:
    assert change is not None
    written = SecurityDescriptor.parse(change.wanted).dacl
    assert written is not None
    return [AccessRule.from_ace(ace) or ace for ace in written.aces]


def test_the_documented_entry_is_put_behind_the_explicit_and_before_the_inherited_ones() -> None:
    change, (delegation,) = run(listing(DENY_DELETE, READ, AUDIT_LIKE, FROM_ABOVE))
    assert rules_after(change) == [DENY_DELETE, READ, AUDIT_LIKE, EXACT, FROM_ABOVE]
    assert delegation.aces[0] == f"(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;{ME.sid})"
    assert (delegation.state, delegation.broader, bool(delegation.inherited_from)) == ("added", False, False)
    assert change is not None
    assert change.summary == f"{DN}: + {ME.name} may create computers (this object only)"
    assert set(change.after.splitlines()) - set(change.before.splitlines()) == {
        f"{delegation.aces[0]}  {ME.name} may create computers (this object only)"
    }
    assert len(change.before.splitlines()) == 4


def test_adding_and_removing_gives_back_every_byte() -> None:
    before = listing(DENY_DELETE, READ, FROM_ABOVE)
    added, __ = run(before, ME, OTHER)
    assert added is not None
    removed, found = run(SecurityDescriptor.parse(added.wanted), OTHER, ME, present=False)
    assert removed is not None
    assert removed.wanted == before.to_bytes()
    assert [d.state for d in found] == ["removed", "removed"]
    assert removed.summary.startswith(f"{DN}: - {OTHER.name} may no longer create computers")


@pytest.mark.parametrize(
    ("rule", "broader", "inherited"),
    [
        (EXACT, False, False),
        (replace(EXACT, mask=CREATE | DELETE), True, False),
        (replace(EXACT, object_type=None), True, False),
        (replace(EXACT, flags=CONTAINER_INHERIT), True, False),
        (replace(EXACT, flags=CONTAINER_INHERIT | INHERITED), True, True),
        (AccessRule(True, FULL_CONTROL, ME.sid), True, False),
        (AccessRule(True, GENERIC_ALL, ME.sid), True, False),
    ],
)
def test_an_entry_that_covers_it_counts_as_there(rule: AccessRule, broader: bool, inherited: bool) -> None:
    change, (delegation,) = run(listing(rule))
    assert change is None
    assert (delegation.state, delegation.broader, bool(delegation.inherited_from)) == ("present", broader, inherited)


def test_the_exact_entry_is_the_one_that_is_shown_when_there_is_a_broader_one_too() -> None:
    __, (delegation,) = run(listing(AccessRule(True, FULL_CONTROL, ME.sid), EXACT))
    assert not delegation.broader
    assert delegation.aces[0].startswith("(OA;;CC;")


@pytest.mark.parametrize(
    "rule",
    [
        replace(EXACT, trustee=OTHER.sid),
        replace(EXACT, object_type=USER_CLASS),
        replace(EXACT, mask=DELETE),
        replace(EXACT, flags=CONTAINER_INHERIT | INHERIT_ONLY),
        AccessRule(True, 0x10, ME.sid),
    ],
)
def test_an_entry_that_does_not_cover_it_does_not_count(rule: AccessRule) -> None:
    change, __ = run(listing(rule))
    assert rules_after(change) == [rule, EXACT]


def test_a_conditional_entry_does_not_count_as_there() -> None:
    conditional = bytes((0x0B,)) + EXACT.to_ace()[1:]
    change, __ = run(listing(conditional))
    assert change is not None


@pytest.mark.parametrize("trustee", [ME.sid, EVERYONE, AUTHENTICATED_USERS, DOMAIN.sibling(515)])
@pytest.mark.parametrize("kind", [COMPUTER_CLASS, None])
@pytest.mark.parametrize("flags", [0, INHERITED])
def test_a_deny_that_is_in_the_way_is_an_error_that_names_it(trustee: Sid, kind: uuid.UUID | None, flags: int) -> None:
    deny = AccessRule(False, CREATE | DELETE, trustee, kind, flags=flags)
    with pytest.raises(DelegationError, match=r"an entry denies it: \(O?D;.*CCDC") as caught:
        run(listing(deny))
    assert trustee.sddl in str(caught.value)


@pytest.mark.parametrize(
    "deny",
    [
        AccessRule(False, CREATE, OTHER.sid, COMPUTER_CLASS),
        AccessRule(False, CREATE, ME.sid, USER_CLASS),
        AccessRule(False, DELETE, ME.sid, COMPUTER_CLASS),
        AccessRule(False, CREATE, ME.sid, flags=CONTAINER_INHERIT | INHERIT_ONLY),
    ],
)
def test_a_deny_of_something_else_is_not_in_the_way(deny: AccessRule) -> None:
    change, __ = run(listing(deny))
    assert rules_after(change) == [deny, EXACT]


def test_an_inherited_deny_behind_the_explicit_entry_has_no_effect_and_is_no_error() -> None:
    change, (delegation,) = run(listing(EXACT, AccessRule(False, CREATE, EVERYONE, flags=INHERITED)))
    assert change is None
    assert delegation.state == "present"


def test_of_a_merged_entry_only_this_right_is_taken() -> None:
    merged = replace(EXACT, mask=CREATE | DELETE)
    change, (delegation,) = run(listing(READ, merged, FROM_ABOVE), present=False)
    assert rules_after(change) == [READ, replace(EXACT, mask=DELETE), FROM_ABOVE]
    assert (delegation.state, delegation.broader) == ("removed", False)


@pytest.mark.parametrize(
    "broader",
    [
        AccessRule(True, FULL_CONTROL, ME.sid),
        replace(EXACT, flags=CONTAINER_INHERIT),
        replace(EXACT, object_type=None),
        replace(EXACT, flags=CONTAINER_INHERIT | INHERITED),
    ],
)
def test_a_broader_entry_is_reported_and_left_when_ours_is_removed(broader: AccessRule) -> None:
    change, (delegation,) = run(listing(broader), present=False)
    assert change is None
    assert (delegation.state, delegation.broader) == ("present", True)
    change, (delegation,) = run(listing(*sorted([EXACT, broader], key=lambda r: r.inherited)), present=False)
    assert rules_after(change) == [broader]
    assert (delegation.state, delegation.broader) == ("removed", True)


def test_what_is_not_there_is_not_removed() -> None:
    change, (delegation,) = run(listing(READ, replace(EXACT, trustee=OTHER.sid)), present=False)
    assert change is None
    assert (delegation.state, delegation.aces) == ("absent", ())


def test_a_list_out_of_order_is_refused_when_it_has_to_change_and_only_then() -> None:
    with pytest.raises(DelegationError, match="canonical order"):
        run(listing(FROM_ABOVE, READ))
    with pytest.raises(DelegationError, match="canonical order"):
        run(listing(READ, DENY_DELETE, EXACT), present=False)
    assert run(listing(READ, DENY_DELETE, EXACT))[0] is None


def test_a_missing_list_is_refused() -> None:
    with pytest.raises(DelegationError, match="everybody may do everything"):
        run(SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT))


# ---------------------------------------------------------------- other rights and reaches


BELOW = CONTAINER_INHERIT | INHERIT_ONLY
RESET = uuid.UUID("00299570-246d-11d0-a768-00aa006e0529")
CONTROL, WRITE, SELF = 0x100, 0x20, 0x8


def test_a_right_for_the_subtree_is_its_own_entry_and_takes_the_narrower_one_along_when_it_goes() -> None:
    change, (delegation,) = run(listing(EXACT), applies_to="subtree")
    wide = replace(EXACT, flags=CONTAINER_INHERIT)
    assert rules_after(change) == [EXACT, wide]
    assert delegation.aces == (f"(OA;CI;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;{ME.sid})",)
    change, __ = run(listing(READ, EXACT, wide), applies_to="subtree", present=False)
    assert rules_after(change) == [READ]
    change, (delegation,) = run(listing(READ, EXACT, wide), present=False)
    assert rules_after(change) == [READ, wide]
    assert delegation.broader


@pytest.mark.parametrize(
    ("rule", "covers"),
    [
        (replace(EXACT, flags=CONTAINER_INHERIT), True),
        (AccessRule(True, FULL_CONTROL, ME.sid, flags=CONTAINER_INHERIT), True),
        (EXACT, False),
        (replace(EXACT, flags=CONTAINER_INHERIT | NO_PROPAGATE), False),
        (replace(EXACT, flags=BELOW), False),
        (replace(EXACT, flags=CONTAINER_INHERIT, inherited_type=USER_CLASS), False),
    ],
)
def test_what_covers_a_right_for_the_subtree(rule: AccessRule, covers: bool) -> None:
    assert (run(listing(rule), applies_to="subtree")[0] is None) == covers


@pytest.mark.parametrize("flags", [0, CONTAINER_INHERIT, BELOW])
def test_a_deny_anywhere_in_the_subtree_is_in_the_way_of_a_right_for_it(flags: int) -> None:
    with pytest.raises(DelegationError, match="an entry denies it"):
        run(listing(AccessRule(False, CREATE, ME.sid, flags=flags)), applies_to="subtree")


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ((), 4),
        ((AccessRule(True, FULL_CONTROL, ME.sid, None, COMPUTER_CLASS, BELOW),), 0),
        ((AccessRule(True, GENERIC_ALL, ME.sid, None, None, CONTAINER_INHERIT),), 0),
        ((AccessRule(True, WRITE, ME.sid, None, COMPUTER_CLASS, BELOW),), 1),
        ((AccessRule(True, GENERIC_WRITE, ME.sid, None, COMPUTER_CLASS, BELOW),), 1),
        ((AccessRule(True, SELF, ME.sid, None, COMPUTER_CLASS, BELOW),), 2),
        ((AccessRule(True, CONTROL, ME.sid, RESET, COMPUTER_CLASS, BELOW),), 3),
        ((AccessRule(True, CONTROL, ME.sid, RESET, USER_CLASS, BELOW),), 4),
        ((AccessRule(True, CONTROL, ME.sid, RESET),), 4),
        ((AccessRule(True, FULL_CONTROL, ME.sid, None, COMPUTER_CLASS, BELOW | NO_PROPAGATE),), 4),
    ],
)
def test_of_the_four_entries_of_reuse_only_those_that_nothing_covers_are_added(
    rules: tuple[AccessRule, ...], missing: int
) -> None:
    change, (delegation,) = run(listing(*rules), rights=("reuse_computer",))
    assert len(rules_after(change)) - len(rules) == missing if change else missing == 0
    assert delegation.state == ("added" if missing else "present")


@pytest.mark.parametrize("kind", [None, COMPUTER_CLASS])
def test_a_deny_on_computers_below_is_in_the_way_of_reuse_and_of_nothing_else(kind: uuid.UUID | None) -> None:
    deny = AccessRule(False, CONTROL, EVERYONE, RESET, kind, CONTAINER_INHERIT)
    with pytest.raises(DelegationError, match="an entry denies it"):
        run(listing(deny), rights=("create_computer", "reuse_computer"))
    assert run(listing(deny))[0] is not None
    assert run(listing(replace(deny, inherited_type=USER_CLASS)), rights=("reuse_computer",))[0] is not None


def test_a_deny_for_a_group_counts_when_the_groups_are_known() -> None:
    deny = AccessRule(False, CREATE, DOMAIN.sibling(1200))
    assert run(listing(deny))[0] is not None
    with pytest.raises(DelegationError, match="an entry denies it"):
        run(listing(deny), token_of(ME, [DOMAIN.sibling(1200)]))


def test_an_inherited_entry_tells_where_it_comes_from() -> None:
    __, (delegation,) = run(listing(replace(EXACT, flags=CONTAINER_INHERIT | INHERITED)))
    assert delegation.to_json(DN)["inherited_from"] == "OU=Above"
    with pytest.raises(DelegationError, match="inherited from OU=Above"):
        run(listing(replace(EXACT, allow=False, flags=CONTAINER_INHERIT | INHERITED)))


def test_order_is_restored_before_a_deny_is_judged() -> None:
    """Put in order, the Deny comes first: what worked until now would not work any more, and that is said."""
    late = AccessRule(False, CREATE, EVERYONE, COMPUTER_CLASS)
    assert run(listing(EXACT, late), canonicalize=True)[0] is None
    with pytest.raises(DelegationError, match="an entry denies it"):
        run(listing(EXACT, late), ME, rights=("create_computer", "delete_computer"), canonicalize=True)


RULES = st.builds(
    AccessRule,
    st.booleans(),
    st.sampled_from((CREATE, DELETE, CREATE | DELETE, WRITE, SELF, CONTROL, FULL_CONTROL)),
    st.sampled_from((ME.sid, OTHER.sid, EVERYONE)),
    st.sampled_from((None, COMPUTER_CLASS, USER_CLASS, RESET)),
    st.sampled_from((None, COMPUTER_CLASS, USER_CLASS)),
    flags=st.sampled_from((0, CONTAINER_INHERIT, CONTAINER_INHERIT | INHERIT_ONLY, INHERITED)),
)


@given(st.lists(RULES, max_size=6), st.sampled_from(("this_object", "subtree")), st.booleans())
def test_a_second_run_never_changes_anything(rules: list[AccessRule], applies_to: str, canonicalize: bool) -> None:
    ordered = rules if canonicalize else sorted(rules, key=lambda r: 2 if r.inherited else 1 if r.allow else 0)
    more: t.Any = {"rights": tuple(RIGHTS), "applies_to": applies_to, "canonicalize": canonicalize}
    for present in (True, False):
        try:
            change, __ = run(listing(*ordered), present=present, **more)
        except DelegationError:
            continue
        if change:
            written = SecurityDescriptor.parse(change.wanted)
            assert written.dacl is not None
            assert is_canonical(written.dacl.aces)
            assert run(written, present=present, **more)[0] is None
