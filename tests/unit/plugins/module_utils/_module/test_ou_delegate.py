# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
import uuid

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import dacl_writer
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, refused
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import (
    MSA,
    NORTH,
    PILOT,
    READ,
    aces,
    two_units,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTERS,
    CONFIGURATION,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run


@pytest.fixture
def directory() -> FakeDirectory:
    fake = two_units()
    fake.account("msa1$", cls=MSA, parent=MSA_CONTAINER)
    fake.account("msa2$", cls=MSA, parent=MSA_CONTAINER)
    return fake


def delegate(
    directory: FakeDirectory, *units: str, accounts: t.Sequence[str] = ("msa1",), **more: t.Any
) -> dict[str, t.Any]:
    return run(ou_delegate, directory, organizational_units=list(units or (PILOT,)), accounts=list(accounts), **more)


def refusal(kind: type[OdjError], directory: FakeDirectory, *units: str, **more: t.Any) -> str:
    before = [directory.value(dn, "nTSecurityDescriptor") for dn in (PILOT, NORTH)]
    with pytest.raises(kind) as caught:
        delegate(directory, *units, **more)
    assert [directory.value(dn, "nTSecurityDescriptor") for dn in (PILOT, NORTH)] == before
    assert directory.counts["modify"] == 0
    return str(caught.value)


def test_present_twice_then_absent_twice(directory: FakeDirectory) -> None:
    units, accounts = (PILOT.lower(), NORTH), ("msa1", "CONTOSO\\msa2$")
    done = delegate(directory, *units, accounts=accounts)
    assert done["changed"]
    assert len(done["diff"]) == 2
    assert [d["state"] for d in done["delegations"]] == ["added"] * 4
    assert {d["organizational_unit"] for d in done["delegations"]} == {PILOT, NORTH}
    assert done["directory"]["operations"] == {"bind": 1, "search": 11, "modify": 2, "add": 0, "delete": 0}
    again = delegate(directory, *units, accounts=accounts)
    assert not again["changed"]
    assert {d["state"] for d in again["delegations"]} == {"present"}
    assert again["directory"]["operations"] == {"bind": 1, "search": 7, "modify": 0, "add": 0, "delete": 0}
    gone = delegate(directory, *units, accounts=accounts, state="absent")
    assert {d["state"] for d in gone["delegations"]} == {"removed"}
    assert aces(directory, PILOT) == aces(directory, NORTH) == (READ,)
    assert not delegate(directory, *units, accounts=accounts, state="absent")["changed"]


def test_check_mode_says_the_same_and_writes_nothing(directory: FakeDirectory) -> None:
    planned = delegate(directory, PILOT, NORTH, check=True)
    assert aces(directory, PILOT) == (READ,)
    done = delegate(directory, PILOT, NORTH)
    for key in ("changed", "diff", "plan", "delegations"):
        assert planned[key] == done[key]


def test_a_name_given_twice_is_one_name(directory: FakeDirectory) -> None:
    done = delegate(directory, PILOT, PILOT.upper(), accounts=["msa1", "msa1$", f"CN=msa1,{MSA_CONTAINER}"])
    assert len(done["delegations"]) == 1
    assert len(aces(directory, PILOT)) == 2


def test_no_account_yet_changes_nothing_and_says_so(directory: FakeDirectory) -> None:
    done = delegate(directory, accounts=[])
    assert not done["changed"]
    assert done["delegations"] == []
    assert "No account was given" in done["note"]


def test_all_malformed_names_are_refused_at_once_and_before_contact(directory: FakeDirectory) -> None:
    message = refusal(InvalidInput, directory, PILOT, "OU=Lab, North,DC=x", "Autopilot")
    assert "OU=Lab, North" in message
    assert "'Autopilot'" in message
    assert "(CONTOSO\\)" in refusal(InvalidInput, directory, accounts=["CONTOSO\\"])
    assert directory.counts["search"] == 0


def test_all_missing_units_are_refused_at_once_with_what_is_above_them(directory: FakeDirectory) -> None:
    message = refusal(TargetError, directory, PILOT, f"OU=No,{PILOT}", f"OU=Nor,{BASE}")
    assert f"OU=No,{PILOT}: there is no such object; the nearest object above that exists is {PILOT}" in message
    assert f"OU=Nor,{BASE}: there is no such object; the nearest object above that exists is {BASE}" in message


def test_what_is_no_unit_is_refused_but_the_computers_container_is_taken(directory: FakeDirectory) -> None:
    message = refusal(TargetError, directory, PILOT, MSA_CONTAINER, BASE)
    assert f"{MSA_CONTAINER}: it is of class container" in message
    assert f"{BASE}: it is the root of the domain" in message
    assert delegate(directory, COMPUTERS)["changed"]


def test_accounts_that_mean_nothing_or_too_much_are_refused_at_once(directory: FakeDirectory) -> None:
    directory.account("msa1")
    names = ["msa1", "nobody", "FABRIKAM\\msa2", "S-1-5-21-9-9-9-9", "msa2"]
    message = refusal(DirectoryError, directory, accounts=names)
    assert "msa1: it means more than one account" in message
    assert "nobody: there is no such account in contoso.test" in message
    assert "FABRIKAM\\msa2: this domain controller holds CONTOSO (contoso.test), not FABRIKAM" in message
    assert "S-1-5-21-9-9-9-9: there is no such account" in message
    assert " msa2:" not in message


def test_the_sid_of_a_deleted_account_can_still_lose_the_right(directory: FakeDirectory) -> None:
    delegate(directory)
    sid = delegate(directory)["delegations"][0]["sid"]
    directory.delete(f"CN=msa1,{MSA_CONTAINER}")
    done = delegate(directory, accounts=[sid], state="absent")
    assert done["delegations"][0] | {"ace": "", "aces": []} == {
        "organizational_unit": PILOT, "account": sid, "sid": sid, "right": "create_computer",
        "state": "removed", "broader": False, "inherited": False, "ace": "", "aces": [],
        "inherited_from": "",
    }  # fmt: skip
    assert aces(directory, PILOT) == (READ,)


def test_a_missing_right_is_found_before_the_first_write(directory: FakeDirectory) -> None:
    directory.unit(NORTH, READ, writable=False)
    message = refusal(TargetError, directory, PILOT, NORTH)
    assert NORTH in message
    assert "CONTOSO\\auto may not write them" in message
    assert PILOT not in message


def test_a_missing_right_does_not_matter_where_nothing_has_to_change(directory: FakeDirectory) -> None:
    delegate(directory)
    directory.put(PILOT, sDRightsEffective="0")
    assert not delegate(directory)["changed"]


def test_an_unreadable_list_is_refused(directory: FakeDirectory) -> None:
    directory.put(NORTH, nTSecurityDescriptor=())
    assert f"{NORTH}: its access list cannot be read" in refusal(TargetError, directory, PILOT, NORTH)


def test_all_units_with_a_deny_are_named_at_once(directory: FakeDirectory) -> None:
    for dn in (PILOT, NORTH):
        directory.unit(dn, AccessRule(False, 1, EVERYONE, COMPUTER_CLASS).to_ace())
    message = refusal(OdjError, directory, PILOT, NORTH)
    assert message.count("(OD;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;WD)") == 2


@pytest.mark.parametrize("guid", [uuid.UUID("ce206244-5827-4a86-ba1c-1c0c386c1b64").bytes_le, b"short"])
def test_a_schema_with_another_class_guid_is_refused(directory: FakeDirectory, guid: bytes) -> None:
    directory.put(f"CN=Computer,CN=Schema,{CONFIGURATION}", schemaIDGUID=guid)
    assert "check the class computer against the schema" in refusal(DirectoryError, directory)


@pytest.mark.parametrize("state", ["present", "absent", "exact"])
def test_a_schema_that_cannot_be_read_is_refused(directory: FakeDirectory, state: str) -> None:
    """A name twice is no answer either."""
    directory.put(f"CN=Computer,CN=Schema,{CONFIGURATION}", schemaIDGUID=())
    assert "the schema says nothing" in refusal(DirectoryError, directory, state=state)
    directory.put(f"CN=Computer,CN=Schema,{CONFIGURATION}", schemaIDGUID=COMPUTER_CLASS.bytes_le)
    directory.put(f"CN=Twice,CN=Schema,{CONFIGURATION}", lDAPDisplayName="computer")
    assert "the schema says nothing" in refusal(DirectoryError, directory, state=state)


def test_everything_is_read_before_the_first_write(directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with the last unit or account of many is known when the first list is written."""
    units = [directory.unit(f"OU=u{number},{PILOT}", READ) for number in range(60)]
    search, modify = directory.search, directory.modify
    order: list[str] = []
    seen: set[bytes] = set()

    def searched(*args: t.Any, **options: t.Any) -> t.Any:
        found = search(*args, **options)
        if not order:
            seen.update(value for entry in found for value in entry.all("objectSid"))
            seen.update(entry.dn.encode() for entry in found if entry.one("nTSecurityDescriptor"))
        return found

    def modified(dn: str, *args: t.Any, **options: t.Any) -> None:
        order.append(dn)
        modify(dn, *args, **options)

    monkeypatch.setattr(directory, "search", searched)
    monkeypatch.setattr(directory, "modify", modified)
    done = delegate(directory, *units, accounts=["msa1", "msa2"])
    sids = {Sid.parse(row["sid"]).to_bytes() for row in done["delegations"]}
    assert sorted(order) == sorted(units)
    assert {dn.encode() for dn in units} | sids <= seen


@pytest.mark.parametrize("options", [{"state": "absent"}, {"state": "exact", "accounts": ["msa2"]},
                                     {"accounts": ["msa2"], "purge_orphans": True},
                                     {"accounts": ["msa2"], "canonicalize": True}])  # fmt: skip
def test_a_deny_is_never_removed(directory: FakeDirectory, options: dict[str, t.Any]) -> None:
    wizard = directory.account("msaODJab1cd$", cls=MSA)
    msa1 = Sid.from_bytes(directory.value(f"CN=msa1,{MSA_CONTAINER}", "objectSid") or b"")
    denials = {AccessRule(False, 1, sid, COMPUTER_CLASS).to_ace() for sid in (wizard, msa1, wizard.sibling(99999))}
    directory.unit(PILOT, *denials, AccessRule(True, 1, msa1, COMPUTER_CLASS).to_ace())
    assert delegate(directory, **options)["changed"]
    assert denials <= set(aces(directory, PILOT))


def test_a_refusal_halfway_says_what_was_done(directory: FakeDirectory) -> None:
    directory.refuse[NORTH] = refused("change nTSecurityDescriptor", NORTH, 50, "insufficientAccessRights", "")
    with pytest.raises(OdjError) as caught:
        delegate(directory, PILOT, NORTH)
    assert f"Changed before this: {PILOT}." in str(caught.value)
    assert len(aces(directory, PILOT)) == 2


def test_what_another_writer_did_since_the_plan_is_kept(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign-in at a server gives another account the right while our task is between its units."""
    modify = directory.modify
    wizards = AccessRule(True, 1, directory.account("msaODJab1cd$", cls=MSA), COMPUTER_CLASS).to_ace()

    def wizard_signs_in_meanwhile(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        if dn == PILOT:
            directory.unit(NORTH, READ, wizards)

    monkeypatch.setattr(directory, "modify", wizard_signs_in_meanwhile)
    monkeypatch.setattr(dacl_writer, "WINDOW", -1.0)  # each list is read again right before its write
    done = delegate(directory, PILOT, NORTH)
    assert {READ, wizards} < set(aces(directory, NORTH))
    assert len(aces(directory, NORTH)) == 3
    assert done["written_again"] == [NORTH]


def test_an_entry_that_another_writer_overwrote_is_put_there_again(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer read the list before us and writes it after us: our entry is gone, and theirs is to stay."""
    modify = directory.modify
    theirs = AccessRule(True, 2, directory.account("other$", cls=MSA), COMPUTER_CLASS).to_ace()

    def overtaken(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        if directory.counts["modify"] == 1:
            directory.unit(dn, READ, theirs)

    monkeypatch.setattr(directory, "modify", overtaken)
    done = delegate(directory)
    assert {READ, theirs} < set(aces(directory, PILOT))
    assert len(aces(directory, PILOT)) == 3
    assert (done["written_again"], directory.counts["modify"]) == ([PILOT], 2)


def test_the_last_look_is_after_all_who_read_the_old_list_have_written(
    directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other writer writes as late as it may: WINDOW after our own write."""
    late: list[tuple[float, t.Callable[[], object]]] = []

    class BusyClock(StandingClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            while late and late[0][0] <= self.monotonic():
                late.pop(0)[1]()

    directory.clock = BusyClock()
    modify = directory.modify

    def overtaken_late(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        if directory.counts["modify"] == 1:
            late.append((directory.clock.monotonic() + dacl_writer.WINDOW, lambda: directory.unit(dn, READ)))

    monkeypatch.setattr(directory, "modify", overtaken_late)
    delegate(directory)
    assert len(aces(directory, PILOT)) == 2


def test_who_is_overwritten_again_and_again_says_so(directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    modify = directory.modify

    def overtaken(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        directory.unit(dn, READ)

    monkeypatch.setattr(directory, "modify", overtaken)
    with pytest.raises(DirectoryError, match="something else each of the 10 times") as caught:
        delegate(directory)
    assert caught.value.on == PILOT
    assert directory.counts["modify"] == 10


def test_a_unit_that_vanishes_meanwhile_is_an_error(directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    modify = directory.modify

    def removed(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        directory.put(dn, nTSecurityDescriptor=())

    monkeypatch.setattr(directory, "modify", removed)
    with pytest.raises(DirectoryError, match="not there any more, or may not be read"):
        delegate(directory)
