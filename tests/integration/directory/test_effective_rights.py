# SPDX-License-Identifier: GPL-3.0-or-later
"""Our access check against that of a real directory: random access lists, and what the accounts themselves may do."""

from __future__ import annotations

import random
import secrets
import typing as t
import uuid
from collections import Counter
from collections.abc import Iterator

import ldap3
import pytest
from ldap3.core.exceptions import LDAPInsufficientAccessRightsResult, LDAPNoSuchObjectResult

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.delegations import tokens
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, resolve_accounts
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from ansible_collections.hybridjoin.odj.tests.integration.directory.wrong_judges import MISTAKES, Trial
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

UNITS = 700
OFTEN = ("Everyone", "Authenticated Users", "Owner Rights", "Owner Rights", "Self", "Network")
CONVICTIONS = 10  # how often each mistake has to show
VERDICTS = {"true": {True}, "false": {False}, "unknown": {True, False}}
DOMAIN_COMPUTERS = 515
OWNER_GROUP_DACL = [("1.2.840.113556.1.4.801", True, bytes.fromhex("3003020107"))]
TREE_DELETE = [("1.2.840.113556.1.4.805", True, None)]


class Cast(t.NamedTuple):
    """Accounts with their passwords, and the groups beside them: nested, universal, not theirs, as a primary group."""

    passwords: dict[str, str]
    sids: dict[str, bytes]

    def direct(self, name: str) -> frozenset[bytes]:
        """Return the SID of an account and those of the groups that need no other group to hold it."""
        return frozenset({self.sids[name], self.sids["global"], self.primary})

    @property
    def primary(self) -> bytes:
        """SID of the primary group of the second account."""
        return self.sids["primary"]


@pytest.fixture
def players(domain: Domain, administrator: ldap3.Connection, accounts: dict[str, str], yard: str) -> Iterator[Cast]:
    """Put the first account into a group of a group, give the second a primary group of its own."""
    first, second = (f"CN={name},{domain.msa_container}" for name in accounts)
    tag = secrets.token_hex(3)
    kinds = {"global": -2147483646, "local": -2147483644, "universal": -2147483640, "primary": -2147483646,
             "other": -2147483646}  # fmt: skip
    groups = {name: f"CN={name}{tag},{yard}" for name in kinds}
    for name, dn in groups.items():
        administrator.add(dn, "group", {"sAMAccountName": f"{name}{tag}", "groupType": kinds[name]})
    members = {"global": first, "local": groups["global"], "universal": groups["global"], "primary": second}
    for name, member in members.items():
        administrator.modify(groups[name], t.cast(t.Any, {"member": [(ldap3.MODIFY_ADD, [member])]}))
    sids = {name: lab_directory.sid_of(administrator, domain, f"{name}{tag}") for name in kinds}
    relative = int.from_bytes(sids["primary"][-4:], "little")
    administrator.modify(second, t.cast(t.Any, {"primaryGroupID": [(ldap3.MODIFY_REPLACE, [relative])]}))
    sids |= {name: lab_directory.sid_of(administrator, domain, f"{name}$") for name in accounts}
    yield Cast(accounts, sids)
    administrator.modify(second, t.cast(t.Any, {"primaryGroupID": [(ldap3.MODIFY_REPLACE, [DOMAIN_COMPUTERS])]}))


@pytest.fixture
def random_units(domain: Domain, administrator: ldap3.Connection, yard: str, players: Cast) -> list[str]:
    """Make units, a third of them below others, each with a random owner and a random access list."""
    source = random.Random(4)  # noqa: S311 - the same lists in every run
    domain_admins = lab_directory.sid_of(administrator, domain, "Domain Admins")
    pool = _pool(administrator, domain, players)
    owners = [domain_admins, *players.sids.values(), lists.WELL_KNOWN["Authenticated Users"]]
    way_in = lists.ace(lists.ALLOW, lists.CONTAINER_INHERIT, lists.FULL, domain_admins, None, None)
    look = lists.ace(0, lists.CONTAINER_INHERIT, lists.READ, lists.WELL_KNOWN["Authenticated Users"], None, None)
    names: list[str] = []
    for number in range(UNITS):
        parent = source.choice(names) if names and number % 3 == 0 else yard
        names.append(f"OU=r{number},{parent}")
        administrator.add(names[-1], "organizationalUnit")
        aces = (way_in, look, *lists.random_list(source, pool))
        made = lists.descriptor(source.choice(owners), domain_admins, aces, protected=source.random() < 0.2)
        change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [made])]}
        administrator.modify(names[-1], t.cast(t.Any, change), controls=OWNER_GROUP_DACL)
    return names


def test_we_say_what_the_directory_says_and_does(
    domain: Domain, task: Task, administrator: ldap3.Connection, yard: str, players: Cast, random_units: list[str]
) -> None:
    """Three answers for each account and unit: ours, the server's, and that of a plain access check.

    The plain one has to agree with the server everywhere; ours may say "unknown" where it depends on what nobody knows
    whichever server it is, and has to say it there. Each check with a mistake has to be convicted by the same lists.
    """
    done = task(
        delegation_info,
        username=f"{domain.netbios}\\Administrator",
        password=domain.passwords["Administrator"],
        search_base=yard,
        accounts=list(players.passwords),
    )
    ours = {(a["organizational_unit"], a["account"]): a for a in done["access"]}
    descriptors = _descriptors(administrator, yard)
    disagreements: list[object] = []
    reasons: Counter[str] = Counter()
    convicted: Counter[str] = Counter()
    readable = 0
    strict = _is_strict(domain, administrator, yard, players)
    for name, password in players.passwords.items():
        with lab_directory.connected(domain, f"{name}$", password) as connection:
            held = frozenset(_held(connection))
            for number, unit in enumerate(random_units):
                found = ours[unit, f"{domain.netbios}\\{name}$"]
                told, did = _told(connection, unit), _creates(connection, unit, f"T{number}{name[-4:]}")
                trial = Trial.of(
                    descriptors[unit], players.sids[name], held, players.direct(name), players.primary, strict=strict
                )
                agreed = {did if told is None else told, trial.judged()} == {did}
                if not agreed or VERDICTS[found["can_create"]] != trial.outcomes:
                    disagreements.append((found, told, did, trial))
                reasons[found["reason"]] += 1
                readable += told is not None
                convicted.update(mistake for mistake, judge in MISTAKES.items() if judge(trial) != did)
    assert disagreements == []
    assert sum(reasons.values()) == UNITS * 2
    assert min(reasons["allowed"], reasons["denied"], reasons["not_granted"]) > UNITS / 6
    assert UNITS / 100 < min(reasons["membership"], reasons["condition"]) < UNITS / 5
    assert readable > UNITS * 1.5
    assert {mistake: convicted[mistake] for mistake in MISTAKES if convicted[mistake] < CONVICTIONS} == {}


def test_a_list_that_may_not_be_read_is_unknown(
    domain: Domain, task: Task, administrator: ldap3.Connection, yard: str, players: Cast
) -> None:
    """Not "false": the account that asks may not see the entry that decides."""
    everyone, name = lists.WELL_KNOWN["Authenticated Users"], next(iter(players.passwords))
    unit = f"OU=closed,{yard}"
    administrator.add(unit, "organizationalUnit")
    domain_admins = lab_directory.sid_of(administrator, domain, "Domain Admins")
    aces = [
        lists.ace(lists.ALLOW, 0, lists.FULL, domain_admins, None, None),
        lists.ace(lists.ALLOW, 0, lists.READ & ~0x20000, everyone, None, None),
        lists.ace(lists.ALLOW, 0, lists.CREATE, players.sids[name], None, None),
    ]
    made = lists.descriptor(domain_admins, domain_admins, aces, protected=True)
    change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [made])]}
    administrator.modify(unit, t.cast(t.Any, change), controls=OWNER_GROUP_DACL)
    done = task(delegation_info, organizational_units=[unit], accounts=[name])
    assert [(a["can_create"], a["reason"]) for a in done["access"]] == [("unknown", "unreadable")]
    assert "unreadable" in {finding["code"] for finding in done["findings"]}
    with lab_directory.connected(domain, f"{name}$", players.passwords[name]) as connection:
        assert _creates(connection, unit, "TCLOSED")


def test_we_know_the_groups_of_an_account_as_the_directory_does(
    domain: Domain, opened: Open, administrator: ldap3.Connection, players: Cast
) -> None:
    passwords = {**{f"{name}$": password for name, password in players.passwords.items()},
                 **{name: domain.passwords[name] for name in ("Administrator", "odj-automation")}}  # fmt: skip
    everything = "(|(objectClass=group)(objectClass=user)(objectClass=foreignSecurityPrincipal))"
    administrator.search(domain.base_dn, everything, attributes=["objectSid"])
    population = {entry["raw_attributes"]["objectSid"][0] for entry in acl.responses(administrator)}
    with opened() as directory:
        domains = Domains(directory)
        known = tokens(domains, resolve_accounts(domains, list(passwords)))
    for token, (name, password) in zip(known, passwords.items(), strict=True):
        with lab_directory.connected(domain, name, password) as connection:
            held = set(_held(connection))
        assert len(held) > 5
        verdicts = {sid: token.holds(Sid.from_bytes(sid)) for sid in population | held}
        assert {sid for sid, verdict in verdicts.items() if verdict} == held, name
        assert None not in verdicts.values()


def _held(connection: ldap3.Connection) -> list[bytes]:
    """Return the SIDs of the token that the server made for this connection."""
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["tokenGroups"])
    return t.cast("list[bytes]", acl.responses(connection)[0]["raw_attributes"]["tokenGroups"])


def _descriptors(connection: ldap3.Connection, base: str) -> dict[str, bytes]:
    """Return owner and access list of all units below an object, as the server keeps them."""
    found = connection.extend.standard.paged_search(
        base, "(objectClass=organizationalUnit)", attributes=["nTSecurityDescriptor"], controls=OWNER_GROUP_DACL,
        paged_size=500, generator=True,
    )  # fmt: skip
    return {e["dn"]: e["raw_attributes"]["nTSecurityDescriptor"][0] for e in found if "raw_attributes" in e}


def _is_strict(domain: Domain, administrator: ldap3.Connection, yard: str, players: Cast) -> bool:
    """Ask whether a Deny under a condition that the server cannot read holds; it does with Samba 4.22."""
    name, password = next(iter(players.passwords.items()))
    domain_admins = lab_directory.sid_of(administrator, domain, "Domain Admins")
    kinds = {lists.ALLOW: domain_admins, lists.CONDITIONAL[1]: players.sids[name]}
    aces = [lists.ace(kind, 0, lists.FULL, sid, None, None) for kind, sid in kinds.items()]
    aces.append(lists.ace(lists.ALLOW, 0, lists.FULL, players.sids[name], None, None))
    unit = f"OU=condition,{yard}"
    administrator.add(unit, "organizationalUnit")
    made = lists.descriptor(domain_admins, domain_admins, aces, protected=True)
    change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [made])]}
    administrator.modify(unit, t.cast(t.Any, change), controls=OWNER_GROUP_DACL)
    with lab_directory.connected(domain, f"{name}$", password) as connection:
        return not _creates(connection, unit, "TCONDITION")


def _told(connection: ldap3.Connection, unit: str) -> bool | None:
    """Return what allowedChildClassesEffective says; None when the account may not even read that."""
    try:
        connection.search(
            unit, "(objectClass=*)", ldap3.BASE, attributes=["allowedChildClassesEffective", "objectClass"]
        )
    except LDAPNoSuchObjectResult:
        return None
    values = acl.responses(connection)[0]["raw_attributes"]
    return b"computer" in values["allowedChildClassesEffective"] if values["objectClass"] else None


def _creates(connection: ldap3.Connection, unit: str, name: str) -> bool:
    try:
        connection.add(f"CN={name},{unit}", "computer", {"sAMAccountName": f"{name}$", "userAccountControl": 4096})
    except LDAPInsufficientAccessRightsResult:
        return False
    return True


def _pool(connection: ldap3.Connection, domain: Domain, players: Cast) -> lists.Pool:
    def guid(name: str) -> uuid.UUID:
        return lab_directory.schema_guid(connection, domain, name)

    nobody = lists.sid("S-1-5-21-1-2-3-4444")
    foreign = lab_directory.sid_of(connection, domain, "intune-admin")
    often = [*players.sids.values()] * 3 + [lists.WELL_KNOWN[n] for n in OFTEN]
    computer, restrictions = guid("computer"), uuid.UUID("4c164200-20c0-11d0-a768-00aa006e0529")
    classes = [computer] * 5 + [guid("user"), guid("msDS-ManagedServiceAccount"), guid("organizationalUnit")]
    return lists.Pool(
        trustees=[*often, *lists.WELL_KNOWN.values(), nobody, foreign],
        kinds=[None, None, None, None, *classes, restrictions, guid("dNSHostName")],
        heirs=[None, None, None, None, computer, guid("organizationalUnit"), guid("user")],
    )
