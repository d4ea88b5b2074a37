# SPDX-License-Identifier: GPL-3.0-or-later
"""What a whole task finds in the way of a delegation, and which names it takes for the same."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import MalformedDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info
from ansible_collections.hybridjoin.odj.tests.unit.fakes import delegation as fakes
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import ACCOUNT, MSA, READ
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

UNIT = f"OU=Low,OU=Middle,OU=Top,{BASE}"
USERS, AUTHENTICATED = Sid(5, (32, 545)), Sid(5, (11,))


@pytest.fixture
def directory() -> FakeDirectory:
    fake = FakeDirectory()
    fake.account(f"{ACCOUNT}$", cls=MSA, parent=MSA_CONTAINER)
    fake.unit(UNIT, READ)
    return fake


def delegate(directory: FakeDirectory, *units: str, **more: t.Any) -> dict[str, t.Any]:
    return fakes.delegate(directory, *(units or (UNIT,)), **more)


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


def test_units_that_differ_in_more_than_case_are_two_units(directory: FakeDirectory) -> None:
    """Folding ß to ss made one of two units out of these, and the second one was left out without a word."""
    names = [f"OU=Straße,{BASE}", f"OU=Strasse,{BASE}"]
    for name in names:
        directory.unit(name, READ)
    done = delegate(directory, *names)
    assert [d["organizational_unit"] for d in done["delegations"]] == names
    assert directory.counts["modify"] == 2


def test_the_logon_name_of_one_account_and_the_name_of_another_is_nobodys_name(directory: FakeDirectory) -> None:
    """Who may choose a userPrincipalName could have got the right of the service account by choosing its name."""
    directory.account("mallory")
    directory.put(f"CN=mallory,CN=Users,{BASE}", userPrincipalName="msaODJab1cd$@contoso.test")
    with pytest.raises(DirectoryError, match="more than one account") as caught:
        delegate(directory, accounts=["msaODJab1cd$@contoso.test"])
    assert {"CN=mallory" in str(caught.value), "CN=msaODJab1cd" in str(caught.value)} == {True}
    assert directory.counts["modify"] == 0


def test_a_descriptor_that_is_malformed_is_named_with_its_unit(directory: FakeDirectory) -> None:
    other = directory.unit(f"OU=Other,{BASE}", READ)
    directory.put(UNIT, nTSecurityDescriptor=b"\1\0\4\x80")
    with pytest.raises(MalformedDescriptor, match=r"Low.*shorter than its header"):
        delegate(directory, other, UNIT)
    with pytest.raises(MalformedDescriptor, match=r"Low.*shorter than its header"):
        run(delegation_info, directory, check=True, organizational_units=[UNIT])


def test_a_list_that_is_full_is_found_before_the_first_write(directory: FakeDirectory) -> None:
    other = directory.unit(f"OU=Other,{BASE}", READ)
    strangers = (Sid(5, (21, 1, 2, 3, number)) for number in range(10_000, 11_820))
    directory.unit(UNIT, *(AccessRule(True, 0x10, sid).to_ace() for sid in strangers))
    with pytest.raises(MalformedDescriptor, match=r"Low.*larger than 64 KiB"):
        delegate(directory, other, UNIT)
    assert directory.counts["modify"] == 0
