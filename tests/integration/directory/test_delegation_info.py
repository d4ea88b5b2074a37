# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of delegations in a real directory: each peer's trap, told with cause and cure, by an ordinary account."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Callable

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import audit
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

COMPUTER = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2")
Grant: t.TypeAlias = Callable[..., None]


@pytest.fixture
def grant(administrator: ldap3.Connection) -> Grant:
    """Put one entry to the front of what is allowed on an object."""

    def put(
        dn: str, sid: bytes, mask: int, kind: uuid.UUID | None = COMPUTER, flags: int = 0, *, deny: int = 0
    ) -> None:
        acl.grant(administrator, dn, lists.ace(deny, flags, mask, sid, kind, None))

    return put


@pytest.fixture
def sids(domain: Domain, administrator: ldap3.Connection, accounts: dict[str, str]) -> list[bytes]:
    return [lab_directory.sid_of(administrator, domain, f"{name}$") for name in accounts]


def codes(done: dict[str, t.Any]) -> set[tuple[str, str, str]]:
    return {(f["code"], f["severity"], f["account"].rpartition("\\")[2]) for f in done["findings"]}


def test_what_odj_ou_delegate_makes_is_proven_and_clean(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    name = next(iter(accounts))
    host = domain.computer_dn("odj03")
    link = f"CN={name},{domain.msa_container}"
    administrator.modify(host, t.cast(t.Any, {"msDS-HostServiceAccount": [(ldap3.MODIFY_ADD, [link])]}))
    task(ou_delegate, organizational_units=units[:2], accounts=[name])
    done = task(delegation_info, organizational_units=units, accounts=[name], check=True)
    assert [a["can_create"] for a in done["access"]] == ["true", "true", "false"]
    assert codes(done) == {("missing", "high", f"{name}$")}
    assert done["findings"][0]["organizational_units"] == [units[2]]
    assert "joins may work 10 times" in done["findings"][0]["cause"]
    assert done["accounts"][0]["hosts"] == 1
    assert all(unit["owner"] == f"{domain.netbios}\\Domain Admins" for unit in done["organizational_units"])
    operations = done["directory"]["operations"]
    assert operations == {"bind": 1, "search": 11, "modify": 0, "add": 0, "delete": 0}


def test_every_kind_of_finding(
    domain: Domain, task: Task, yard: str, units: list[str], accounts: dict[str, str], sids: list[bytes], grant: Grant,
    administrator: ldap3.Connection,
) -> None:  # fmt: skip
    first, second = (f"{name}$" for name in accounts)
    computer = lab_directory.sid_of(administrator, domain, "ODJ02$")
    orphan = sids[0][:-4] + (99999).to_bytes(4, "little")
    standalone = lab_directory.schema_guid(administrator, domain, "msDS-ManagedServiceAccount")
    grant(yard, sids[0], lists.CREATE, flags=lists.CONTAINER_INHERIT)
    grant(units[0], sids[1], lists.FULL, None)
    grant(units[0], orphan, lists.CREATE)
    grant(units[1], lists.WELL_KNOWN["Everyone"], lists.CREATE, deny=lists.DENY)
    grant(units[1], sids[1], lists.CREATE)
    grant(units[2], computer, lists.FULL, None)
    grant(units[2], sids[1], lists.CREATE, standalone)
    done = task(delegation_info, search_base=yard, accounts=[first, second])
    verdicts = {(a["organizational_unit"], a["account"].rpartition("\\")[2]): a["can_create"] for a in done["access"]}
    assert verdicts == {
        (yard, first): "true", (yard, second): "false",
        (units[0], first): "true", (units[0], second): "true",
        (units[1], first): "false", (units[1], second): "false",
        (units[2], first): "true", (units[2], second): "false",
    }  # fmt: skip
    found = {(f["code"], f["account"].rpartition("\\")[2]): f for f in done["findings"]}
    assert set(found) == {
        ("broader", first), ("broader", second), ("deny_shadow", first), ("deny_shadow", second), ("missing", second),
        ("inherited", first), ("without_host", first), ("without_host", second), ("legacy_computer_account", "ODJ02$"),
        ("creates_service_accounts", second), ("orphaned_sid", acl.sid_text(orphan)),
    }  # fmt: skip
    assert found["broader", first]["organizational_units"] == [yard]
    assert set(found["broader", first]["inherited_by"]) == set(units)
    assert found["broader", second]["excess"] == ["full_control"]
    assert found["deny_shadow", second]["ace"].startswith("(OD;;CC;bf967a86")
    assert found["deny_shadow", second]["ace"] in audit.descriptor(domain, units[1])
    assert found["legacy_computer_account", "ODJ02$"]["severity"] == "high"
    assert "msDS-ManagedServiceAccount" in found["creates_service_accounts", second]["cause"]


def test_a_connector_server_is_a_computer_and_its_service_account_is_none(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], sids: list[bytes], grant: Grant,
    administrator: ldap3.Connection,
) -> None:  # fmt: skip
    """(objectClass=computer) finds both."""
    grant(units[0], sids[0], lists.CREATE)
    grant(units[0], lab_directory.sid_of(administrator, domain, "ODJ01$"), lists.CREATE)
    done = task(delegation_info, organizational_units=units[:1])
    kinds = {e["account"]: e["kind"] for e in done["organizational_units"][0]["entries"] if not e["inherited"]}
    name = next(iter(accounts))
    assert kinds[f"{domain.netbios}\\{name}$"] == "standalone_service_account"
    assert kinds[f"{domain.netbios}\\ODJ01$"] == "computer"
    assert [account["account"] for account in done["accounts"]] == [f"{domain.netbios}\\{name}$"]
    assert codes(done) == {("without_host", "medium", f"{name}$"), ("legacy_computer_account", "medium", "ODJ01$")}


def test_a_quota_of_nothing(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    change = {"ms-DS-MachineAccountQuota": [(ldap3.MODIFY_REPLACE, [0])]}
    administrator.modify(domain.base_dn, t.cast(t.Any, change))
    try:
        done = task(delegation_info, organizational_units=units[:1], accounts=list(accounts))
    finally:
        change["ms-DS-MachineAccountQuota"][0] = (ldap3.MODIFY_REPLACE, [10])
        administrator.modify(domain.base_dn, t.cast(t.Any, change))
    assert done["machine_account_quota"]["value"] == 0
    assert "a join fails at once" in done["findings"][0]["cause"]


def test_the_whole_domain_at_once(domain: Domain, task: Task, units: list[str]) -> None:
    done = task(delegation_info, search_base=domain.base_dn)
    names = [unit["dn"] for unit in done["organizational_units"]]
    assert len(names) == len(set(names))
    assert {*units, *domain.organizational_units, f"OU=Domain Controllers,{domain.base_dn}"} <= set(names)
    assert done["directory"]["operations"]["bind"] == 1
    above = task(delegation_info, search_base=units[0], search_direction="above")
    assert [unit["dn"] for unit in above["organizational_units"]] == [units[0], units[0].partition(",")[2]]
