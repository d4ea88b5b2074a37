# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed service accounts in a real directory: links, readers, root keys, and what goes with an account."""

from __future__ import annotations

import datetime
import secrets
import stat
import typing as t
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import READ_PROPERTY, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.windows_time import to_filetime
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, msa_info, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import audit
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

TREE_DELETE = ("1.2.840.113556.1.4.805", True, None)
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def group(domain: Domain, name: str) -> dict[str, t.Any]:
    """Return the options of a group account."""
    return {"name": name, "kind": "group", "dns_host_name": f"{name}.{domain.name}"}


@pytest.fixture
def key_starts(
    domain: Domain, administrator: ldap3.Connection, root_keys: dict[str, bytes]
) -> Iterator[Callable[[datetime.datetime], None]]:
    """Let the directory's KDS root key start at another time; a server that has none gets one for that while."""
    service = f"CN=Group Key Distribution Service,CN=Services,CN=Configuration,{domain.base_dn}"
    keys = list(root_keys) or [place_root_key(domain, administrator, service)]

    def put(starts: Mapping[str, bytes | int]) -> None:
        for key, start in starts.items():
            administrator.modify(key, t.cast(t.Any, {"msKds-UseStartTime": [(ldap3.MODIFY_REPLACE, [start])]}))

    yield lambda moment: put(dict.fromkeys(keys, to_filetime(moment)))
    put(root_keys)
    if not root_keys:
        administrator.delete(service, controls=[TREE_DELETE])


def place_root_key(domain: Domain, administrator: ldap3.Connection, service: str) -> str:
    """Make a key that starts now, with the containers above it, where Active Directory has them; return its DN."""
    place = f"CN=Master Root Keys,{service}"
    for container in (service, place):
        administrator.add(container, "container")
    values = {
        "msKds-CreateTime": to_filetime(NOW),
        "msKds-UseStartTime": to_filetime(NOW),
        "msKds-RootKeyData": b"\0" * 64,
        "msKds-DomainID": domain.base_dn,
        "msKds-Version": 1,
        "msKds-KDFAlgorithmID": "SP800_108_CTR_HMAC",
        "msKds-SecretAgreementAlgorithmID": "DH",
        "msKds-PublicKeyLength": 2048,
        "msKds-PrivateKeyLength": 512,
    }
    key = f"CN={secrets.token_hex(8)},{place}"
    administrator.add(key, "msKds-ProvRootKey", values)
    return key


def stored(administrator: ldap3.Connection, domain: Domain, name: str, attribute: str) -> list[bytes]:
    entry = lab_directory.find(administrator, domain, f"{name}$", attribute)
    assert entry is not None
    return t.cast("list[bytes]", entry["raw_attributes"][attribute])


def test_an_account_is_made_as_microsoft_describes_it(
    domain: Domain, task: Task, name: str, administrator: ldap3.Connection
) -> None:
    done = task(msa, name=name, dns_host_name=f"{name}.{domain.name}")
    assert done["service_account"]["dn"] == f"CN={name},{domain.msa_container}"
    expected = {
        "msDS-SupportedEncryptionTypes": b"24",
        "userAccountControl": b"4096",
        "sAMAccountName": f"{name}$".encode(),
        "dNSHostName": f"{name}.{domain.name}".encode(),
        "objectCategory": f"CN=ms-DS-Managed-Service-Account,CN=Schema,CN=Configuration,{domain.base_dn}".encode(),
    }
    assert {key: stored(administrator, domain, name, key)[0] for key in expected} == expected


def test_links_are_added_moved_and_taken_away(domain: Domain, task: Task, name: str, power: dict[str, str]) -> None:
    one, two = (domain.computer_dn(server) for server in ("odj01", "odj02"))

    def hosts(**options: t.Any) -> list[str]:
        planned, done = task(msa, check=True, name=name, **options, **power), task(msa, name=name, **options, **power)
        assert planned["plan"] == done["plan"]
        assert not task(msa, name=name, **options, **power)["changed"]
        return t.cast("list[str]", done["service_account"]["hosts"])

    assert hosts(hosts={"add": [f"odj01.{domain.name}"]}) == [one]
    with pytest.raises(ServiceAccountError, match="linked to CN=ODJ01"):
        task(msa, name=name, hosts={"add": ["odj02"]}, **power)
    assert hosts(hosts={"add": ["ODJ02$"], "remove": [one.lower()]}) == [two]
    assert hosts(host="odj01", force=True) == [one]
    with pytest.raises(ServiceAccountError, match="linked to CN=ODJ01"):
        task(msa, name=name, state="absent")
    assert hosts(hosts={"set": []}) == []
    assert task(msa, name=name, state="absent")["changed"]


def test_a_forced_removal_leaves_no_link(
    domain: Domain, task: Task, name: str, power: dict[str, str], administrator: ldap3.Connection
) -> None:
    def links() -> list[bytes]:
        entry = lab_directory.find(administrator, domain, "ODJ01$", "msDS-HostServiceAccount")
        assert entry is not None
        return t.cast("list[bytes]", entry["raw_attributes"]["msDS-HostServiceAccount"])

    before = links()
    task(msa, name=name, host="odj01", **power)
    assert len(links()) == len(before) + 1
    assert task(msa, name=name, state="absent", force=True)["changed"]
    assert links() == before


def test_a_service_account_is_never_taken_for_a_computer(
    domain: Domain,
    task: Task,
    name: str,
    power: dict[str, str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
) -> None:
    trap, other = accounts
    fqdn = f"odj01.{domain.name}"
    trap_dn = f"CN={trap},{domain.msa_container}"
    administrator.modify(trap_dn, {"dNSHostName": [(ldap3.MODIFY_REPLACE, [fqdn])]})
    administrator.search(domain.base_dn, f"(&(objectClass=computer)(dNSHostName={fqdn}))", attributes=["cn"])
    assert len(acl.responses(administrator)) == 2, "the trap is set"
    assert task(msa, name=name, host=fqdn, **power)["service_account"]["hosts"] == [domain.computer_dn("odj01")]
    for wrong in (trap, f"{trap}$", trap_dn):
        with pytest.raises(DirectoryError, match="there is no such computer"):
            task(msa, name=name, hosts={"add": [wrong]}, **power)
    listed = {account["name"] for account in task(msa_info)["service_accounts"]}
    administrator.search(domain.base_dn, "(objectClass=computer)", attributes=["sAMAccountName"])
    names = [entry["raw_attributes"]["sAMAccountName"][0].decode() for entry in acl.responses(administrator)]
    of_class = {name.removesuffix("$") for name in names}
    assert {trap, other, name} <= listed < of_class
    assert not {"ODJ01", "ODJ02", "ODJ03", "DC1"} & listed


def test_readers_come_and_go_and_other_entries_stay(
    domain: Domain, task: Task, group: dict[str, t.Any], power: dict[str, str], administrator: ldap3.Connection
) -> None:
    attribute = "msDS-GroupMSAMembership"
    made = task(msa, **group, readers={"add": [domain.computer_dn("odj01"), "odj-ou-admins"]})
    assert [remark.partition(" ")[0] for remark in made["remarks"]] == [f"{domain.netbios}\\ODJ01$"]
    deny = AccessRule(
        False, READ_PROPERTY, Sid.from_bytes(lab_directory.sid_of(administrator, domain, "ODJ03$"))
    ).to_ace()
    before = stored(administrator, domain, group["name"], attribute)[0]
    changed = acl.with_entry(before, deny)
    administrator.modify(made["service_account"]["dn"], {attribute: [(ldap3.MODIFY_REPLACE, [changed])]})
    edit = {"add": ["ODJ02$"], "remove": ["odj01"]}
    planned, done = task(msa, check=True, **group, readers=edit, **power), task(msa, **group, readers=edit, **power)
    assert (planned["plan"], planned["diff"]) == (done["plan"], done["diff"])
    assert not task(msa, **group, readers=edit, **power)["changed"]
    sids = [
        str(Sid.from_bytes(lab_directory.sid_of(administrator, domain, who))) for who in ("odj-ou-admins", "ODJ02$")
    ]
    assert done["service_account"]["allowed_readers"] == sids
    assert deny in stored(administrator, domain, group["name"], attribute)[0]
    with pytest.raises(ServiceAccountError, match=r"CONTOSO\\ODJ03\$ read the password.*denies it"):
        task(msa, **group, readers={"add": ["odj03"]}, **power)


def test_the_ten_hours_of_a_root_key(
    task: Task,
    group: dict[str, t.Any],
    power: dict[str, str],
    root_keys: dict[str, bytes],
    key_starts: Callable[[datetime.datetime], None],
) -> None:
    key_starts(NOW - datetime.timedelta(hours=9))
    with pytest.raises(ServiceAccountError, match=r"may be used from .* Nothing was written"):
        task(msa, **group, **power)
    unseen = task(msa, check=True, **group)
    assert unseen["kds_root_key"]["state"] == "unknown", "only administrators may read a root key"
    assert unseen["warnings"]
    with pytest.raises(ServiceAccountError, match="require_kds_root_key"):
        task(msa, **group, require_kds_root_key=True)
    if root_keys:
        with pytest.raises(DirectoryError, match=r"8009000D.* KDS root key, which can be used from 10 hours after"):
            task(msa, **group)
    key_starts(NOW - datetime.timedelta(hours=11))
    assert task(msa_info, **power)["kds_root_key"]["state"] == "usable"
    done = task(msa, **group, require_kds_root_key=True, **power)
    assert (done["changed"], done["kds_root_key"]["state"]) == (True, "usable")


def test_the_root_key_that_the_server_has(
    task: Task, group: dict[str, t.Any], power: dict[str, str], root_keys: dict[str, bytes]
) -> None:
    """Samba 4.22 makes one at its first start that could be used ten hours ago already; an older one has none."""
    told = task(msa_info, **power)["kds_root_key"]
    assert told["state"] == ("usable" if root_keys else "unknown"), told
    assert [key for key in root_keys if key.partition(",")[0].removeprefix("CN=") in told["reason"]] == list(root_keys)
    done = task(msa, check=True, **group, **power)
    assert done["kds_root_key"] == told
    assert bool(done.get("warnings")) is not bool(root_keys)


def test_an_account_takes_its_entries_along_with_the_right_to_write_the_lists_alone(
    domain: Domain,
    task: Task,
    name: str,
    units: list[str],
    whole_descriptor: Callable[[str], bytes],
    administrator: ldap3.Connection,
    tmp_path: Path,
) -> None:
    path, before = tmp_path / "points.json", [whole_descriptor(unit) for unit in units]
    sid = task(msa, name=name)["service_account"]["sid"]
    task(ou_delegate, organizational_units=units[:2], accounts=[f"{name}$"])
    acl.grant(administrator, units[0], acl.allow(Sid.parse(sid).to_bytes(), acl.WRITE_PROPERTY))
    delegated = [whole_descriptor(unit) for unit in units]
    gone: dict[str, t.Any] = {
        "name": name, "state": "absent", "remove_delegations": units[:2], "backup_path": str(path),
    }  # fmt: skip
    planned, done = task(msa, check=True, **gone), task(msa, **gone)
    assert planned["plan"] == done["plan"]
    assert [change["action"] for change in done["plan"]["changes"]] == ["replace_dacl", "replace_dacl", "delete"]
    assert [whole_descriptor(unit) for unit in units] == before
    assert not task(msa, **gone)["changed"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    task(ou_delegate, organizational_units=units[:2], state="restored", backup_path=str(path))
    assert [whole_descriptor(unit) for unit in units] == delegated, "and the entries are those of an orphaned SID"


def test_an_account_stays_when_an_entry_of_it_cannot_go(
    domain: Domain, task: Task, name: str, units: list[str], administrator: ldap3.Connection
) -> None:
    sid = task(msa, name=name)["service_account"]["sid"]
    for unit in (units[0], units[2]):
        acl.grant(administrator, unit, acl.allow(Sid.parse(sid).to_bytes(), acl.WRITE_PROPERTY))
    with pytest.raises(TargetError, match="may not write them") as caught:
        task(msa, name=name, state="absent", remove_delegations=[units[0], units[2]])
    assert caught.value.on == units[2]
    assert sid in audit.descriptor(domain, units[0])
    assert not task(msa, name=name)["changed"]


def test_what_is_told_of_accounts(
    domain: Domain, task: Task, name: str, power: dict[str, str], administrator: ldap3.Connection
) -> None:
    task(msa, name=name, enabled=False, kerberos_encryption_types=["rc4", "aes256"])
    (bare,) = task(msa_info, names=[name])["service_accounts"]
    assert (bare["orphan"], bare["enabled"], bare["password_last_set"]) == (True, False, None)
    assert bare["kerberos_encryption_types"] == ["rc4", "aes256"]
    administrator.modify(bare["dn"], {"unicodePwd": [(ldap3.MODIFY_REPLACE, [lab_directory.quoted("Xy12345678aA1!")])]})
    stays = task(msa, name=name, host="odj02", **power)
    assert (stays["service_account"]["enabled"], len(stays["remarks"])) == (False, 1)
    task(msa, name=name, enabled=True, **power)
    asked = task(msa_info, names=[f"{name.upper()[:-2]}*"], kinds=["standalone"])
    (told,) = [account for account in asked["service_accounts"] if account["name"] == name]
    assert (told["orphan"], told["enabled"], told["password_age_days"]) == (False, True, 0)
    assert told["hosts"] == [domain.computer_dn("odj02")]
    assert f"{name}$" not in task(msa_info, orphans_only=True)["orphans"]
    assert asked["directory"]["operations"] == {"bind": 1, "search": 2, "modify": 0, "add": 0, "delete": 0}
    with pytest.raises(DirectoryError, match=r"\(32\)"):
        task(msa_info, path=f"OU=None,{domain.base_dn}")
