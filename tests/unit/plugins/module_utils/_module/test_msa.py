# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import readers_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.service_accounts import GROUP, HOST, OTHER, two_computers

HERE = f"CN=msaODJ1,{MSA_CONTAINER}"


@pytest.fixture
def directory() -> FakeDirectory:
    return two_computers()


def account(directory: FakeDirectory, **options: t.Any) -> dict[str, t.Any]:
    return run(msa, directory, **{"name": "msaODJ1", **options})


def refusal(error: type[OdjError], directory: FakeDirectory, **options: t.Any) -> str:
    with pytest.raises(error) as caught:
        account(directory, **options)
    assert not {"add", "modify", "delete"} & set(directory.counts)
    return str(caught.value)


def test_a_standalone_account_is_made_as_described_and_then_left_alone(directory: FakeDirectory) -> None:
    done = account(directory, name="msaODJ1$", description="for odj01")
    assert done["changed"]
    assert done["service_account"]["dn"] == HERE
    assert done["service_account"]["kerberos_encryption_types"] == ["aes128", "aes256"]
    assert done["service_account"]["enabled"]
    assert directory.value(HERE, "msDS-SupportedEncryptionTypes") == b"24"
    assert directory.value(HERE, "userAccountControl") == b"4096"
    assert directory.value(HERE, "sAMAccountName") == b"msaODJ1$"
    assert directory.value(HERE, "msDS-ManagedPasswordInterval") is None
    assert done["diff"][0]["before"] == ""
    assert "description: for odj01\n" in done["diff"][0]["after"]
    again = account(directory)
    assert not again["changed"]
    assert again["service_account"] == done["service_account"]
    assert again["directory"]["operations"] == {"bind": 1, "search": 2, "modify": 0, "add": 0, "delete": 0}


def test_a_group_account_and_its_readers(directory: FakeDirectory) -> None:
    assert "no dns_host_name" in refusal(InvalidInput, directory, **{**GROUP, "dns_host_name": None})
    done = account(directory, **GROUP, allowed_readers=["ODJ02", "odj01"], managed_password_interval_days=7)
    assert done["service_account"]["managed_password_interval_days"] == 7
    stored = readers_in(directory.value(f"CN=gmsaODJ,{MSA_CONTAINER}", "msDS-GroupMSAMembership") or b"")
    assert [str(sid) for sid in stored] == done["service_account"]["allowed_readers"]
    assert len(stored) == 2
    assert not account(directory, **GROUP, allowed_readers=["ODJ01$", "ODJ02$"])["changed"]
    assert not account(directory, **GROUP)["changed"]
    fewer = account(directory, **GROUP, allowed_readers=["odj01"])
    assert len(fewer["service_account"]["allowed_readers"]) == 1
    assert "CONTOSO\\ODJ01$\n" in fewer["diff"][0]["after"]
    assert account(directory, **GROUP, allowed_readers=[])["service_account"]["allowed_readers"] == []


def test_only_what_differs_is_written(directory: FakeDirectory) -> None:
    account(directory, description="a")
    directory.put(HERE, userAccountControl="528384")  # 0x81000: another flag that is not ours
    done = account(directory, enabled=False)
    assert done["diff"] == [
        {"before_header": HERE, "after_header": HERE, "before": "userAccountControl: 528384\n",
         "after": "userAccountControl: 528386\n"}
    ]  # fmt: skip
    assert not done["service_account"]["enabled"]
    cleared = account(directory, enabled=False, description="")
    assert cleared["service_account"]["description"] == ""
    assert not account(directory, enabled=False, description="")["changed"]


@pytest.mark.parametrize("host", ["odj01", "ODJ01$", "odj01.contoso.test", HOST.lower()])
def test_a_standalone_account_is_linked_to_one_computer(directory: FakeDirectory, host: str) -> None:
    done = account(directory, host=host)
    assert done["service_account"]["hosts"] == [HOST]
    assert [change["action"] for change in done["plan"]["changes"]] == ["create", "link_host"]
    assert not account(directory, host=host)["changed"]
    assert not account(directory)["changed"]
    assert OTHER not in (message := refusal(ServiceAccountError, directory, host="odj02"))
    assert HOST in message
    moved = account(directory, host="odj02", force=True)
    assert moved["service_account"]["hosts"] == [OTHER]


def test_a_managed_service_account_is_never_taken_for_a_computer(directory: FakeDirectory) -> None:
    account(directory, name="msaODJ2")
    assert "there is no such computer" in refusal(DirectoryError, directory, host="msaODJ2")


def test_absent_is_refused_while_a_host_is_linked(directory: FakeDirectory) -> None:
    account(directory, host="odj01")
    assert HOST in refusal(ServiceAccountError, directory, state="absent")
    done = account(directory, state="absent", force=True)
    assert done["changed"]
    assert done["service_account"] == {"exists": False, "name": "msaODJ1", "kind": "standalone"}
    assert not account(directory, state="absent")["changed"]


def test_the_wrong_kind_class_or_place_is_refused(directory: FakeDirectory) -> None:
    account(directory)
    group = {"kind": "group", "dns_host_name": "x"}
    assert "it exists as a standalone one" in refusal(ServiceAccountError, directory, **group)
    assert "it is a standalone one" in refusal(ServiceAccountError, directory, kind="group", state="absent")
    assert "of class computer" in refusal(ServiceAccountError, directory, name="ODJ01")
    assert "in another place" in refusal(ServiceAccountError, directory, path=f"CN=Users,{BASE}")
    missing = refusal(DirectoryError, directory, name="new", path=f"OU=None,{BASE}")
    assert f"OU=None,{BASE}" in missing


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"name": "a" * 16}, "a" * 16),
        ({"host": "x", **GROUP}, "host"),
        ({"allowed_readers": ["x"]}, "allowed_readers"),
        ({"path": "Users"}, "Users"),
        ({"host": "CN=x,"}, "CN=x,"),
        ({**GROUP, "allowed_readers": ["a\\"]}, "a\\"),
        ({"managed_password_interval_days": 0}, "managed_password_interval_days"),
    ],
)
def test_bad_options_are_refused_before_contact(
    directory: FakeDirectory, options: dict[str, t.Any], named: str
) -> None:
    assert named in refusal(InvalidInput, directory, **options)
    assert directory.counts["search"] == 0


@pytest.mark.parametrize("options", [{"host": "odj01"}, GROUP, {"enabled": False}])
def test_check_mode_plans_the_same_and_writes_nothing(directory: FakeDirectory, options: dict[str, t.Any]) -> None:
    planned = account(directory, check=True, **options)
    assert not planned["service_account"]["exists"]
    done = account(directory, **options)
    assert (planned["plan"], planned["diff"], planned["changed"]) == (done["plan"], done["diff"], True)
