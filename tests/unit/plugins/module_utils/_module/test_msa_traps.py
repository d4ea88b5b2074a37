# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories in which something is not as odj_msa would make it: names, places, kinds, look-alikes, interruptions."""

from __future__ import annotations

import json
import typing as t
import unicodedata
from contextlib import nullcontext

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry, Equals, Filter
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import (
    DirectoryError,
    refused,
    unreachable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import FULL_CONTROL, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    MSA_CONTAINER,
    FakeDirectory,
    dacl,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import parameters, run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.service_accounts import GROUP, HOST, two_computers

HERE = f"CN=msaODJ1,{MSA_CONTAINER}"
SMSA = (*COMPUTER_CHAIN, "msDS-ManagedServiceAccount")


@pytest.fixture
def directory() -> FakeDirectory:
    return two_computers()


def account(directory: FakeDirectory, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run(msa, directory, check=check, **{"name": "msaODJ1", **options})


def refusal(error: type[OdjError], directory: FakeDirectory, **options: t.Any) -> str:
    for check in (True, False):
        with pytest.raises(error) as caught:
            account(directory, check=check, **options)
        assert not {"add", "modify", "delete"} & set(directory.counts)
    return str(caught.value)


def test_a_group_account_is_not_taken_for_a_standalone_one(directory: FakeDirectory) -> None:
    account(directory, **GROUP)
    assert "it exists as a group one" in refusal(ServiceAccountError, directory, name="gmsaODJ")
    assert "it is a group one" in refusal(ServiceAccountError, directory, name="gmsaODJ", state="absent")


@pytest.mark.parametrize("cls", [("top", "user"), COMPUTER_CHAIN, ("top", "group")])
def test_a_name_that_something_else_has(directory: FakeDirectory, cls: tuple[str, ...]) -> None:
    directory.account("msaODJ1$", cls=cls)
    for state in ("present", "absent"):
        assert f"of class {cls[-1]}" in refusal(ServiceAccountError, directory, state=state)


def test_an_account_whose_cn_is_not_its_name_is_used_where_it_is(directory: FakeDirectory) -> None:
    unit = directory.unit(f"OU=Service accounts,{BASE}")
    directory.account("msaODJ1$", cls=SMSA)
    there = f"CN=Renamed,{unit}"
    directory.put(there, objectClass=SMSA, sAMAccountName="msaODJ2$", objectSid=Sid(5, (21, 1, 2, 3, 7)).to_bytes(),
                  userAccountControl="4098")  # fmt: skip
    done = account(directory, name="MSAodj2", host="odj01", enabled=True)
    assert [(c["action"], c["target"]) for c in done["plan"]["changes"]] == [("modify", there), ("link_host", HOST)]
    assert directory.value(HOST, "msDS-HostServiceAccount") == there.encode()
    assert (done["service_account"]["name"], done["service_account"]["enabled"]) == ("msaODJ2", True)
    assert not account(directory, name="msaODJ2", host="odj01")["changed"]
    account(directory, name="msaODJ2", state="absent", force=True)
    assert account(directory, name="msaODJ2", state="absent")["changed"] is False


def test_an_account_that_somebody_disabled_stays_so_until_it_is_asked_for(directory: FakeDirectory) -> None:
    assert account(directory)["service_account"]["enabled"], "a new one may be used"
    account(directory, enabled=False)
    kept = account(directory, description="x", host="odj01")
    assert (kept["changed"], kept["service_account"]["enabled"]) == (True, False)
    assert kept["remarks"] == ["msaODJ1$ is disabled and stays so. Set enabled to true when it is to be used."]
    assert account(directory, enabled=False)["remarks"] == []
    assert account(directory, enabled=True)["service_account"]["enabled"]
    assert not account(directory, name="msaODJ2", enabled=False)["service_account"]["enabled"]


def test_a_place_that_is_taken_is_found_before_anything_is_written(directory: FakeDirectory) -> None:
    directory.put(HERE, objectClass=SMSA, sAMAccountName="other$")
    assert "taken by other$ of class msDS-ManagedServiceAccount" in refusal(ServiceAccountError, directory)
    directory.put(HERE, objectClass=("top", "contact"), sAMAccountName=())
    assert "taken by an object of class contact" in refusal(ServiceAccountError, directory)


def test_the_container_is_found_where_it_was_moved_to(directory: FakeDirectory) -> None:
    place = f"CN=Dienste,OU=Verwaltung\\, IT,{BASE}"
    directory.put(place, objectClass=("top", "container"))
    directory.put(BASE, otherWellKnownObjects=f"B:32:1EB93889E40C45DF9F0C64D23BBB6237:{place}")
    assert account(directory)["service_account"]["dn"] == f"CN=msaODJ1,{place}"
    directory.put(BASE, otherWellKnownObjects=())
    assert "Set path" in refusal(DirectoryError, directory, name="msaODJ2")
    assert account(directory, name="msaODJ2", path=place.lower())["service_account"]["dn"].startswith("CN=msaODJ2")


def test_a_name_beyond_ascii(directory: FakeDirectory) -> None:
    done = account(directory, name="msaÖdj ß1", description="für odj01")
    assert done["service_account"]["dn"] == f"CN=msaÖdj ß1,{MSA_CONTAINER}"
    assert not account(directory, name="MSAödj ß1$", description="für odj01")["changed"]
    assert account(directory, name="msaÖdj ß1", state="absent")["changed"]
    assert "1 to 15" in refusal(InvalidInput, directory, name="msa😀😀😀😀😀😀x")


class WithoutAccents(FakeDirectory):
    """Compares names as Active Directory does, for which accents do not count."""

    def _matches(self, entry: Entry, where: Filter) -> bool:
        if isinstance(where, Equals) and where.attribute == "sAMAccountName":
            return bare(entry.text("sAMAccountName")) == bare(str(where.value))
        return super()._matches(entry, where)


def bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def test_an_account_that_only_sounds_alike_is_left_alone() -> None:
    directory = WithoutAccents()
    account(directory, name="msaÖdj")
    for state in ("present", "absent"):
        assert "for the one of msaÖdj$" in refusal(ServiceAccountError, directory, name="msaOdj", state=state)
    assert not account(directory, name="MSAöDJ")["changed"]


def test_one_computer_by_many_names_is_one_host(directory: FakeDirectory) -> None:
    names = ["odj01", "ODJ01$", "odj01.contoso.test", "ODJ01.Contoso.Test", HOST, HOST.lower()]
    assert account(directory, hosts={"set": names})["service_account"]["hosts"] == [HOST]
    assert account(directory, **GROUP, hosts={"add": names})["service_account"]["hosts"] == [HOST]
    for remove in names[1:]:
        both = {"add": ["odj01"], "remove": [remove]}
        assert "both to add and to remove" in refusal(InvalidInput, directory, hosts=both)
    both = {"add": ["odj01"], "remove": ["CONTOSO\\ODJ01$"]}
    assert "CONTOSO\\ODJ01$" in refusal(InvalidInput, directory, **GROUP, readers=both)


def test_two_computers_of_one_name_are_not_chosen_from(directory: FakeDirectory) -> None:
    directory.put(f"CN=ODJ02,CN=Users,{BASE}", dNSHostName="odj01.contoso.test")
    assert "odj01.contoso.test: it means more than one computer" in refusal(
        DirectoryError, directory, host="odj01.contoso.test"
    )


def test_a_read_only_domain_controller_is_a_computer(directory: FakeDirectory) -> None:
    directory.account("RODC1$", cls=COMPUTER_CHAIN, parent=f"OU=Domain Controllers,{BASE}")
    controller = f"CN=RODC1,OU=Domain Controllers,{BASE}"
    directory.put(controller, userAccountControl=str(0x4000000 | 0x1000000 | 0x1000), primaryGroupID="521")
    assert account(directory, host="rodc1")["service_account"]["hosts"] == [controller]


@pytest.mark.parametrize(
    "kind", ["msDS-ManagedServiceAccount", "msDS-GroupManagedServiceAccount", "msDS-DelegatedManagedServiceAccount"]
)
def test_no_kind_of_service_account_is_a_computer(directory: FakeDirectory, kind: str) -> None:
    directory.account("svc$", cls=(*COMPUTER_CHAIN, kind))
    directory.put(f"CN=svc,CN=Users,{BASE}", dNSHostName="odj01.contoso.test")
    assert "there is no such computer" in refusal(DirectoryError, directory, host="svc")
    done = account(directory, host="odj01.contoso.test")
    assert done["service_account"]["hosts"] == [HOST]
    reading = account(directory, **GROUP, readers={"set": ["svc"]})
    assert (len(reading["service_account"]["allowed_readers"]), reading["remarks"]) == (1, [])


def test_flags_that_are_no_encryption_types_stay(directory: FakeDirectory) -> None:
    account(directory)
    directory.put(HERE, **{"msDS-SupportedEncryptionTypes": str(0x20000 | 0x4)})  # compound identity, RC4
    aes: dict[str, t.Any] = {"kerberos_encryption_types": ["aes128", "aes256"]}
    done = account(directory, **aes)
    assert done["diff"][0]["after"] == f"msDS-SupportedEncryptionTypes: {0x20000 | 0x18}\n"
    assert directory.value(HERE, "msDS-SupportedEncryptionTypes") == str(0x20000 | 0x18).encode()
    assert not account(directory, **aes)["changed"]
    assert "it is empty" in refusal(InvalidInput, directory, kerberos_encryption_types=[])


@pytest.mark.parametrize("present", ["28", "4", "0", "", "131076"])
def test_encryption_types_that_are_not_asked_for_are_left_as_they_are(directory: FakeDirectory, present: str) -> None:
    """Taking RC4 from an account that works is nothing that a description asks for."""
    account(directory)
    directory.put(HERE, **{"msDS-SupportedEncryptionTypes": present or ()})
    done = account(directory, description="for a test", enabled=True)
    assert done["diff"][0]["after"] == "description: for a test\n"
    kept = directory.value(HERE, "msDS-SupportedEncryptionTypes")
    assert kept == (present.encode() or None)
    assert not account(directory)["changed"]


def test_a_run_after_an_interruption_goes_on(directory: FakeDirectory) -> None:
    directory.refuse[HOST] = refused("change msDS-HostServiceAccount", HOST, 50, "insufficientAccessRights", "")
    with pytest.raises(OdjError, match=r"Changed before this: .*create the standalone"):
        account(directory, host="odj01")
    del directory.refuse[HOST]
    assert [c["action"] for c in account(directory, host="odj01")["plan"]["changes"]] == ["link_host"]
    sid = Sid.from_bytes(directory.value(HERE, "objectSid") or b"")
    grant = RIGHTS["create_computer"].parts[0].rule(sid, subtree=False).to_ace()
    units = [directory.unit(f"OU={name},{BASE}", grant) for name in ("A", "B")]
    gone: dict[str, t.Any] = {"state": "absent", "force": True, "remove_delegations": units}
    directory.refuse[units[1]] = unreachable("change nTSecurityDescriptor", units[1], "the server ended the connection")
    with pytest.raises(OdjError, match="before this: OU=A"):
        account(directory, **gone)
    del directory.refuse[units[1]]
    done = account(directory, **gone)
    assert [(c["action"], c["target"]) for c in done["plan"]["changes"]] == [
        ("replace_dacl", units[1]),
        ("delete", HERE),
    ]
    assert [directory.value(unit, "nTSecurityDescriptor") for unit in units] == [dacl()] * 2


def test_entries_of_an_account_that_was_made_anew_are_not_mixed_up(directory: FakeDirectory) -> None:
    """The SID of the first one is nobody's; what speaks of it is kept to the byte until somebody names it."""
    account(directory)
    account(directory, **GROUP, readers={"add": ["msaODJ1$"]})
    old = Sid.from_bytes(directory.value(HERE, "objectSid") or b"")
    account(directory, state="absent")
    account(directory)
    new = Sid.from_bytes(directory.value(HERE, "objectSid") or b"")
    assert old != new
    grants = [RIGHTS["create_computer"].parts[0].rule(sid, subtree=False).to_ace() for sid in (old, new)]
    unit = directory.unit(f"OU=PCs,{BASE}", *grants)
    account(directory, state="absent", remove_delegations=[unit])
    assert directory.value(unit, "nTSecurityDescriptor") == dacl(grants[0])
    account(directory)
    both = account(directory, **GROUP, readers={"add": ["msaODJ1"]})["service_account"]["allowed_readers"]
    assert both[0] == str(old)
    assert len(both) == 2
    assert account(directory, **GROUP, readers={"remove": [str(old)]})["service_account"]["allowed_readers"] == both[1:]


def test_what_is_not_the_list_of_readers_and_what_is_not_understood_stays_to_the_byte(directory: FakeDirectory) -> None:
    """Owner, group, audit list, flags, and entries of types and SIDs that nobody here knows."""
    account(directory, **GROUP)
    ghere, attribute = f"CN=gmsaODJ,{MSA_CONTAINER}", "msDS-GroupMSAMembership"
    one, two = (Sid.from_bytes(directory.value(f"CN=ODJ0{n},CN=Users,{BASE}", "objectSid") or b"") for n in (1, 2))
    unknown = bytes.fromhex("7f000c000102030405060708")
    stranger = AccessRule(True, 0x20, Sid(5, (21, 9, 9, 9, 9))).to_ace()
    deny = AccessRule(False, FULL_CONTROL, Sid(5, (21, 9, 9, 9, 8))).to_ace()
    grants = [AccessRule(True, FULL_CONTROL, sid).to_ace() for sid in (one, two)]
    old = SecurityDescriptor(
        SELF_RELATIVE | DACL_PRESENT | SACL_PRESENT | 0x1400,  # 0x1400: protected from inheritance, inherited once
        owner=one.to_bytes(),
        group=two.to_bytes(),
        sacl=Acl(2, (bytes((2, 0xC0)) + stranger[2:],)),
        dacl=Acl(4, (deny, unknown, grants[0], stranger)),
    )
    directory.put(ghere, **{attribute: old.to_bytes()})
    account(directory, **GROUP, readers={"add": ["odj02"], "remove": ["odj01"]})
    wanted = old.with_dacl((deny, unknown, stranger, grants[1]))
    assert directory.value(ghere, attribute) == wanted.to_bytes()


def test_a_result_holds_nothing_secret_and_no_bytes(directory: FakeDirectory) -> None:
    done = account(directory, **GROUP, readers={"set": ["odj01"]}, hosts={"set": ["odj01"]}, description="x")
    told = json.dumps(done)
    assert "secret-word" not in told
    assert "payload" not in told


class Lost(FakeDirectory):
    """A server whose connection ends after its first look at an account."""

    def search(self, base: str, where: Filter, attributes: t.Any, **named: t.Any) -> list[Entry]:
        if "userAccountControl" in attributes:
            self.counts["look"] += 1
            if self.counts["look"] > 1:
                raise unreachable("search the directory", base, "the server ended the connection")
        return super().search(base, where, attributes, **named)


def test_another_server_that_goes_away_while_it_is_waited_for_is_named(directory: FakeDirectory) -> None:
    servers = {"dc1": directory, "dc2": Lost()}
    given = parameters(msa, name="msaODJ1", replicated_to=["dc2"])
    with (
        msa.open_job(given, lambda settings, clock: nullcontext(servers[str(settings.server)])) as job,
        pytest.raises(DirectoryError, match=r"\(dc2\): the server ended the connection.*is written") as caught,
    ):
        carry_out(job, check_mode=False)
    assert caught.value.on == "dc2"
    assert directory.value(HERE, "sAMAccountName") == b"msaODJ1$"
