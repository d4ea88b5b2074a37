# SPDX-License-Identifier: GPL-3.0-or-later
"""Denials that stand in the way of a delegation, and where entries come from, in a whole task."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import descriptors
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import COMPUTER_CLASS, DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

UNIT = f"OU=Low,OU=Middle,OU=Top,{BASE}"
READ = AccessRule(True, 0x20014, EVERYONE).to_ace()
USERS, AUTHENTICATED = Sid(5, (32, 545)), Sid(5, (11,))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here: there is nothing to wait for."""
    monkeypatch.setattr(descriptors, "SETTLE", 0.0)
    monkeypatch.setattr(descriptors, "SLOW", 0)


@pytest.fixture
def directory() -> FakeDirectory:
    fake = FakeDirectory()
    fake.account("msaODJab1cd$", cls=("top", "computer", "msDS-ManagedServiceAccount"), parent=MSA_CONTAINER)
    fake.unit(UNIT, READ)
    return fake


def delegate(directory: FakeDirectory, *units: str, **more: t.Any) -> dict[str, t.Any]:
    return run(ou_delegate, directory, organizational_units=list(units or (UNIT,)), accounts=["msaODJab1cd"], **more)


def test_a_deny_for_a_built_in_group_that_every_account_is_in_is_an_error(directory: FakeDirectory) -> None:
    """Nobody is a member of Users by name: Authenticated Users is, as a foreign security principal."""
    users = f"CN=Users,CN=Builtin,{BASE}"
    directory.put(users, objectClass=("top", "group"), objectSid=USERS.to_bytes(), sAMAccountName="Users")
    directory.unit(UNIT, AccessRule(False, 1, USERS, COMPUTER_CLASS).to_ace(), READ)
    assert delegate(directory)["changed"], "nobody is in the group yet"
    directory.put(f"CN=S-1-5-11,CN=ForeignSecurityPrincipals,{BASE}", objectSid=AUTHENTICATED.to_bytes(),
                  memberOf=users)  # fmt: skip
    directory.unit(UNIT, AccessRule(False, 1, USERS, COMPUTER_CLASS).to_ace(), READ)
    with pytest.raises(DelegationError, match=r";;BU\)"):
        delegate(directory)
    assert directory.counts["modify"] == 0


def test_an_entry_that_is_not_passed_on_is_not_where_an_inherited_one_comes_from(directory: FakeDirectory) -> None:
    sid = Sid.parse(delegate(directory)["delegations"][0]["sid"])
    top, middle = f"OU=Top,{BASE}", f"OU=Middle,OU=Top,{BASE}"
    directory.unit(top, AccessRule(True, 1, sid, COMPUTER_CLASS, flags=0x02).to_ace())
    inherited = AccessRule(True, 1, sid, COMPUTER_CLASS, flags=0x12).to_ace()
    directory.unit(middle, AccessRule(True, 1, sid, COMPUTER_CLASS).to_ace(), inherited)
    directory.unit(UNIT, inherited)
    (found,) = delegate(directory)["delegations"]
    assert (found["state"], found["inherited_from"]) == ("present", top)


def test_units_that_differ_in_more_than_case_are_two_units(directory: FakeDirectory) -> None:
    """Folding ß to ss made one of two units out of these, and the second one was left out without a word."""
    names = [f"OU=Straße,{BASE}", f"OU=Strasse,{BASE}"]
    for name in names:
        directory.unit(name, READ)
    done = delegate(directory, *names)
    assert [d["organizational_unit"] for d in done["delegations"]] == names
    assert directory.counts["modify"] == 2
