# SPDX-License-Identifier: GPL-3.0-or-later
"""Our access check against that of a real directory: random access lists, and what the accounts themselves may do."""

from __future__ import annotations

import random
import secrets
import typing as t
import uuid
from collections import Counter

import ldap3
import pytest
from ldap3.core.exceptions import LDAPInsufficientAccessRightsResult

from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Lab

UNITS = 600
OWNER_GROUP_DACL = [("1.2.840.113556.1.4.801", True, bytes.fromhex("3003020107"))]
TREE_DELETE = [("1.2.840.113556.1.4.805", True, None)]


class Cast(t.NamedTuple):
    """Accounts with their passwords, and the groups beside them: nested, universal, not theirs, as a primary group."""

    passwords: dict[str, str]
    sids: dict[str, bytes]


@pytest.fixture
def players(lab: Lab, administrator: ldap3.Connection, accounts: dict[str, str], yard: str) -> Cast:
    """Put the first account into a group of a group, give the second a primary group of its own."""
    first, second = (f"CN={name},{lab_directory.msa_container(lab)}" for name in accounts)
    tag = secrets.token_hex(3)
    kinds = {"global": -2147483646, "local": -2147483644, "universal": -2147483640, "primary": -2147483646,
             "other": -2147483646}  # fmt: skip
    groups = {name: f"CN={name}{tag},{yard}" for name in kinds}
    for name, dn in groups.items():
        administrator.add(dn, "group", {"sAMAccountName": f"{name}{tag}", "groupType": kinds[name]})
    members = {"global": first, "local": groups["global"], "universal": groups["global"], "primary": second}
    for name, member in members.items():
        administrator.modify(groups[name], t.cast(t.Any, {"member": [(ldap3.MODIFY_ADD, [member])]}))
    sids = {name: lab_directory.sid_of(administrator, lab, f"{name}{tag}") for name in kinds}
    relative = int.from_bytes(sids["primary"][-4:], "little")
    administrator.modify(second, t.cast(t.Any, {"primaryGroupID": [(ldap3.MODIFY_REPLACE, [relative])]}))
    sids |= {name: lab_directory.sid_of(administrator, lab, f"{name}$") for name in accounts}
    return Cast(accounts, sids)


@pytest.fixture
def random_units(lab: Lab, administrator: ldap3.Connection, yard: str, players: Cast) -> list[str]:
    """Make units, a third of them below others, each with a random owner and a random access list."""
    source = random.Random(4)  # noqa: S311 - the same lists in every run
    domain_admins = lab_directory.sid_of(administrator, lab, "Domain Admins")
    pool = _pool(administrator, lab, players)
    owners = [domain_admins, *players.sids.values(), lists.WELL_KNOWN["Authenticated Users"]]
    way_in = lists.ace(lists.ALLOW, lists.CONTAINER_INHERIT, lists.FULL, domain_admins, None, None)
    names: list[str] = []
    for number in range(UNITS):
        parent = source.choice(names) if names and number % 3 == 0 else yard
        names.append(f"OU=r{number},{parent}")
        administrator.add(names[-1], "organizationalUnit")
        aces = (way_in, *lists.random_list(source, pool))
        made = lists.descriptor(source.choice(owners), domain_admins, aces, protected=source.random() < 0.2)
        change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [made])]}
        administrator.modify(names[-1], t.cast(t.Any, change), controls=OWNER_GROUP_DACL)
    return names


def test_we_say_what_the_directory_says_and_does(
    lab: Lab, task: Task, yard: str, players: Cast, random_units: list[str]
) -> None:
    done = task(
        delegation_info,
        username=f"{lab.netbios}\\Administrator",
        password=lab.passwords["Administrator"],
        search_base=yard,
        accounts=list(players.passwords),
    )
    ours = {(a["organizational_unit"], a["account"]): a for a in done["access"]}
    disagreements = []
    asked: Counter[tuple[str, str]] = Counter()
    for name, password in players.passwords.items():
        with lab_directory.connected(lab, f"{name}$", password) as connection:
            for number, unit in enumerate(random_units):
                found = ours[unit, f"{lab.netbios}\\{name}$"]
                told = _told(connection, unit)
                did = _creates(connection, unit, f"T{number}{name[-4:]}")
                asked[found["can_create"], found["reason"]] += 1
                if {found["can_create"]} != {did} | ({told} - {""}):
                    disagreements.append((found, told, did))
    print(asked)
    units_ = {u["dn"]: u for u in done["organizational_units"]}
    print({a["account"]: (a["sid"], a["groups"]) for a in done["accounts"]})
    for d in disagreements:
        if d[0]["reason"]=="not_granted" and d[1]=="true":
            u=units_[d[0]["organizational_unit"]]
            print("DBG", d[0]["account"], u["dn"], u["owner"])
            from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import descriptor_to_sddl
            from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
            with lab_directory.connected(lab,"Administrator") as cc:
                cc.search(u["dn"],"(objectClass=*)",ldap3.BASE,attributes=["nTSecurityDescriptor"],controls=OWNER_GROUP_DACL)
                print("DBG", descriptor_to_sddl(SecurityDescriptor.parse(acl.responses(cc)[0]["raw_attributes"]["nTSecurityDescriptor"][0])).replace("(","\n DBG ("))
            for e in []: print("   DBG", e["account"], e["ace"])
    for d in disagreements[:1500]: print(d[0]["can_create"],d[0]["reason"],d[1:],d[0]["ace"])
    assert not disagreements
    assert sum(asked.values()) == UNITS * 2
    assert asked["true", "allowed"] > UNITS / 4
    assert asked["false", "denied"] > UNITS / 8
    assert asked["false", "not_granted"] > UNITS / 8


def _told(connection: ldap3.Connection, unit: str) -> str:
    """Return what allowedChildClassesEffective says; "" when the account may not even read that."""
    try:
        connection.search(unit, "(objectClass=*)", ldap3.BASE, attributes=["allowedChildClassesEffective", "objectClass"])
    except Exception as e:
        return "X"
    entry = next(iter(acl.responses(connection)), None)
    if entry is None or not entry["raw_attributes"]["objectClass"]:
        return ""
    return str(b"computer" in entry["raw_attributes"]["allowedChildClassesEffective"]).lower()


def _creates(connection: ldap3.Connection, unit: str, name: str) -> str:
    try:
        connection.add(f"CN={name},{unit}", "computer", {"sAMAccountName": f"{name}$", "userAccountControl": 4096})
    except LDAPInsufficientAccessRightsResult:
        return "false"
    except Exception as e:
        return str(type(e).__name__)
    return "true"


def _pool(connection: ldap3.Connection, lab: Lab, players: Cast) -> lists.Pool:
    def guid(name: str) -> uuid.UUID:
        return lab_directory.schema_guid(connection, lab, name)

    nobody = lists.sid("S-1-5-21-1-2-3-4444")
    foreign = lab_directory.sid_of(connection, lab, "intune-admin")
    often = [*players.sids.values()] * 3 + [lists.WELL_KNOWN[n] for n in ("Everyone", "Authenticated Users")]
    computer, restrictions = guid("computer"), uuid.UUID("4c164200-20c0-11d0-a768-00aa006e0529")
    classes = [computer] * 5 + [guid("user"), guid("msDS-ManagedServiceAccount"), guid("organizationalUnit")]
    return lists.Pool(
        trustees=[*often, *lists.WELL_KNOWN.values(), nobody, foreign],
        kinds=[None, None, None, None, *classes, restrictions, guid("dNSHostName")],
        heirs=[None, None, None, None, computer, guid("organizationalUnit"), guid("user")],
    )
