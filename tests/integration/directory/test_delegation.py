# SPDX-License-Identifier: GPL-3.0-or-later
"""The delegation in a real directory: exact, complete, reversible, and enough to create a computer."""

from __future__ import annotations

import time
from collections.abc import Callable

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import organizational_unit_info, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import audit
from odj_lab.settings import Domain


def test_only_the_entry_comes_and_goes(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], whole_descriptor: Callable[[str], bytes]
) -> None:
    before = [whole_descriptor(unit) for unit in units]
    names = [f"{domain.netbios}\\{name}$" for name in accounts]
    done = task(ou_delegate, organizational_units=units[:2], accounts=names)
    assert [d["state"] for d in done["delegations"]] == ["added"] * 4
    for unit, old in zip(units[:2], before, strict=False):
        was, now = SecurityDescriptor.parse(old), SecurityDescriptor.parse(whole_descriptor(unit))
        assert was.dacl is not None
        assert now.dacl is not None
        assert (now.control, now.owner, now.group, now.sacl) == (was.control, was.owner, was.group, was.sacl)
        assert [ace for ace in now.dacl.aces if ace in was.dacl.aces] == list(was.dacl.aces)
        assert len(now.dacl.aces) == len(was.dacl.aces) + 2
        text = audit.descriptor(domain, unit)
        for delegation in done["delegations"]:
            assert text.count(f"(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;{delegation['sid']})") == 1
            assert text.count(delegation["sid"]) == 1
    again = task(ou_delegate, organizational_units=units[:2], accounts=names)
    assert not again["changed"]
    assert again["directory"]["operations"] == {"bind": 1, "search": 7, "modify": 0, "add": 0, "delete": 0}
    task(ou_delegate, organizational_units=units[:2], accounts=names, state="absent")
    assert [whole_descriptor(unit) for unit in units] == before


def test_it_is_what_an_account_needs_to_create_a_computer_there_and_nowhere_else(
    domain: Domain,
    task: Task,
    opened: Open,
    units: list[str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
) -> None:
    name, password = next(iter(accounts.items()))
    administrator.add(f"OU=Below,{units[0]}", "organizationalUnit")
    computer = {"sAMAccountName": [b"ODJTEST1$"], "userAccountControl": [b"4096"]}
    places = [units[0], f"OU=Below,{units[0]}", units[1]]
    with opened(username=f"{domain.netbios}\\{name}$", password=password) as directory:
        with pytest.raises(DirectoryError, match=r"\(50\)"):
            directory.add(f"CN=ODJTEST1,{units[0]}", "computer", computer)
        task(ou_delegate, organizational_units=[units[0]], accounts=[name])
        outcome: list[int | None] = []
        for place in places:
            try:
                directory.add(f"CN=ODJTEST1,{place}", "computer", computer)
                outcome.append(0)
                directory.delete(f"CN=ODJTEST1,{place}")
            except DirectoryError as problem:
                outcome.append(problem.code)
    assert outcome == [0, 50, 50]


def test_names_that_the_directory_tells_apart_are_two_units(
    task: Task, yard: str, accounts: dict[str, str], administrator: ldap3.Connection, domain: Domain
) -> None:
    names = [f"OU=Straße,{yard}", f"OU=Strasse,{yard}"]
    for name in names:
        administrator.add(name, "organizationalUnit")
    own = {"username": f"{domain.netbios}\\Administrator", "password": domain.passwords["Administrator"]}
    done = task(ou_delegate, organizational_units=names, accounts=list(accounts)[:1], **own)
    assert [(d["organizational_unit"], d["state"]) for d in done["delegations"]] == [(name, "added") for name in names]
    again = task(ou_delegate, organizational_units=[f"ou=STRAßE,{yard}", f"ou=STRASSE,{yard}"],
                 accounts=list(accounts)[:1], **own)  # fmt: skip
    assert [(d["organizational_unit"], d["state"]) for d in again["delegations"]] == [(n, "present") for n in names]


def test_a_missing_right_is_named_before_the_first_write(
    task: Task, units: list[str], accounts: dict[str, str], whole_descriptor: Callable[[str], bytes]
) -> None:
    before = [whole_descriptor(unit) for unit in units]
    with pytest.raises(TargetError, match="may not write them") as caught:
        task(ou_delegate, organizational_units=units, accounts=list(accounts))
    assert caught.value.on == units[2]
    assert [whole_descriptor(unit) for unit in units] == before


def test_every_form_of_a_name_means_the_same_account(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str]
) -> None:
    name = next(iter(accounts))
    sid = task(ou_delegate, organizational_units=[units[0]], accounts=[name])["delegations"][0]["sid"]
    forms = [
        name.upper(), f"{name}$", f"{domain.netbios.lower()}\\{name}", f"{domain.name}\\{name}$",
        f"{name}@{domain.name}", f"{name}$@{domain.name}", f"CN={name},{domain.msa_container}", sid,
    ]  # fmt: skip
    for form in forms:
        done = task(ou_delegate, organizational_units=[units[0].upper()], accounts=[form])
        assert (done["changed"], done["delegations"][0]["sid"]) == (False, sid), form


def test_the_controller_sees_one_logon_for_a_task(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str]
) -> None:
    begin = time.time()
    task(ou_delegate, organizational_units=units[:2], accounts=list(accounts))
    binds = [bind for bind in audit.ldap_binds(domain, begin) if bind["account"] == "odj-automation"]
    assert len(binds) == 1


def test_units_are_found_and_their_rights_told(domain: Domain, task: Task, units: list[str], yard: str) -> None:
    names = [units[0].lower(), units[2], f"OU=None,OU=None,{yard}", domain.computers_container]
    found = task(organizational_unit_info, organizational_units=names)["organizational_units"]
    assert [unit["dn"] for unit in found[:2]] == [units[0], units[2]]
    assert [unit["can_write_dacl"] for unit in found] == [True, False, False, False]
    assert [unit["exists"] for unit in found] == [True, True, False, True]
    assert found[2]["nearest_existing"] == yard
    assert found[3]["object_class"] == "container"


def test_every_descriptor_of_the_directory_comes_back_byte_for_byte(
    administrator: ldap3.Connection, domain: Domain
) -> None:
    bases = [domain.base_dn, f"CN=Configuration,{domain.base_dn}"]
    descriptors: list[bytes] = []
    for base in bases:
        entries = administrator.extend.standard.paged_search(
            base, "(objectClass=*)", attributes=["nTSecurityDescriptor"], paged_size=500, generator=True
        )
        descriptors += [e["raw_attributes"]["nTSecurityDescriptor"][0] for e in entries if "raw_attributes" in e]
    assert len(descriptors) > 1000
    assert [SecurityDescriptor.parse(data).to_bytes() for data in descriptors] == descriptors
