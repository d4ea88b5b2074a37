# SPDX-License-Identifier: GPL-3.0-or-later
"""What the audit says to do about a finding, done in a real directory: the finding is there, and then it is gone."""

from __future__ import annotations

import types
import typing as t
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import ldap3
import pytest
from ldap3.protocol.microsoft import security_descriptor_control

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info, msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

COMPUTER = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2")
INHERITED_ONLY = lists.CONTAINER_INHERIT | lists.INHERIT_ONLY
Finding: t.TypeAlias = dict[str, t.Any]


class Site:
    """A yard with a unit, and the account that is audited."""

    def __init__(self, domain: Domain, task: Task, administrator: ldap3.Connection, yard: str, account: str) -> None:
        self.domain, self.task, self.administrator, self.yard = domain, task, administrator, yard
        self.unit, self.account = f"OU=One,{yard}", account
        self.sid = lab_directory.sid_of(administrator, domain, f"{self.account}$")
        self.power = {"username": f"{domain.netbios}\\Administrator", "password": domain.passwords["Administrator"]}

    @property
    def orphan(self) -> bytes:
        return self.sid[:-4] + (99999).to_bytes(4, "little")

    def give(
        self, sid: bytes | None = None, mask: int = lists.CREATE, kind: uuid.UUID | None = COMPUTER, flags: int = 0, *,
        deny: int = 0, heir: uuid.UUID | None = None, on: str = "", last: bool = False,
    ) -> None:  # fmt: skip
        entry = lists.ace(deny, flags, mask, sid or self.sid, kind, heir)
        acl.grant(self.administrator, on or self.unit, entry, last=last)

    def find(self, code: str) -> list[Finding]:
        done = self.task(delegation_info, organizational_units=[self.unit], accounts=[self.account])
        return [finding for finding in done["findings"] if finding["code"] == code]

    def run(self, module: types.ModuleType, **options: t.Any) -> bool:
        """Run a task as Administrator, and say whether it changed something."""
        return bool(self.task(module, **self.power, **options)["changed"])

    def delegate(self, finding: Finding, **options: t.Any) -> bool:
        given = {"organizational_units": finding["organizational_units"], "accounts": [self.account], **options}
        return self.run(ou_delegate, **given)

    def change_list(self, dn: str, change: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]) -> None:
        """Do what the Security tab does."""
        self.administrator.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"],
                                  controls=acl.DACL_ONLY)  # fmt: skip
        raw = acl.responses(self.administrator)[0]["raw_attributes"]["nTSecurityDescriptor"][0]
        old = SecurityDescriptor.parse(raw)
        assert old.dacl is not None
        new = old.with_dacl(change(old.dacl.aces)).to_bytes()
        self.administrator.modify(dn, {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [new])]}, controls=acl.DACL_ONLY)

    def take(self, finding: Finding) -> None:
        """Remove the entry that a finding names where it says, by hand."""
        for dn in finding["organizational_units"]:
            self.change_list(dn, lambda aces: tuple(ace for ace in aces if ace_to_sddl(ace) != finding["ace"]))

    def own(self, sid: bytes) -> None:
        value = lists.descriptor(sid, sid, (), protected=False)
        self.administrator.modify(self.unit, {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [value])]},
                                  controls=security_descriptor_control(sdflags=1))  # fmt: skip

    def attribute(self, **values: t.Any) -> None:
        dn = f"CN={self.account},{self.domain.msa_container}"
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()}
        self.administrator.modify(dn, t.cast(t.Any, changes))

    def sid_of(self, name: str) -> bytes:
        return lab_directory.sid_of(self.administrator, self.domain, name)


@dataclass(frozen=True)
class Case:
    """A finding: how it comes about, what its cure says, and that done.

    Attributes:
        code: The finding.
        says: Words in the cure.
        arrange: Brings it about.
        mend: Does what the cure says.

    """

    code: str
    says: tuple[str, ...]
    arrange: Callable[[Site], object]
    mend: Callable[[Site, Finding], object]


BY_HAND = "Security tab"


def allow_and_deny(site: Site) -> None:
    site.give()
    site.give(deny=lists.DENY)


def allow_at_last(site: Site, finding: Finding) -> None:
    with pytest.raises(DelegationError, match="denies it"):
        site.delegate(finding, state="present")
    site.take(finding)
    assert site.delegate(finding, state="present")


def swap(site: Site, finding: Finding) -> None:
    assert not site.delegate(finding, state="present"), "the broader one counts as present"
    assert site.delegate(finding, state="absent", applies_to="subtree")
    assert site.delegate(finding, state="present")


def swap_by_hand(site: Site, finding: Finding) -> None:
    assert not site.delegate(finding, state="absent", applies_to="subtree"), "it is none of ours"
    site.take(finding)
    assert site.delegate(finding, state="present")


def from_above(site: Site, finding: Finding) -> None:
    assert f"on {site.yard} " in finding["cure"]
    assert not site.delegate(finding, state="present"), "the inherited one counts as present"
    assert site.delegate({"organizational_units": [site.yard]}, state="absent", applies_to="subtree")
    assert site.delegate(finding, state="present")


def legacy_by_hand(site: Site, finding: Finding) -> None:
    options = {"state": "exact", "connector_accounts": ["odj02"]}
    site.delegate(finding, **options)
    assert site.find("legacy_computer_account"), "an entry about everything is no delegation"
    site.take(finding)


def remove_account(site: Site, finding: Finding) -> None:
    units = finding["organizational_units"]
    assert units == [site.unit]
    assert site.run(msa, name=site.account, state="absent", remove_delegations=units)
    site.administrator.add(  # for the fixture, and to be audited again
        f"CN={site.account},{site.domain.msa_container}",
        "msDS-ManagedServiceAccount",
        {"sAMAccountName": f"{site.account}$", "userAccountControl": 4096},
    )
    link(site, finding)
    assert not site.find("orphaned_sid")


def link(site: Site, finding: Finding) -> None:
    assert site.run(msa, name=site.account, host="odj03")


def orphans_by_hand(site: Site, finding: Finding) -> None:
    assert not site.delegate(finding, accounts=[], purge_orphans=True)
    site.take(finding)


CASES = {
    "missing": Case("missing", ("state=present",), lambda s: None, lambda s, f: s.delegate(f, state="present")),
    "missing, denied": Case(
        "missing", ("Deny", BY_HAND, "state=present"),
        lambda s: s.give(deny=lists.DENY), allow_at_last,
    ),
    "deny_shadow": Case(
        "deny_shadow", ("never removes", BY_HAND),
        allow_and_deny, lambda s, f: s.take(f),
    ),
    "whole tree": Case(
        "broader", ("state=absent", "applies_to=subtree", "state=present"),
        lambda s: s.give(flags=lists.CONTAINER_INHERIT), swap,
    ),
    "full control": Case(
        "broader", (BY_HAND, "state=present"), lambda s: s.give(mask=lists.FULL, kind=None), swap_by_hand
    ),
    "ownership": Case(
        "broader", ("Make Domain Admins the owner",),
        lambda s: s.own(s.sid), lambda s, f: s.own(s.sid_of("Domain Admins")),
    ),
    "inherited": Case(
        "inherited", ("state=absent", "applies_to=subtree", "state=present"),
        lambda s: s.give(flags=lists.CONTAINER_INHERIT, on=s.yard), from_above,
    ),
    "orphan": Case(
        "orphaned_sid", ("purge_orphans=true",),
        lambda s: s.give(s.orphan), lambda s, f: s.delegate(f, accounts=[], purge_orphans=True),
    ),
    "orphan with another right": Case(
        "orphaned_sid", (BY_HAND, "purge_orphans=true"),
        lambda s: s.give(s.orphan, acl.WRITE_PROPERTY, None), orphans_by_hand,
    ),
    "legacy on computers": Case(
        "legacy_computer_account", ("state=exact", "connector_accounts=[CONTOSO\\ODJ02$]"),
        lambda s: s.give(s.sid_of("ODJ02$"), lists.FULL, None, INHERITED_ONLY, heir=COMPUTER),
        lambda s, f: s.delegate(f, state="exact", connector_accounts=[f["account"]]),
    ),
    "legacy on everything": Case(
        "legacy_computer_account", (BY_HAND,),
        lambda s: s.give(s.sid_of("ODJ02$"), lists.FULL, None), legacy_by_hand,
    ),
    "makes service accounts": Case(
        "creates_service_accounts", (BY_HAND,),
        lambda s: s.give(kind=lab_directory.schema_guid(s.administrator, s.domain, "msDS-ManagedServiceAccount")),
        lambda s, f: s.take(f),
    ),
    "without host, gone": Case(
        "without_host", ("state=absent", "remove_delegations"), lambda s: s.give(), remove_account
    ),
    "without host, needed": Case("without_host", ("odj_msa with host",), lambda s: None, link),
    "disabled": Case(
        "disabled", ("odj_msa", "kind=standalone", "enabled=true"), lambda s: s.attribute(userAccountControl=4098),
        lambda s, f: s.run(msa, name=s.account, kind="standalone", enabled=True),
    ),
    "not canonical": Case(
        "not_canonical", ("canonicalize=true", BY_HAND),
        lambda s: s.give(lists.WELL_KNOWN["Guests"], lists.DELETE_CHILD, deny=lists.DENY, last=True),
        lambda s, f: s.delegate(f, state="present", canonicalize=True),
    ),
    "unreadable": Case(
        "unreadable", ("READ_CONTROL",),
        lambda s: s.give(s.sid_of("odj-automation"), 0x20000, None, deny=lists.DENY),
        lambda s, f: s.change_list(s.unit, lambda aces: aces[1:]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_cure_cures(
    domain: Domain, task: Task, administrator: ldap3.Connection, yard: str, accounts: dict[str, str], name: str
) -> None:
    site, case = Site(domain, task, administrator, yard, next(iter(accounts))), CASES[name]
    administrator.add(site.unit, "organizationalUnit")
    case.arrange(site)
    (finding,) = site.find(case.code)
    assert [word for word in case.says if word not in finding["cure"]] == [], finding["cure"]
    case.mend(site, finding)
    assert site.find(case.code) == []
