# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes that other tools for the same work have made, each as a whole task; tests/README.md has the table."""

from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import delegation_info, msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    COMPUTERS,
    DOMAIN_SID,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

UNIT = f"OU=Autopilot,{BASE}"
ACCOUNT = f"CN=msaODJab1cd,{MSA_CONTAINER}"
USER_CLASS = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
MSA_CLASS = uuid.UUID("ce206244-5827-4a86-ba1c-1c0c386c1b64")
READ = AccessRule(True, 0x20014, EVERYONE)
PROTECTED = 0x1000


class Domain(FakeDirectory):
    """A domain with one account and one unit."""

    def __init__(self) -> None:
        super().__init__()
        chain = (*COMPUTER_CHAIN, "msDS-ManagedServiceAccount")
        self.sid = self.account("msaODJab1cd$", cls=chain, parent=MSA_CONTAINER)
        self.hold(READ)

    def hold(self, *rules: AccessRule, unit: str = UNIT, control: int = 0) -> None:
        """Give a unit these entries."""
        self.unit(unit, *(rule.to_ace() for rule in rules))
        data = self.value(unit, "nTSecurityDescriptor") or b""
        changed = data[:2] + (int.from_bytes(data[2:4], "little") | control).to_bytes(2, "little") + data[4:]
        self.put(unit, nTSecurityDescriptor=changed)

    def held(self, unit: str = UNIT) -> list[AccessRule | None]:
        """Return the entries of a unit."""
        dacl = self.descriptor(unit).dacl
        return [AccessRule.from_ace(ace) for ace in (dacl.aces if dacl else ())]

    def descriptor(self, unit: str = UNIT) -> SecurityDescriptor:
        return SecurityDescriptor.parse(self.value(unit, "nTSecurityDescriptor") or b"")

    def delegate(self, unit: str = UNIT, **options: t.Any) -> dict[str, t.Any]:
        given = {"accounts": ["msaODJab1cd"], **options}
        return run(ou_delegate, self, organizational_units=[unit], **given)

    def create(self, **fields: t.Any) -> AccessRule:
        """Return the documented entry, with other fields."""
        return AccessRule(**{"allow": True, "mask": 1, "trustee": self.sid, "object_type": COMPUTER_CLASS, **fields})


@pytest.fixture
def domain() -> Domain:
    return Domain()


@pytest.mark.parametrize("other", [USER_CLASS, MSA_CLASS, uuid.UUID(int=0)])
def test_the_right_to_create_another_class_is_not_taken_for_this_one(domain: Domain, other: uuid.UUID) -> None:
    """A look at the mask alone, as bloodyAD's addRight does it, says of such an entry that nothing has to be done."""
    domain.hold(domain.create(object_type=other))
    assert domain.delegate()["changed"]
    assert domain.create() in domain.held()


@pytest.mark.parametrize("rights", [["create_computer"], ["create_computer", "delete_computer", "reuse_computer"]])
@pytest.mark.parametrize("applies_to", ["this_object", "subtree"])
def test_no_entry_is_ever_written_without_its_class(domain: Domain, rights: list[str], applies_to: str) -> None:
    """A lost parameter (microsoft.ad PR#72) or a short constructor (AccessControlDsc) let create every class."""
    domain.delegate(rights=rights, applies_to=applies_to)
    new = [rule for rule in domain.held() if rule != READ]
    assert new
    assert all(rule and rule.object_type for rule in new)


@pytest.mark.parametrize("flags", [0, 0x10])
def test_a_deny_that_is_in_the_way_is_named_and_stays(domain: Domain, flags: int) -> None:
    """Deleting it without a word (bloodyAD) undoes what somebody decided."""
    deny = domain.create(allow=False, flags=flags)
    domain.hold(*sorted([deny, READ], key=lambda rule: rule.inherited))
    before = domain.descriptor()
    for state in ("present", "exact"):
        with pytest.raises(DelegationError, match="an entry denies it"):
            domain.delegate(state=state)
    domain.delegate(state="absent")
    assert domain.descriptor() == before


def test_nothing_is_sent_when_nothing_has_to_change(domain: Domain) -> None:
    """To append again (dacledit, ms_active_directory) or to write the same anew (bloodyAD) makes every run a change."""
    domain.delegate()
    for state in ("present", "exact"):
        again = domain.delegate(state=state)
        assert (again["changed"], again["diff"], again["directory"]["operations"]["modify"]) == (False, [], 0)


@pytest.mark.parametrize("first", [True, False])
def test_any_entry_of_the_account_may_be_the_one(domain: Domain, first: bool) -> None:
    """A loop in which the last entry of the trustee overwrites the answer (ActiveDirectoryDsc) depends on order."""
    others = [domain.create(mask=0x10, object_type=None), domain.create(object_type=USER_CLASS)]
    domain.hold(*([domain.create(), *others] if first else [*others, domain.create()]))
    assert not domain.delegate()["changed"]


def test_entries_are_of_sids_whatever_the_account_is_called(domain: Domain) -> None:
    """Names compared as text (ActiveDirectoryDsc, AccessControlDsc) break when an account is renamed."""
    domain.delegate()
    domain.put(ACCOUNT, sAMAccountName="renamed$")
    assert not domain.delegate(accounts=["renamed"])["changed"]
    assert domain.delegate(accounts=["renamed"], state="absent")["changed"]
    assert domain.held() == [READ]


def test_one_sid_that_begins_as_another_is_another(domain: Domain) -> None:
    """An entry looked for as a piece of the SDDL of the list (samba-tool dsacl) is found where it is not."""
    longer = Sid(5, (*domain.sid.sub_authorities[:-1], domain.sid.sub_authorities[-1] * 10 + 7))
    assert str(longer).startswith(str(domain.sid))
    domain.hold(domain.create(trustee=longer))
    assert domain.delegate()["changed"]
    domain.delegate(state="absent")
    assert domain.held() == [domain.create(trustee=longer)]


def test_an_inherited_entry_that_comes_or_another_order_is_no_change(domain: Domain) -> None:
    """Two whole lists compared as SDDL text (microsoft.ad.object) differ when the server sorts or inherits."""
    domain.delegate()
    ours, above = domain.create(), AccessRule(True, 0x10, DOMAIN_SID.sibling(512), flags=0x12)
    for rules in ([READ, ours, above], [ours, READ, above], [ours, above]):
        domain.hold(*rules)
        assert not domain.delegate()["changed"]


def test_only_the_own_entry_goes_in_and_comes_out(domain: Domain) -> None:
    """A list that is written as a whole (microsoft.ad.object) loses what came since it was described."""
    theirs = [AccessRule(False, 2, EVERYONE, USER_CLASS), READ, domain.create(trustee=DOMAIN_SID.sibling(1500))]
    domain.hold(*theirs)
    domain.delegate()
    assert len(domain.held()) == 4
    assert {*domain.held()} == {*theirs, domain.create()}
    domain.delegate(state="absent")
    assert len(domain.held()) == 3
    assert {*domain.held()} == {*theirs}


@pytest.mark.parametrize("merged", [True, False])
def test_what_is_removed_is_gone(domain: Domain, merged: bool) -> None:
    """Of create and delete on CN=Computers the entry stayed with Absent (ActiveDirectoryDsc#672)."""
    rights = ["create_computer", "delete_computer"]
    apart = [READ, domain.create(), domain.create(mask=2)]
    domain.hold(*([READ, domain.create(mask=3)] if merged else apart), unit=COMPUTERS)
    domain.put(COMPUTERS, objectClass=("top", "container"))
    done = domain.delegate(COMPUTERS, rights=rights, state="absent")
    assert [d["state"] for d in done["delegations"]] == ["removed", "removed"]
    assert domain.held(COMPUTERS) == [READ]


@pytest.mark.parametrize(
    "name",
    [
        "Lab, North", "a+b", 'say "x"', "<y>", "#z", " lead", "trail ", "semi;colon", "equals=sign", "back\\slash",
        "slash/y", "star*(x)", "Büro", "日本", "tab\tx", "\\2c", "a\nb",
    ],
)  # fmt: skip
def test_any_name_of_a_unit_works(domain: Domain, name: str) -> None:
    """A distinguished name that is not escaped, or escaped twice, means nothing or another (ActiveDirectoryDsc#675)."""
    unit = str(Dn.parse(BASE).child("OU", name))
    domain.hold(READ, unit=unit)
    done = domain.delegate(unit)
    assert [d["organizational_unit"] for d in done["delegations"]] == [unit]
    assert domain.create() in domain.held(unit)
    assert not domain.delegate(unit)["changed"]


@pytest.mark.parametrize("control", [0, PROTECTED])
@pytest.mark.parametrize("state", ["present", "absent", "exact"])
def test_inheritance_is_never_cut_off_nor_let_in(domain: Domain, control: int, state: str) -> None:
    """To get rid of an inherited entry AccessControlDsc cut the whole unit off from what is above it."""
    inherited = domain.create(flags=0x12)
    domain.hold(READ, inherited, control=control)
    before = domain.descriptor().control
    done = domain.delegate(state=state, rights=["create_computer", "delete_computer"])
    found = done["delegations"][0]
    assert (found["state"], found["inherited"], found["broader"]) == ("present", True, True)
    assert inherited in domain.held()
    assert domain.descriptor().control == before


def test_the_new_entry_keeps_the_order(domain: Domain) -> None:
    """Appended behind the inherited entries (dacledit) or before the denials (samba-tool dsacl) it is out of order."""
    deny, above = AccessRule(False, 0x10000, EVERYONE), AccessRule(True, 0x10, EVERYONE, flags=0x12)
    domain.hold(deny, READ, above)
    domain.delegate()
    assert [(rule.inherited, rule.allow) for rule in domain.held() if rule] == [
        (False, False), (False, True), (False, True), (True, True)
    ]  # fmt: skip


def test_deleted_accounts_on_a_list_stop_nobody(domain: Domain) -> None:
    """A principal that is not resolved any more must not break the run for the others (ADMF#73)."""
    gone = DOMAIN_SID.sibling(4711)
    domain.put(ACCOUNT, tokenGroups=DOMAIN_SID.sibling(515).to_bytes())
    domain.hold(domain.create(allow=False, trustee=gone), domain.create(trustee=gone), READ)
    assert domain.delegate(state="exact")["changed"]
    assert {rule.trustee for rule in domain.held() if rule} == {gone, domain.sid, EVERYONE}
    done = run(delegation_info, domain, check=True, organizational_units=[UNIT], accounts=["msaODJab1cd"])
    assert done["access"][0]["can_create"] == "true"


def test_an_option_that_is_left_out_blanks_nothing(domain: Domain) -> None:
    """An attribute whose option was omitted was written as empty (ADMF#74)."""
    run(msa, domain, name="msaODJ1", description="for odj01")
    done = run(msa, domain, name="msaODJ1")
    assert not done["changed"]
    assert domain.value(f"CN=msaODJ1,{MSA_CONTAINER}", "description") == b"for odj01"


def test_the_diff_of_a_new_account_shows_all_that_is_written(domain: Domain) -> None:
    """A misspelt variable kept the encryption types of new accounts out of the diff (microsoft.ad.service_account)."""
    written: dict[str, t.Any] = {}
    add = domain.add

    def remember(dn: str, object_class: str, attributes: t.Any) -> None:
        written.update(attributes)
        add(dn, object_class, attributes)

    domain.add = remember  # type: ignore[method-assign]
    done = run(msa, domain, name="msaODJ1", description="for odj01")
    after = done["diff"][0]["after"]
    assert "msDS-SupportedEncryptionTypes" in written
    assert {name for name in written if name not in after} == set()
