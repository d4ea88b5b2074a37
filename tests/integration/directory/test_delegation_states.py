# SPDX-License-Identifier: GPL-3.0-or-later
"""The states exact and restored, the order of entries and the unusual targets, in a real directory."""

from __future__ import annotations

import json
import secrets
import stat
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, ace_to_sddl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import RestoreError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import AUTHENTICATED_USERS
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

Descriptor = Callable[[str], bytes]
KEYS = ("changed", "diff", "plan", "delegations")


@pytest.fixture
def wizards(domain: Domain, administrator: ldap3.Connection) -> Iterator[dict[str, Sid]]:
    """Make two accounts as the sign-in at a connector makes them."""
    names = [f"msaODJ{secrets.token_hex(3)[:5]}" for __ in range(2)]
    for name in names:
        administrator.add(
            f"CN={name},{domain.msa_container}",
            "msDS-ManagedServiceAccount",
            {"sAMAccountName": f"{name}$"},
        )
    yield {name: Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{name}$")) for name in names}
    for name in names:
        if lab_directory.find(administrator, domain, f"{name}$"):
            administrator.delete(f"CN={name},{domain.msa_container}")


def test_exact_leaves_only_the_listed_connectors_and_purge_takes_deleted_ones(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], wizards: dict[str, Sid],
    administrator: ldap3.Connection, whole_descriptor: Descriptor,
) -> None:  # fmt: skip
    unit, (first, second), other = units[0], wizards, next(iter(accounts))
    legacy = Sid.from_bytes(lab_directory.sid_of(administrator, domain, "ODJ01$"))
    task(ou_delegate, organizational_units=[unit], accounts=[other])
    with_other = whole_descriptor(unit)
    acl.grant(administrator, unit, AccessRule(True, 0xF01FF, legacy, None, COMPUTER_CLASS, 0x0A).to_ace())
    task(ou_delegate, organizational_units=[unit], accounts=[first, second], applies_to="subtree")
    done = task(
        ou_delegate, organizational_units=[unit], accounts=[second], applies_to="subtree", state="exact",
        connector_accounts=["odj01"],
    )  # fmt: skip
    assert {(d["account"].partition("\\")[2], d["right"], d["state"]) for d in done["delegations"]} == {
        (f"{second}$", "create_computer", "present"), (f"{first}$", "create_computer", "removed"),
        ("ODJ01$", "other", "removed"),
    }  # fmt: skip
    administrator.delete(f"CN={second},{domain.msa_container}")
    purge = {"organizational_units": [unit], "accounts": [], "purge_orphans": True}
    gone = task(ou_delegate, **purge)
    assert [(d["sid"], d["state"]) for d in gone["delegations"]] == [(str(wizards[second]), "removed")]
    assert whole_descriptor(unit) == with_other, "and nobody else lost anything"
    assert not task(ou_delegate, **purge)["changed"]


def test_a_restore_point_gives_every_byte_back(
    task: Task, units: list[str], accounts: dict[str, str], whole_descriptor: Descriptor, tmp_path: Path,
    administrator: ldap3.Connection, domain: Domain,
) -> None:  # fmt: skip
    path, before = tmp_path / "points.json", [whole_descriptor(unit) for unit in units]
    task(ou_delegate, organizational_units=units[:2], accounts=list(accounts), backup_path=str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    point = json.loads(path.read_text(encoding="utf-8"))["restore_points"][0]
    assert (point["dn"], point["server"]) == (units[0], domain.dc_address)
    restored = {"state": "restored", "backup_path": str(path)}
    theirs = AccessRule(True, 0x10, AUTHENTICATED_USERS).to_ace()
    acl.grant(administrator, units[1], theirs)
    with pytest.raises(RestoreError, match=r"\(A;;RP;;;AU\) was added"):
        task(ou_delegate, organizational_units=units[:2], **restored)
    assert whole_descriptor(units[0]) != before[0], "one refusal, and nothing is written"
    task(ou_delegate, organizational_units=units[:1], **restored)
    assert not task(ou_delegate, organizational_units=units[:1], **restored)["changed"]
    task(ou_delegate, organizational_units=units[:2], force=True, **restored)
    assert [whole_descriptor(unit) for unit in units] == before


def test_a_list_out_of_order_is_put_in_order_when_asked(
    task: Task,
    units: list[str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
    whole_descriptor: Descriptor,
) -> None:
    unit = units[0]
    deny = AccessRule(False, 0x2, AUTHENTICATED_USERS, COMPUTER_CLASS).to_ace()
    acl.grant(administrator, unit, deny, last=True)
    old = SecurityDescriptor.parse(whole_descriptor(unit))
    assert old.dacl is not None
    with pytest.raises(DelegationError, match="canonical order"):
        task(ou_delegate, organizational_units=[unit], accounts=list(accounts))
    task(ou_delegate, organizational_units=[unit], accounts=list(accounts), canonicalize=True)
    now = SecurityDescriptor.parse(whole_descriptor(unit))
    assert now.dacl is not None
    assert now.dacl.aces[0] == deny
    assert len(now.dacl.aces) == len(old.dacl.aces) + 2


def test_unusual_targets_are_refused(domain: Domain, task: Task, units: list[str], accounts: dict[str, str]) -> None:
    unusual = [
        domain.base_dn, f"OU=Domain Controllers,{domain.base_dn}", f"CN=AdminSDHolder,CN=System,{domain.base_dn}",
        domain.msa_container,
    ]  # fmt: skip
    with pytest.raises(TargetError) as caught:
        task(ou_delegate, organizational_units=[units[0], *unusual], accounts=list(accounts))
    assert all(f"{name}: it is " in str(caught.value) for name in unusual)
    assert units[0] not in str(caught.value)


def test_a_deny_for_a_group_of_the_account_is_found(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection, yard: str
) -> None:
    account = next(iter(accounts))
    inner, outer = (f"CN=g{secrets.token_hex(3)},{yard}" for __ in range(2))
    for group, member in ((inner, f"CN={account},{domain.msa_container}"), (outer, inner)):
        sam = group.partition(",")[0].removeprefix("CN=")
        administrator.add(group, "group", {"sAMAccountName": sam, "member": member})
    sid = lab_directory.sid_of(administrator, domain, outer.partition(",")[0].removeprefix("CN="))
    entry = AccessRule(False, 1, Sid.from_bytes(sid), COMPUTER_CLASS, flags=2).to_ace()
    below = f"OU=Below,{units[0]}"
    administrator.add(below, "organizationalUnit")
    acl.grant(administrator, units[0], entry)
    with pytest.raises(DelegationError, match="an entry denies it") as caught:
        task(ou_delegate, organizational_units=[below], accounts=[account])
    assert f"inherited from {units[0]}" in str(caught.value)
    assert acl.sid_text(sid) in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"state": "present"},
        {"state": "present", "rights": ["create_computer", "delete_computer", "reuse_computer"]},
        {"state": "absent", "applies_to": "subtree"},
        {"state": "exact", "connector_accounts": ["odj01"], "purge_orphans": True},
        {"state": "restored", "accounts": None},
        {"state": "restored", "accounts": None, "force": True},
    ],
    ids=lambda given: " ".join(f"{name}={value}" for name, value in given.items()),
)
def test_check_mode_says_what_is_done(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], wizards: dict[str, Sid],
    administrator: ldap3.Connection, whole_descriptor: Descriptor, tmp_path: Path, given: dict[str, t.Any],
) -> None:  # fmt: skip
    """Both units hold something for every state to do, one of them out of order; the file knows of both."""
    path, first = tmp_path / "points.json", next(iter(accounts))
    wish: dict[str, t.Any] = {
        "organizational_units": units[:2], "accounts": [first], "canonicalize": True, "backup_path": str(path)
    }  # fmt: skip
    orphan = next(iter(wizards.values())).sibling(999999)
    for sid in (orphan, Sid.from_bytes(lab_directory.sid_of(administrator, domain, "ODJ01$"))):
        for unit in units[:2]:
            acl.grant(administrator, unit, AccessRule(True, acl.CREATE_CHILD, sid, COMPUTER_CLASS).to_ace())
    task(ou_delegate, **{**wish, "accounts": [first, *wizards] if given["state"] == "absent" else list(wizards)})
    if given["state"] in ("present", "exact"):
        deny = AccessRule(False, 0x2, Sid.parse("S-1-5-32-546"), COMPUTER_CLASS).to_ace()
        acl.grant(administrator, units[1], deny, last=True)
    before, points = [whole_descriptor(unit) for unit in units], path.read_bytes()
    wish |= given if given["state"] != "restored" else {**given, "canonicalize": False}
    planned = task(ou_delegate, check=True, **wish)
    assert ([whole_descriptor(unit) for unit in units], path.read_bytes()) == (before, points)
    done = task(ou_delegate, **wish)
    assert [planned[key] for key in KEYS] == [done[key] for key in KEYS]
    assert [change["target"] for change in done["plan"]["changes"]] == units[:2]
    assert [whole_descriptor(unit) != old for unit, old in zip(units, before, strict=True)] == [True, True, False]
    texts = {unit: sddl(whole_descriptor(unit)) for unit in units}
    assert not task(ou_delegate, **wish)["changed"]
    for change, unit in zip(done["plan"]["changes"], units[:2], strict=True):
        told = [line.partition("  ")[0] for line in change["after"].splitlines()]
        assert told == texts[unit], "the diff is what stands there then, in SDDL"


def sddl(descriptor: bytes) -> list[str]:
    dacl = SecurityDescriptor.parse(descriptor).dacl
    return [ace_to_sddl(ace) for ace in dacl.aces] if dacl else []
