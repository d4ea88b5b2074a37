# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights that are there already in a real directory, by a broader entry or from above: told, and left as they are."""

from __future__ import annotations

from collections.abc import Callable

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    FULL_CONTROL,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_rights import DELETE_CHILD
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

Descriptor = Callable[[str], bytes]


@pytest.fixture
def sid(domain: Domain, administrator: ldap3.Connection, accounts: dict[str, str]) -> Sid:
    return Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{next(iter(accounts))}$"))


@pytest.mark.parametrize(
    ("mask", "kind", "flags", "right", "left_by_absent"),
    [
        (FULL_CONTROL, None, 0, "create_computer", "present"),
        (CREATE_CHILD, None, 0, "create_computer", "present"),
        (CREATE_CHILD | DELETE_CHILD, COMPUTER_CLASS, 0, "create_computer", "removed"),
        (CREATE_CHILD, COMPUTER_CLASS, CONTAINER_INHERIT, "create_computer", "present"),
        (CREATE_CHILD | DELETE_CHILD, COMPUTER_CLASS, 0, "delete_computer", "removed"),
        (FULL_CONTROL, None, CONTAINER_INHERIT, "reuse_computer", "present"),
    ],
)
def test_a_broader_entry_counts_as_there_and_is_told(
    task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection,
    whole_descriptor: Descriptor, sid: Sid, mask: int, kind: object, flags: int, right: str, left_by_absent: str,
) -> None:  # fmt: skip
    wish = {"organizational_units": units[:1], "accounts": [next(iter(accounts))], "rights": [right]}
    entry = AccessRule(True, mask, sid, COMPUTER_CLASS if kind else None, flags=flags).to_ace()
    acl.grant(administrator, units[0], entry)
    before = whole_descriptor(units[0])
    (found,) = task(ou_delegate, **wish)["delegations"]
    assert (found["state"], found["broader"], found["inherited"]) == ("present", True, False)
    assert set(found["aces"]) == {ace_to_sddl(entry)}
    assert whole_descriptor(units[0]) == before
    (gone,) = task(ou_delegate, state="absent", **wish)["delegations"]
    assert gone["state"] == left_by_absent
    assert (whole_descriptor(units[0]) == before) == (left_by_absent == "present")
    assert gone["broader"] == (left_by_absent == "present")


@pytest.mark.parametrize("state", ["present", "absent", "exact"])
def test_an_inherited_entry_is_never_edited_and_its_origin_is_named(
    task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection,
    whole_descriptor: Descriptor, sid: Sid, state: str,
) -> None:  # fmt: skip
    """Between the origin and the unit is one that has the right for itself alone: that is not where it comes from."""
    middle, low = f"OU=Middle,{units[0]}", f"OU=Low,OU=Middle,{units[0]}"
    inheritable = AccessRule(True, CREATE_CHILD, sid, COMPUTER_CLASS, flags=CONTAINER_INHERIT).to_ace()
    acl.grant(administrator, units[0], inheritable)
    for dn in (middle, low):
        administrator.add(dn, "organizationalUnit")
    acl.grant(administrator, middle, AccessRule(True, CREATE_CHILD, sid, COMPUTER_CLASS).to_ace())
    before = [whole_descriptor(dn) for dn in (units[0], middle, low)]
    done = task(ou_delegate, organizational_units=[low], accounts=[next(iter(accounts))], state=state)
    (found,) = done["delegations"]
    assert (done["changed"], found["state"], found["inherited"]) == (False, "present", True)
    assert found["inherited_from"] == units[0]
    assert [whole_descriptor(dn) for dn in (units[0], middle, low)] == before


def test_the_entries_of_a_merged_one_that_are_others_stay(
    task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection,
    whole_descriptor: Descriptor, sid: Sid,
) -> None:  # fmt: skip
    """Active Directory merges entries of one account for one class: of it, only the right that is named goes."""
    merged = AccessRule(True, CREATE_CHILD | DELETE_CHILD, sid, COMPUTER_CLASS).to_ace()
    acl.grant(administrator, units[0], merged)
    task(ou_delegate, organizational_units=units[:1], accounts=[next(iter(accounts))], state="absent")
    after = SecurityDescriptor.parse(whole_descriptor(units[0])).dacl
    assert after is not None
    mine = [ace_to_sddl(ace) for ace in after.aces if sid.to_bytes() in ace]
    assert mine == [f"(OA;;DC;{COMPUTER_CLASS};;{sid})"]
