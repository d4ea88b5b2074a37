# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights in a real directory: each lets do what it says, where it says, and no entry of it is superfluous."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.product.provision import Order, Refused, by_net, offline_join
from odj_lab.settings import Domain

Descriptor = Callable[[str], bytes]


def new_name() -> str:
    return f"T{secrets.token_hex(4).upper()}"


def join_again(domain: Domain, order: Order) -> int:
    """Join with a computer account that is there already, as the account of the order; return the exit code."""
    return offline_join(domain, order, "reuse").returncode


@pytest.mark.parametrize("applies_to", ["this_object", "subtree"])
def test_an_offline_join_works_in_each_allowed_unit_and_in_no_other(
    domain: Domain,
    task: Task,
    units: list[str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
    applies_to: str,
) -> None:
    account, password = next(iter(accounts.items()))
    below = f"OU=Below,{units[0]}"
    administrator.add(below, "organizationalUnit")
    task(ou_delegate, organizational_units=units[:2], accounts=[account], applies_to=applies_to)
    outcome = {}
    for unit in (units[0], units[1], below, units[2], ""):
        try:
            by_net(domain, Order(new_name(), unit, account, password))
            outcome[unit] = "joined"
        except Refused as problem:
            outcome[unit] = "denied" if problem.denied else str(problem)
    child = "joined" if applies_to == "subtree" else "denied"
    assert list(outcome.values()) == ["joined", "joined", child, "denied", "denied"]


def test_each_entry_of_reuse_computer_is_necessary_and_all_of_them_are_enough(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    account, password = next(iter(accounts.items()))
    sid = Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{account}$"))
    parts = [part.rule(sid, subtree=False).to_ace() for part in RIGHTS["reuse_computer"].parts]
    codes = []
    for number in range(len(parts)):
        unit = f"OU=Less {number},{units[0]}"
        administrator.add(unit, "organizationalUnit")
        acl.grant(administrator, unit, *(ace for index, ace in enumerate(parts) if index != number))
        codes.append(join_again(domain, made_by_others(administrator, unit, account, password)))
    assert 0 not in codes
    order = made_by_others(administrator, units[1], account, password)
    assert join_again(domain, order) != 0
    task(ou_delegate, organizational_units=[units[1]], accounts=[account], rights=["reuse_computer"])
    assert join_again(domain, order) == 0


def test_who_may_write_the_attribute_itself_needs_no_validated_write(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    account, password = next(iter(accounts.items()))
    sid = Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{account}$"))
    ways = [part.ways[-1] for part in RIGHTS["reuse_computer"].parts]
    assert [way.mask for way in ways] == [0x100, 0x20, 0x20, 0x20]
    acl.grant(administrator, units[0], *(way.rule(sid, subtree=False).to_ace() for way in ways))
    assert join_again(domain, made_by_others(administrator, units[0], account, password)) == 0
    done = task(ou_delegate, organizational_units=[units[0]], accounts=[account], rights=["reuse_computer"])
    assert (done["changed"], done["delegations"][0]["broader"]) == (False, True)


def made_by_others(administrator: ldap3.Connection, unit: str, account: str, password: str) -> Order:
    """Make a computer as an administrator, who owns it then, and return the order that joins with it again."""
    name = new_name()
    administrator.add(
        f"CN={name},{unit}", "computer", {"sAMAccountName": f"{name}$", "userAccountControl": 4096, "location": "x"}
    )
    return Order(name, unit, account, password)


@pytest.mark.parametrize("applies_to", ["this_object", "subtree"])
def test_delete_computer_is_for_computers_there(
    domain: Domain,
    task: Task,
    opened: Open,
    units: list[str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
    applies_to: str,
) -> None:
    account, password = next(iter(accounts.items()))
    below = f"OU=Below,{units[0]}"
    administrator.add(below, "organizationalUnit")
    targets = [made_by_others(administrator, unit, account, password) for unit in (units[0], below, units[2])]
    administrator.add(f"CN=c,{units[0]}", "container")
    names = [*(f"CN={order.name},{order.unit}" for order in targets), f"CN=c,{units[0]}"]
    task(ou_delegate, organizational_units=units[:1], accounts=[account], rights=["delete_computer"],
         applies_to=applies_to)  # fmt: skip
    outcome: list[int | None] = []
    with opened(username=f"{domain.netbios}\\{account}$", password=password) as directory:
        for name in names:
            try:
                directory.delete(name)
                outcome.append(0)
            except DirectoryError as problem:
                outcome.append(problem.code)
    assert outcome == [0, 0 if applies_to == "subtree" else 50, 50, 50]


@pytest.mark.parametrize("applies_to", ["this_object", "subtree"])
def test_all_rights_come_and_go_byte_for_byte(
    task: Task, units: list[str], accounts: dict[str, str], whole_descriptor: Descriptor, applies_to: str
) -> None:
    before = [whole_descriptor(unit) for unit in units]
    wish = {
        "organizational_units": units[:2], "accounts": list(accounts), "rights": list(RIGHTS), "applies_to": applies_to,
    }  # fmt: skip
    planned = task(ou_delegate, check=True, **wish)
    assert [whole_descriptor(unit) for unit in units] == before
    done = task(ou_delegate, **wish)
    assert [d["state"] for d in done["delegations"]] == ["added"] * 12
    assert all(planned[key] == done[key] for key in ("changed", "diff", "plan", "delegations"))
    again = task(ou_delegate, **wish)
    assert (again["changed"], again["directory"]["operations"]["modify"]) == (False, 0)
    assert not any(d["broader"] for d in again["delegations"])
    task(ou_delegate, state="absent", **wish)
    assert [whole_descriptor(unit) for unit in units] == before
