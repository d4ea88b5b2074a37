# SPDX-License-Identifier: GPL-3.0-or-later
"""Who really gets the password of a group account that we made, and what can be done with it.

Samba hands passwords out from 4.22 on; an older one has no KDS root key, and that nobody gets one there is tested too.
"""

from __future__ import annotations

import itertools
import secrets
import tempfile
import typing as t
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_readers import (
    denied_in,
    doubtful_in,
    readers_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import ADMINISTRATORS, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab.product.provision import ACCESS_DENIED_CODES, Order, credentials_file, offline_join
from odj_lab.settings import Domain

MEMBERSHIP = "msDS-GroupMSAMembership"
GENERIC_READ = 0x80000000
Reads: t.TypeAlias = Callable[[str, str], bool]


@pytest.fixture
def team(domain: Domain, administrator: ldap3.Connection, accounts: dict[str, str], yard: str) -> str:
    """Make a group with the first account in it; return its name."""
    name = f"team{secrets.token_hex(3)}"
    administrator.add(f"CN={name},{yard}", "group", {"sAMAccountName": name})
    member = f"CN={next(iter(accounts))},{domain.msa_container}"
    administrator.modify(f"CN={name},{yard}", t.cast(t.Any, {"member": [(ldap3.MODIFY_ADD, [member])]}))
    return name


@pytest.fixture
def group(domain: Domain, administrator: ldap3.Connection) -> Iterator[dict[str, t.Any]]:
    """Return the options of a group account that is not there yet; it goes afterwards."""
    name = f"gmsaT{secrets.token_hex(3)}"
    yield {"name": name, "kind": "group", "dns_host_name": f"{name}.{domain.name}"}
    entry = lab_directory.find(administrator, domain, f"{name}$")
    if entry:
        administrator.delete(entry["dn"])


@pytest.fixture
def reads(domain: Domain, accounts: dict[str, str], group: dict[str, t.Any]) -> Reads:
    """Say whether an account (name, password) gets the password of the group account from the server."""

    def asked(name: str, password: str) -> bool:
        with lab_directory.connected(domain, name, password) as connection:
            entry = lab_directory.find(connection, domain, f"{group['name']}$", "msDS-ManagedPassword")
            assert entry is not None
            return bool(entry["raw_attributes"]["msDS-ManagedPassword"])

    return asked


def test_readers_get_the_password_and_nobody_else(
    domain: Domain,
    task: Task,
    group: dict[str, t.Any],
    team: str,
    reads: Reads,
    accounts: dict[str, str],
    root_keys: dict[str, bytes],
) -> None:
    member, stranger = ((f"{name}$", password) for name, password in accounts.items())
    administrator = ("Administrator", domain.passwords["Administrator"])
    power = {"username": f"{domain.netbios}\\Administrator", "password": administrator[1]}
    there = bool(root_keys)
    task(msa, **group, allowed_readers=[team])
    assert [reads(*who) for who in (member, stranger, administrator)] == [there, False, False]
    task(msa, **group, readers={"add": [stranger[0]], "remove": [team]}, **power)
    assert [reads(*who) for who in (member, stranger, administrator)] == [False, there, False]
    task(msa, **group, readers={"set": []}, **power)
    assert [reads(*who) for who in (member, stranger, administrator)] == [False, False, False]


def test_we_count_those_as_readers_to_whom_the_server_gives_it(
    domain: Domain,
    task: Task,
    group: dict[str, t.Any],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
    root_keys: dict[str, bytes],
) -> None:
    """One entry of every kind, alone or as a denial before one that allows; with a generic right we do not know."""
    dn = task(msa, **group)["service_account"]["dn"]
    account, password = next(iter(accounts.items()))
    who = lab_directory.sid_of(administrator, domain, f"{account}$")
    masks = (lists.FULL, lists.FULL & ~0x10, lists.GENERIC_ALL, GENERIC_READ, 0x10, 0x20, lists.CONTROL_ACCESS)
    flags = (0, lists.CONTAINER_INHERIT, lists.INHERIT_ONLY | lists.CONTAINER_INHERIT)
    names = ("msDS-ManagedPassword", MEMBERSHIP, "description")
    kinds: list[uuid.UUID | None] = [None, *(lab_directory.schema_guid(administrator, domain, name) for name in names)]
    allowing = lists.ace(lists.ALLOW, 0, lists.FULL, who, None, None)
    outcomes = set()
    with lab_directory.connected(domain, f"{account}$", password) as connection:
        for verb, mask, flag, kind in itertools.product((lists.ALLOW, lists.DENY), masks, flags, kinds):
            entry = lists.ace(verb, flag, mask, who, kind, None)
            aces = (entry, allowing) if verb == lists.DENY else (entry,)
            owner = ADMINISTRATORS.to_bytes()
            value = lists.descriptor(owner, owner, aces, protected=False)
            administrator.modify(dn, t.cast(t.Any, {MEMBERSHIP: [(ldap3.MODIFY_REPLACE, [value])]}))
            found = lab_directory.find(connection, domain, f"{group['name']}$", "msDS-ManagedPassword")
            assert found is not None
            given = bool(found["raw_attributes"]["msDS-ManagedPassword"])
            outcomes.add((counted(value, Sid.from_bytes(who), mask), given))
    there = bool(root_keys)
    assert outcomes == {(True, there), (False, False), (None, there), (None, False)}


def counted(value: bytes, who: Sid, mask: int) -> bool | None:
    """Say whether we count an account as a reader; None when we leave it open."""
    generic = mask in (lists.GENERIC_ALL, GENERIC_READ)
    if who in doubtful_in(value) or (generic and who in denied_in(value)):
        return None
    return who in readers_in(value) and who not in denied_in(value)


@pytest.fixture
def scratch(domain: Domain) -> Iterator[Path]:
    """Yield a directory that Samba's clients see, too."""
    with tempfile.TemporaryDirectory(dir=domain.dc_dir) as path:
        yield Path(path)


def test_a_reader_joins_computers_as_the_group_account_where_that_is_allowed(
    domain: Domain,
    task: Task,
    group: dict[str, t.Any],
    team: str,
    accounts: dict[str, str],
    units: list[str],
    root_keys: dict[str, bytes],
    scratch: Path,
) -> None:
    """What a connector does with an account that somebody brought: no Administrator sets a password here."""
    task(msa, **group, allowed_readers=[team])
    task(ou_delegate, organizational_units=units[:1], accounts=[f"{group['name']}$"])
    member, stranger = accounts
    assert not ticket(domain, group["name"], stranger, accounts[stranger], scratch)
    assert ticket(domain, group["name"], member, accounts[member], scratch) is bool(root_keys)
    outcome = [
        offline_join(
            domain, Order(f"T{secrets.token_hex(4).upper()}", unit, group["name"], ticket=scratch / "cache")
        ).returncode
        for unit in (units[0], units[1], "")
    ]
    assert (outcome[0] == 0) is bool(root_keys), outcome
    assert 0 not in outcome[1:]
    if root_keys:
        assert set(outcome[1:]) <= set(ACCESS_DENIED_CODES)


def ticket(domain: Domain, name: str, reader: str, password: str, scratch: Path) -> bool:
    """Let Samba's client read the password of a group account as a reader, and get a ticket with it into a cache."""
    credentials = credentials_file(domain, f"{reader}$", password, scratch)
    configuration = domain.dc_dir / "client" / "smb.conf"
    done = lab_directory.script(
        domain,
        *("run", "samba-tool", "user", "get-kerberos-ticket", f"{name}$", f"--output-krb5-ccache={scratch / 'cache'}"),
        *("-H", f"ldap://{domain.dc}", "-A", str(credentials), f"--configfile={configuration}"),
        check=False,
    )
    return done.returncode == 0
