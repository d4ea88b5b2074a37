# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed service accounts in a real directory in which something is not as odj_msa would make it."""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Callable

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.by_name import read_by_name
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry, Read
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import ANYTHING
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    FULL_CONTROL,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, msa_info, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

ODD_NAMES = [" in front", "behind ", "#hash", "a/b", "c\\d", 'say "x"', "1 < 2 > 1; a, b + c = d", "Büro Köln 東京 😀"]
STRANGER = Sid(5, (21, 9, 9, 9, 1234))


@pytest.fixture
def both(task: Task, power: dict[str, str]) -> Task:
    """Run odj_msa as Administrator: in check mode and for real it plans the same, and nothing when run again."""

    def run(**given: t.Any) -> dict[str, t.Any]:
        options = {**power, **given}
        planned, done = task(msa, check=True, **options), task(msa, **options)
        assert (planned["changed"], planned["plan"], planned["diff"]) == (True, done["plan"], done["diff"])
        assert not task(msa, **options)["changed"]
        return done

    return run


@pytest.mark.parametrize("place", ["CN=Dienstkonten,{base}", "CN=Managed Service Accounts,OU=Autopilot,{base}"])
def test_the_container_is_found_where_somebody_put_it(
    domain: Domain, both: Task, name: str, administrator: ldap3.Connection, place: str
) -> None:
    usual, there = Dn.parse(domain.msa_container), Dn.parse(place.format(base=domain.base_dn))

    def move(old: Dn, new: Dn) -> None:
        administrator.modify_dn(str(old), str(new).partition(",")[0], new_superior=str(new.parent))

    move(usual, there)
    try:
        assert both(name=name)["service_account"]["dn"] == f"CN={name},{there}"
        both(name=name, state="absent")
    finally:
        move(there, usual)


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_names_that_have_to_be_escaped(
    domain: Domain, task: Task, both: Task, opened: Open, name: str, power: dict[str, str], yard: str, odd: str
) -> None:
    """A unit of that name is read in each way there is, holds an account, and is freed of its entries."""
    unit, account = str(Dn.parse(yard).child("OU", odd)), f"{name[:-2]}ßÄ"
    with opened(**power) as directory:
        directory.add(unit, "organizationalUnit", {})
        (by_search,) = directory.search(unit, ANYTHING, ["ou"], scope="base")
        (by_read,) = directory.run_all(iter([reading(unit)]))
        (below,) = directory.search(yard, ANYTHING, ["ou"], scope="level")
        (by_name,) = read_by_name(directory, [Dn.parse(unit)], ["ou"]).values()
    assert isinstance(by_read, Entry)
    assert {entry.text("ou") for entry in (by_search, by_read, below, by_name)} == {odd}
    assert {Dn.parse(entry.dn).key for entry in (by_search, by_read, below, by_name)} == {Dn.parse(unit).key}
    made = both(name=account, path=unit, host="odj01")["service_account"]
    assert Dn.parse(made["dn"]).parent == Dn.parse(by_search.dn)
    task(ou_delegate, organizational_units=[unit], accounts=[made["sid"]], **power)
    assert [found["name"] for found in task(msa_info, path=unit)["service_accounts"]] == [account]
    gone = both(name=account, state="absent", force=True, remove_delegations=[unit])
    assert [change["action"] for change in gone["plan"]["changes"]] == ["replace_dacl", "delete"]


def reading(dn: str) -> t.Generator[Read, Entry | None, Entry | None]:
    return (yield Read(dn, ["ou"]))


def test_what_has_the_name_or_the_place_already(
    domain: Domain, task: Task, name: str, power: dict[str, str], yard: str, administrator: ldap3.Connection
) -> None:
    administrator.add(f"CN=taken,{yard}", "user", {"sAMAccountName": f"{name}$"})
    for state in ("present", "absent"):
        with pytest.raises(ServiceAccountError, match="of class user"):
            task(msa, name=name, state=state, **power)
    administrator.modify(f"CN=taken,{yard}", {"sAMAccountName": [(ldap3.MODIFY_REPLACE, [f"{name}x"])]})
    administrator.modify_dn(f"CN=taken,{yard}", f"CN={name}")
    for check in (True, False):
        with pytest.raises(ServiceAccountError, match=f"taken by {name}x of class user"):
            task(msa, check=check, name=name, path=yard, **power)


def test_an_account_that_was_renamed_moved_and_disabled(
    domain: Domain, both: Task, task: Task, name: str, power: dict[str, str], yard: str, administrator: ldap3.Connection
) -> None:
    made = both(name=name, host="odj01")["service_account"]
    administrator.modify_dn(made["dn"], "CN=Renamed", new_superior=yard)
    there = f"CN=Renamed,{yard}"
    administrator.modify(there, {"userAccountControl": [(ldap3.MODIFY_REPLACE, [4098])]})
    assert not task(msa, name=name.upper(), enabled=False, **power)["changed"]
    assert "is disabled and stays so" in task(msa, name=name, **power)["remarks"][0]
    moved = both(name=name.upper(), enabled=True, hosts={"add": ["odj02"], "remove": ["odj01"]})
    steps = [(change["action"], change["target"]) for change in moved["plan"]["changes"]]
    assert steps[0] == ("modify", there)
    assert [step for step, __ in steps[1:]] == ["unlink_host", "link_host"]
    assert {key: moved["service_account"][key] for key in ("dn", "name", "sid", "enabled", "hosts")} == {
        "dn": there,
        "name": name,
        "sid": made["sid"],
        "enabled": True,
        "hosts": [domain.computer_dn("odj02")],
    }
    with pytest.raises(ServiceAccountError, match="exists in another place"):
        task(msa, name=name, path=domain.msa_container, **power)


def test_the_kind_of_an_account_is_never_changed(
    domain: Domain, both: Task, task: Task, name: str, power: dict[str, str]
) -> None:
    kinds = {"standalone": {}, "group": {"dns_host_name": f"{name}.{domain.name}"}}
    for kind, other in (("standalone", "group"), ("group", "standalone")):
        both(name=name, kind=kind, **kinds[kind])
        for options in ({**kinds[other]}, {"state": "absent"}):
            with pytest.raises(ServiceAccountError, match=f"it (exists as|is) a {kind} one"):
                task(msa, name=name, kind=other, **options, **power)
        both(name=name, kind=kind, state="absent")


def test_the_descriptor_of_the_readers_keeps_what_is_not_ours(
    domain: Domain, both: Task, name: str, administrator: ldap3.Connection
) -> None:
    attribute = "msDS-GroupMSAMembership"
    group = {"name": name, "kind": "group", "dns_host_name": f"{name}.{domain.name}"}
    dn = both(**group)["service_account"]["dn"]
    one, two = (Sid.from_bytes(lab_directory.sid_of(administrator, domain, who)) for who in ("ODJ01$", "ODJ02$"))
    deny = AccessRule(False, READ_PROPERTY, STRANGER).to_ace()
    other = AccessRule(True, 0x20, STRANGER.sibling(1235)).to_ace()
    grants = {sid: AccessRule(True, FULL_CONTROL, sid).to_ace() for sid in (one, two, STRANGER.sibling(1236))}
    aces = (deny, grants[STRANGER.sibling(1236)], grants[one], other)
    before = SecurityDescriptor(
        SELF_RELATIVE | DACL_PRESENT, owner=two.to_bytes(), group=one.to_bytes(), dacl=Acl(4, aces)
    )
    administrator.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, [before.to_bytes()])]})
    done = both(**group, readers={"add": ["odj02"], "remove": [str(one)]})
    assert done["service_account"]["allowed_readers"] == [str(STRANGER.sibling(1236)), str(two)]
    entry = lab_directory.find(administrator, domain, f"{name}$", attribute)
    assert entry is not None
    expected = before.with_dacl((deny, grants[STRANGER.sibling(1236)], other, grants[two]))
    assert entry["raw_attributes"][attribute] == [expected.to_bytes()]


def test_entries_of_an_account_that_was_made_anew(
    domain: Domain,
    both: Task,
    name: str,
    units: list[str],
    whole_descriptor: Callable[[str], bytes],
    administrator: ldap3.Connection,
) -> None:
    first = both(name=name)["service_account"]["sid"]
    acl.grant(administrator, units[0], acl.allow(Sid.parse(first).to_bytes(), acl.CREATE_CHILD))
    both(name=name, state="absent")
    orphaned = whole_descriptor(units[0])
    second = both(name=name)["service_account"]["sid"]
    assert second != first
    acl.grant(administrator, units[0], acl.allow(Sid.parse(second).to_bytes(), acl.CREATE_CHILD))
    both(name=name, state="absent", remove_delegations=units[:1])
    assert whole_descriptor(units[0]) == orphaned


def test_a_read_only_domain_controller_is_a_computer_like_others(
    domain: Domain, both: Task, name: str, yard: str, administrator: ldap3.Connection
) -> None:
    controller, sam = f"CN=RODC,{yard}", f"RO{secrets.token_hex(4)}".upper()
    flags = 0x4000000 | 0x1000000 | 0x1000  # partial secrets account, trusted to authenticate, workstation trust
    administrator.add(controller, "computer", {"sAMAccountName": f"{sam}$", "userAccountControl": flags})
    for host in (sam.lower(), f"{sam}$", controller):
        assert both(name=name, host=host)["service_account"]["hosts"] == [controller]
        both(name=name, hosts={"set": []})


def test_answers_of_many_tls_records_come_whole(opened: Open, yard: str, power: dict[str, str]) -> None:
    """Sixty-four access lists of 50 kB each are written and read at the same time."""
    aces = tuple(AccessRule(True, 1 << 5, STRANGER.sibling(rid)).to_ace() for rid in range(2000, 3400))
    units = [f"OU=Big {number},{yard}" for number in range(64)]
    with opened(**power) as directory:
        for unit in units:
            directory.add(unit, "organizationalUnit", {})
        read = read_by_name(directory, list(map(Dn.parse, units)), ["nTSecurityDescriptor"])
        lists = [SecurityDescriptor.parse(entry.one("nTSecurityDescriptor") or b"") for entry in read.values()]
        for unit, known in zip(units, lists, strict=True):
            wanted = known.with_dacl((*aces, *(known.dacl.aces if known.dacl else ())))
            directory.modify(unit, {"nTSecurityDescriptor": ("replace", [wanted.to_bytes()])}, dacl=True)
        again = list(directory.run_all(with_list(unit) for unit in units))
    found = [
        SecurityDescriptor.parse(entry.one("nTSecurityDescriptor") or b"")
        for entry in again
        if isinstance(entry, Entry)
    ]
    assert len(found) == 64
    assert all(one.dacl is not None and set(aces) <= set(one.dacl.aces) for one in found)
    assert min(len(one.to_bytes()) for one in found) > 50_000


def with_list(dn: str) -> t.Generator[Read, Entry | None, Entry | None]:
    return (yield Read(dn, ["nTSecurityDescriptor"], dacl=True))
