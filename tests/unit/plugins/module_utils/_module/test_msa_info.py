# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, msa_info
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    CONFIGURATION,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

KEYS = f"CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{CONFIGURATION}"


@pytest.fixture
def directory() -> FakeDirectory:
    fake = FakeDirectory()
    fake.account("ODJ01$", cls=COMPUTER_CHAIN)
    fake.account("msaODJpc$", cls=COMPUTER_CHAIN)
    run(msa, fake, name="msaODJab1cd", host="ODJ01")
    run(msa, fake, name="msaODJxy2zz")
    run(msa, fake, name="gmsaODJ", kind="group", dns_host_name="gmsaodj.contoso.test")
    return fake


def names(directory: FakeDirectory, **options: t.Any) -> list[str]:
    done = run(msa_info, directory, check=True, **options)
    assert not done["changed"]
    return [account["name"] for account in done["service_accounts"]]


def test_service_accounts_are_listed_and_computers_are_not(directory: FakeDirectory) -> None:
    assert names(directory) == ["gmsaODJ", "msaODJab1cd", "msaODJxy2zz"]
    assert directory.counts == {"bind": 1, "search": 3}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"names": ["MSAodj*"]}, ["msaODJab1cd", "msaODJxy2zz"]),
        ({"names": ["msaODJxy2zz$", "gmsa?DJ"]}, ["gmsaODJ", "msaODJxy2zz"]),
        ({"names": ["nobody"]}, []),
        ({"names": ["*"]}, ["gmsaODJ", "msaODJab1cd", "msaODJxy2zz"]),
        ({"kinds": ["group"]}, ["gmsaODJ"]),
        ({"orphans_only": True}, ["msaODJxy2zz"]),
        ({"path": MSA_CONTAINER}, ["gmsaODJ", "msaODJab1cd", "msaODJxy2zz"]),
        ({"path": f"CN=Users,{BASE}"}, []),
    ],
)
def test_filters(directory: FakeDirectory, options: dict[str, t.Any], found: list[str]) -> None:
    assert names(directory, **options) == found


def test_what_is_told_of_an_account(directory: FakeDirectory) -> None:
    directory.put(f"CN=msaODJab1cd,{MSA_CONTAINER}", pwdLastSet="134070552000000000", whenCreated="20261101120000.0Z",
                  userAccountControl="4098")  # fmt: skip
    done = run(msa_info, directory)
    group, linked, orphan = done["service_accounts"]
    assert linked["hosts"] == [f"CN=ODJ01,CN=Users,{BASE}"]
    assert (linked["orphan"], orphan["orphan"], group["orphan"]) == (False, True, False)
    assert (linked["enabled"], orphan["enabled"]) == (False, True)
    assert (linked["kind"], group["kind"]) == ("standalone", "group")
    assert linked["created"] == "2026-11-01T12:00:00Z"
    assert linked["password_last_set"] == "2025-11-08T06:00:00Z"
    assert linked["password_age_days"] == 380
    assert orphan["password_age_days"] is None
    assert linked["sid"].startswith("S-1-5-21-")
    assert done["orphans"] == ["msaODJxy2zz$"]


def test_the_root_key_is_told(directory: FakeDirectory) -> None:
    assert run(msa_info, directory)["kds_root_key"]["state"] == "unknown"
    directory.put(KEYS, objectClass=("top", "container"))
    directory.put(
        f"CN=1234,{KEYS}", objectClass=("top", "msKds-ProvRootKey"), **{"msKds-UseStartTime": "134070552000000000"}
    )
    assert run(msa_info, directory)["kds_root_key"]["state"] == "usable"
    assert run(msa_info, directory, kinds=["standalone"])["kds_root_key"] is None


@pytest.mark.parametrize(
    "options", [{"names": [""]}, {"names": ["a/b*"]}, {"names": ["x" * 16]}, {"path": "Users"}, {"kinds": []}]
)
def test_bad_options_are_refused_before_contact(directory: FakeDirectory, options: dict[str, t.Any]) -> None:
    with pytest.raises(InvalidInput):
        run(msa_info, directory, **options)
    assert directory.counts["search"] == 0
