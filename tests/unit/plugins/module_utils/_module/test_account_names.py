# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option that takes an account takes every way to name one: what one module returns, another one takes."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import (
    delegation_info,
    msa,
    msa_info,
    ou_delegate,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.service_accounts import GROUP, HOST, two_computers

UNIT = f"OU=Autopilot,{BASE}"
HERE = f"CN=msaODJab1cd,{MSA_CONTAINER}"
# "{}" stands for the SID of the account.
ACCOUNT = (
    "msaODJab1cd",
    "MSAODJAB1CD$",
    "CONTOSO\\msaODJab1cd$",
    "contoso.test\\msaODJab1cd",
    "msaODJab1cd$@contoso.test",
    f"cn=msaODJab1cd, {MSA_CONTAINER}",
    "{}",
)
COMPUTER = (
    "odj01",
    "ODJ01$",
    "CONTOSO\\odj01$",
    "CONTOSO\\odj01",
    "odj01$@contoso.test",
    "ODJ01.contoso.test",
    HOST,
    "{}",
)


@pytest.fixture
def directory() -> FakeDirectory:
    fake = two_computers()
    fake.unit(UNIT)
    run(msa, fake, name="msaODJab1cd", host="odj01")
    return fake


def sid(directory: FakeDirectory, dn: str) -> str:
    return str(Sid.from_bytes(directory.value(dn, "objectSid") or b""))


@pytest.mark.parametrize("name", ACCOUNT)
def test_a_service_account_that_exists_is_meant_by_every_name(directory: FakeDirectory, name: str) -> None:
    name = name.format(sid(directory, HERE))
    again = run(msa, directory, check=True, name=name)
    assert (again["changed"], again["service_account"]["dn"]) == (False, HERE)
    assert [found["name"] for found in run(msa_info, directory, names=[name])["service_accounts"]] == ["msaODJab1cd"]
    gone = run(msa, directory, name=name, state="absent", force=True)
    assert [change["target"] for change in gone["plan"]["changes"]] == [HERE]
    assert not run(msa, directory, name=name, state="absent")["changed"]
    assert run(msa_info, directory, names=[name])["service_accounts"] == []


@pytest.mark.parametrize("name", ACCOUNT)
def test_an_account_is_delegated_to_and_audited_by_every_name(directory: FakeDirectory, name: str) -> None:
    name = name.format(sid(directory, HERE))
    assert run(ou_delegate, directory, organizational_units=[UNIT], accounts=[name])["changed"]
    (access,) = run(delegation_info, directory, organizational_units=[UNIT], accounts=[name])["access"]
    assert (access["account"], access["can_create"]) == ("CONTOSO\\msaODJab1cd$", "true")


@pytest.mark.parametrize("name", COMPUTER)
@pytest.mark.parametrize(
    ("module", "options", "option"),
    [
        (msa, {"name": "msaODJab1cd"}, "host"),
        (msa, GROUP, "hosts"),
        (msa, GROUP, "readers"),
        (ou_delegate, {"organizational_units": [UNIT]}, "accounts"),
    ],
)
def test_a_computer_is_meant_by_every_name(
    directory: FakeDirectory, name: str, module: types.ModuleType, options: dict[str, t.Any], option: str
) -> None:
    """Whatever it is called the second time, nothing changes any more."""

    def named(text: str) -> dict[str, t.Any]:
        value = {"host": text, "accounts": [text]}.get(option, {"set": [text]})
        return run(module, directory, **{**options, option: value})

    named("odj01")
    again = named(name.format(sid(directory, HOST)))
    assert (again["changed"], len(again["plan"]["changes"])) == (False, 0)


@pytest.mark.parametrize("name", ["CONTOSO\\msaODJnew12$", "msaODJnew12@contoso.test", "msaODJnew12"])
def test_an_account_is_made_by_a_name_with_or_without_its_domain(directory: FakeDirectory, name: str) -> None:
    assert run(msa, directory, name=name)["service_account"]["sam_account_name"] == "msaODJnew12$"


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("FABRIKAM\\msaODJab1cd$", DirectoryError, "this domain controller holds CONTOSO (contoso.test), not FABRIKAM"),
        ("msaODJab1cd@fabrikam.test", DirectoryError, "not fabrikam.test"),
        ("S-1-5-21-1-2-3-9999", ServiceAccountError, "there is no such account"),
        (f"CN=msaODJnew12,{MSA_CONTAINER}", ServiceAccountError, "give the sAMAccountName that it is to have"),
        (UNIT, ServiceAccountError, "it is of class organizationalUnit"),
        (HOST, ServiceAccountError, "it is of class computer"),
        ("CONTOSO\\name-that-is-too-long", InvalidInput, "1 to 15 characters"),
        ("\\msaODJab1cd$", InvalidInput, "name"),
    ],
)
def test_a_name_that_means_nothing_changes_nothing(
    directory: FakeDirectory, name: str, kind: type[OdjError], said: str
) -> None:
    with pytest.raises(kind) as caught:
        run(msa, directory, name=name)
    assert said in str(caught.value)
    assert not {"add", "modify", "delete"} & set(directory.counts)


def test_patterns_may_carry_a_domain(directory: FakeDirectory) -> None:
    for pattern, count in (("CONTOSO\\msaODJ*", 1), ("msaODJ?????$@contoso.test", 1), ("FABRIKAM\\*", 0)):
        assert len(run(msa_info, directory, names=[pattern])["service_accounts"]) == count
