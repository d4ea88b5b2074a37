# SPDX-License-Identifier: GPL-3.0-or-later
"""The states beside present and absent, the unusual targets, and what is asked of the directory for them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import (
    MSA,
    NORTH,
    PILOT,
    READ,
    aces,
    create,
    delegate,
    refusal,
    two_units,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    DOMAIN_CONTROLLERS,
    DOMAIN_SID,
    EXTENDED_RIGHTS,
    MSA_CONTAINER,
    FakeDirectory,
)

HOST = ("top", "computer")


@pytest.fixture
def directory() -> FakeDirectory:
    return two_units()


# ---------------------------------------------------------------- exact, purge_orphans


def test_exact_takes_the_right_from_connectors_that_are_not_listed_and_from_nobody_else(
    directory: FakeDirectory,
) -> None:
    wizard, byo, legacy, person, other_msa = (
        directory.account("msaODJzz9zz$", cls=MSA, parent=MSA_CONTAINER),
        directory.account("gmsa-odj$", cls=("top", "computer", "msDS-GroupManagedServiceAccount")),
        directory.account("SRV01$", cls=HOST),
        directory.account("helpdesk"),
        directory.account("msaSQL$", cls=MSA, parent=MSA_CONTAINER),
    )
    full = AccessRule(True, 0xF01FF, legacy, inherited_type=COMPUTER_CLASS, flags=0x0A).to_ace()
    both = AccessRule(True, 3, legacy, COMPUTER_CLASS, flags=2).to_ace()
    users = AccessRule(True, 0xF01FF, wizard).to_ace()
    kept = [READ, create(person), create(other_msa), users]
    directory.unit(PILOT, *kept[:1], create(wizard), create(byo), both, full, *kept[1:])
    done = delegate(directory, state="exact", connector_accounts=["gmsa-odj", "SRV01"])
    mine = create(Sid.parse(done["delegations"][0]["sid"]))
    assert sorted(aces(directory)) == sorted([*kept, mine])
    gone = {(d["account"], d["right"]) for d in done["delegations"] if d["state"] == "removed"}
    assert gone == {
        ("CONTOSO\\msaODJzz9zz$", "create_computer"), ("CONTOSO\\gmsa-odj$", "create_computer"),
        ("CONTOSO\\SRV01$", "other"),
    }  # fmt: skip
    assert "a connector's account that is not listed" in done["plan"]["changes"][0]["summary"]
    assert not delegate(directory, state="exact", connector_accounts=["gmsa-odj", "SRV01"])["changed"]


def test_exact_does_not_know_byo_and_legacy_accounts_by_itself(directory: FakeDirectory) -> None:
    byo, legacy = directory.account("gmsa-odj$", cls=HOST), directory.account("SRV01$", cls=HOST)
    directory.unit(PILOT, create(byo), create(legacy))
    delegate(directory, state="exact")
    assert {create(byo), create(legacy)} < set(aces(directory))


def test_exact_with_no_account_takes_nothing_away(directory: FakeDirectory) -> None:
    directory.unit(PILOT, create(directory.account("msaODJzz9zz$", cls=MSA)))
    done = delegate(directory, state="exact", accounts=[])
    assert (done["changed"], "No account was given" in done["note"]) == (False, True)


def test_exact_never_touches_an_inherited_entry(directory: FakeDirectory) -> None:
    wizard = directory.account("msaODJzz9zz$", cls=MSA)
    inherited = AccessRule(True, 1, wizard, COMPUTER_CLASS, flags=0x12).to_ace()
    directory.unit(PILOT, inherited)
    delegate(directory, state="exact")
    assert aces(directory)[-1] == inherited


def test_orphans_go_only_when_asked_and_only_those_of_this_domain(directory: FakeDirectory) -> None:
    orphan, foreign, of_windows = DOMAIN_SID.sibling(4711), Sid(5, (21, 9, 9, 9, 4711)), DOMAIN_SID.sibling(527)
    directory.unit(PILOT, READ, create(orphan), create(foreign), create(of_windows))
    assert not [d for d in delegate(directory, state="exact")["delegations"] if d["state"] == "removed"]
    done = delegate(directory, accounts=[], purge_orphans=True)
    assert [(d["account"], d["state"]) for d in done["delegations"]] == [(str(orphan), "removed")]
    assert create(orphan) not in aces(directory)
    assert {create(foreign), create(of_windows)} < set(aces(directory))


# ---------------------------------------------------------------- rights and reach


def test_reuse_is_four_entries_for_computers_below_that_come_and_go(directory: FakeDirectory) -> None:
    done = delegate(directory, rights=["create_computer", "reuse_computer"])
    sid = done["delegations"][0]["sid"]
    assert [d["state"] for d in done["delegations"]] == ["added", "added"]
    below = "bf967a86-0de6-11d0-a285-00aa003049e2"
    assert done["delegations"][1]["aces"] == [
        f"(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;{below};{sid})",
        f"(OA;CIIO;WP;4c164200-20c0-11d0-a768-00aa006e0529;{below};{sid})",
        f"(OA;CIIO;SW;72e39547-7b18-11d1-adef-00c04fd8d5cd;{below};{sid})",
        f"(OA;CIIO;SW;f3a64788-5306-11d1-a9c5-0000f80367c1;{below};{sid})",
    ]
    assert len(aces(directory)) == 6
    assert not delegate(directory, rights=["reuse_computer"])["changed"]
    delegate(directory, rights=["reuse_computer", "create_computer"], state="absent")
    assert aces(directory) == (READ,)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rightsGuid": "00299570-246d-11d0-a768-00aa006e0520"},
        {"validAccesses": "8"},
        {"appliesTo": "bf967aba-0de6-11d0-a285-00aa003049e2"},
    ],
)
def test_a_right_that_this_directory_defines_otherwise_is_refused(
    directory: FakeDirectory, wrong: dict[str, str]
) -> None:
    directory.put(f"CN=Reset Password,{EXTENDED_RIGHTS}", **wrong)
    message = refusal(DirectoryError, directory, rights=["reuse_computer"])
    assert "check the extended right Reset Password" in message
    assert delegate(directory)["changed"], "the other rights do not depend on it"


def test_a_deny_for_a_group_that_the_account_is_in_is_an_error(directory: FakeDirectory) -> None:
    group = directory.account("no-joins", cls=("top", "group"))
    directory.unit(PILOT, AccessRule(False, 1, group, COMPUTER_CLASS).to_ace(), READ)
    assert delegate(directory)["changed"], "not in the group"
    directory.put(f"CN=msaODJab1cd,{MSA_CONTAINER}", tokenGroups=(group.to_bytes(),))
    directory.unit(PILOT, AccessRule(False, 1, group, COMPUTER_CLASS).to_ace(), READ)
    assert f";;{group})" in refusal(DelegationError, directory)


def test_groups_that_may_not_be_read_are_an_error_where_something_is_denied(directory: FakeDirectory) -> None:
    """What is denied to one of them would not be seen."""
    dn = f"CN=msaODJab1cd,{MSA_CONTAINER}"
    directory.put(dn, tokenGroups=())
    assert delegate(directory, NORTH)["changed"], "nothing is denied there"
    directory.unit(PILOT, AccessRule(False, 1, DOMAIN_SID.sibling(4711), COMPUTER_CLASS).to_ace(), READ)
    message = refusal(DirectoryError, directory, PILOT)
    assert "read the groups of the accounts (CONTOSO\\msaODJab1cd$)" in message
    assert not delegate(directory, state="absent")["changed"], "nor does it matter when a right is taken"
    directory.put(dn, primaryGroupID=())
    assert delegate(directory)["changed"], "a group may be in no other one"


@pytest.mark.parametrize("allow", [True, False])
def test_the_origin_of_an_inherited_entry_is_named(directory: FakeDirectory, allow: bool) -> None:
    sid = Sid.parse(delegate(directory, NORTH)["delegations"][0]["sid"])
    top, middle, low = f"OU=Top,{BASE}", f"OU=Middle,OU=Top,{BASE}", f"OU=Low,OU=Middle,OU=Top,{BASE}"
    rule = AccessRule(allow, 1, sid, COMPUTER_CLASS, flags=2)
    inherited = AccessRule(allow, 1, sid, COMPUTER_CLASS, flags=0x12).to_ace()
    directory.unit(top, rule.to_ace())
    directory.unit(middle, AccessRule(allow, 1, sid, COMPUTER_CLASS).to_ace(), inherited)  # its own goes no further
    directory.unit(low, inherited)
    if allow:
        (found,) = delegate(directory, low)["delegations"]
        assert (found["state"], found["inherited"], found["inherited_from"]) == ("present", True, top)
    else:
        assert f"inherited from {top}" in refusal(DelegationError, directory, low)


# ---------------------------------------------------------------- targets, order, options


def test_unusual_targets_are_refused_unless_named(directory: FakeDirectory) -> None:
    moved = f"OU=Controllers,{BASE}"
    for unit in (DOMAIN_CONTROLLERS, f"OU=Below,{DOMAIN_CONTROLLERS}", moved):
        directory.unit(unit, READ)
    holder = f"CN=AdminSDHolder,CN=System,{BASE}"
    directory.put(holder, objectClass=("top", "container"), nTSecurityDescriptor=(), sDRightsEffective="4")
    directory.put(
        BASE, nTSecurityDescriptor=directory.value(PILOT, "nTSecurityDescriptor") or b"", sDRightsEffective="4"
    )
    targets = [BASE, DOMAIN_CONTROLLERS.upper(), f"OU=Below,{DOMAIN_CONTROLLERS}", holder, MSA_CONTAINER]
    message = refusal(TargetError, directory, PILOT, *targets)
    for word in (
        "the root of the domain",
        "the container of the domain controllers",
        "AdminSDHolder",
        "of class container",
    ):
        assert word in message
    assert message.count("or below it") == 2
    assert PILOT not in message
    directory.put(BASE, wellKnownObjects=f"B:32:A361B2FFFFD211D1AA4B00C04FD7D83A:{moved}")
    assert f"{moved}: it is the container" in refusal(TargetError, directory, moved)
    done = delegate(directory, BASE, DOMAIN_CONTROLLERS, allow_unusual_targets=[BASE.lower(), DOMAIN_CONTROLLERS])
    assert len(done["plan"]["changes"]) == 2


def test_a_list_out_of_order_is_put_in_order_only_when_asked(directory: FakeDirectory) -> None:
    deny = AccessRule(False, 2, EVERYONE, COMPUTER_CLASS).to_ace()
    directory.unit(PILOT, READ, deny)
    assert "set canonicalize" in refusal(DelegationError, directory)
    done = delegate(directory, canonicalize=True)
    assert aces(directory)[:2] == (deny, READ)
    assert len(aces(directory)) == 3
    assert "its entries are put in canonical order" in done["plan"]["changes"][0]["summary"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"force": True}, "force"),
        ({"connector_accounts": ["SRV01"]}, "connector_accounts"),
        ({"allow_unusual_targets": ["Autopilot"]}, "allow_unusual_targets"),
        ({"connector_accounts": ["CONTOSO\\"], "state": "exact"}, "CONTOSO"),
        ({"state": "restored", "backup_path": "none.json"}, "accounts"),
        ({"state": "restored", "backup_path": "none.json", "accounts": None, "canonicalize": True}, "canonicalize"),
        ({"state": "restored", "backup_path": "none.json", "accounts": None, "purge_orphans": True}, "purge_orphans"),
    ],
)
def test_options_without_a_meaning_are_refused_before_contact(
    directory: FakeDirectory, options: dict[str, t.Any], named: str
) -> None:
    assert named in refusal(InvalidInput, directory, **options)
    assert directory.counts["search"] == 0
