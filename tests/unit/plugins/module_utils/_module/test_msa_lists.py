# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, readers, root keys, delegations and further servers of odj_msa."""

from __future__ import annotations

import ast
import base64
import json
import stat
import typing as t
from contextlib import nullcontext
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, refused
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import GENERIC_ALL, READ_PROPERTY, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    doubtful_in,
    readers_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    CONFIGURATION,
    MSA_CONTAINER,
    FakeDirectory,
    dacl,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import parameters, run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.service_accounts import GROUP
from ansible_collections.hybridjoin.odj.tests.unit.fakes.standard_order import standardised

PLUGINS = Path(__file__).parents[5] / "plugins"
HERE, GHERE = f"CN=msaODJ1,{MSA_CONTAINER}", f"CN=gmsaODJ,{MSA_CONTAINER}"
HOSTS = [f"CN=ODJ0{number},CN=Users,{BASE}" for number in (1, 2, 3)]
KEYS = f"CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{CONFIGURATION}"
MEMBERSHIP = "msDS-GroupMSAMembership"


@pytest.fixture
def directory() -> FakeDirectory:
    fake = FakeDirectory()
    for number in (1, 2, 3):
        fake.account(f"ODJ0{number}$", cls=COMPUTER_CHAIN)
        fake.put(HOSTS[number - 1], dNSHostName=f"odj0{number}.contoso.test")
    fake.account("ODJ servers", cls=("top", "group"))
    return fake


def account(directory: FakeDirectory, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run(msa, directory, check=check, **{"name": "msaODJ1", **options})


def refusal(error: type[OdjError], directory: FakeDirectory, **options: t.Any) -> str:
    with pytest.raises(error) as caught:
        account(directory, **options)
    assert not {"add", "modify", "delete"} & set(directory.counts)
    return str(caught.value)


def readers(done: dict[str, t.Any]) -> int:
    return len(done["service_account"]["allowed_readers"])


def test_hosts_are_added_removed_and_set(directory: FakeDirectory) -> None:
    assert account(directory, hosts={"add": ["odj01.contoso.test"]})["service_account"]["hosts"] == [HOSTS[0]]
    assert not account(directory, hosts={"add": ["ODJ01$"]})["changed"]
    assert not account(directory, hosts={"remove": ["odj02", "gone"]})["changed"]
    assert HOSTS[0] in refusal(ServiceAccountError, directory, hosts={"add": ["odj02"]})
    moved = account(directory, hosts={"add": ["odj02"], "remove": ["odj01"]})
    assert moved["service_account"]["hosts"] == [HOSTS[1]]
    assert [change["action"] for change in moved["plan"]["changes"]] == ["unlink_host", "link_host"]
    assert account(directory, hosts={"set": []})["service_account"]["hosts"] == []
    assert "2 computers" in refusal(ServiceAccountError, directory, hosts={"set": ["odj01", "odj02"]})


def test_a_group_account_may_have_several_hosts(directory: FakeDirectory) -> None:
    done = account(directory, **GROUP, hosts={"set": ["odj01", "odj02"]})
    assert done["service_account"]["hosts"] == HOSTS[:2]
    again = account(directory, **GROUP, hosts={"set": ["odj02", HOSTS[2]]})
    assert again["service_account"]["hosts"] == HOSTS[1:]


def test_every_host_that_is_not_there_is_named_at_once(directory: FakeDirectory) -> None:
    account(directory, name="msaOther")
    message = refusal(
        DirectoryError, directory, **GROUP, hosts={"add": ["odj01", "odj09", "msaOther", "x.contoso.test"]}
    )
    assert all(f"{name}: there is no such computer" in message for name in ("odj09", "msaOther", "x.contoso.test"))
    assert "odj01:" not in message


def test_a_service_account_with_the_name_of_a_host_is_not_taken_for_it(directory: FakeDirectory) -> None:
    account(directory, name="msaOther", dns_host_name="odj01.contoso.test")
    done = account(directory, host="odj01.contoso.test")
    assert done["service_account"]["hosts"] == [HOSTS[0]]


def test_computers_are_never_searched_by_their_class_alone() -> None:
    """(objectClass=computer) finds service accounts too."""
    users = set()
    for path in PLUGINS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and [getattr(a, "value", None) for a in node.args] == [
                "objectClass",
                "computer",
            ]:
                users.add(path.name)
    assert users == set()


def test_readers_are_added_and_removed_and_the_rest_stays(directory: FakeDirectory) -> None:
    made = account(directory, **GROUP, readers={"add": ["ODJ servers"]})
    assert (readers(made), made["remarks"]) == (1, [])
    more = account(directory, **GROUP, readers={"add": ["odj01", "CONTOSO\\ODJ02$"]})
    assert readers(more) == 3
    assert [remark.partition(" ")[0] for remark in more["remarks"]] == ["CONTOSO\\ODJ01$", "CONTOSO\\ODJ02$"]
    assert "CONTOSO\\ODJ01$" in more["diff"][0]["after"]
    assert not account(directory, **GROUP, readers={"add": ["odj02"], "remove": ["odj03"]})["changed"]
    fewer = account(directory, **GROUP, readers={"remove": ["odj01", "odj02"]})
    assert (readers(fewer), fewer["remarks"]) == (1, [])
    assert "CONTOSO\\ODJ01$" in fewer["diff"][0]["before"]
    assert fewer["service_account"]["allowed_readers"] == made["service_account"]["allowed_readers"]
    assert readers(account(directory, **GROUP, readers={"set": []})) == 0


def test_a_service_account_that_reads_is_no_single_computer(directory: FakeDirectory) -> None:
    account(directory)
    done = account(directory, **GROUP, readers={"set": ["msaODJ1", "odj01"]})
    assert [remark.partition(" ")[0] for remark in done["remarks"]] == ["CONTOSO\\ODJ01$"]


def test_a_deleted_reader_goes_by_its_sid(directory: FakeDirectory) -> None:
    account(directory, **GROUP, readers={"set": ["odj01", "odj02"]})
    gone = directory.value(HOSTS[0], "objectSid") or b""
    directory.delete(HOSTS[0])
    assert "odj01: there is no such account" in refusal(
        DirectoryError, directory, **GROUP, readers={"remove": ["odj01"]}
    )
    assert readers(account(directory, **GROUP, readers={"remove": [str(Sid.from_bytes(gone))]})) == 1


def test_entries_of_others_in_the_list_of_readers_survive(directory: FakeDirectory) -> None:
    account(directory, **GROUP)
    sid = Sid.from_bytes(directory.value(HOSTS[2], "objectSid") or b"")
    deny = AccessRule(False, READ_PROPERTY, sid).to_ace()
    directory.put(GHERE, **{MEMBERSHIP: dacl(deny)})
    account(directory, **GROUP, readers={"set": ["odj01"]})
    assert deny in (directory.value(GHERE, MEMBERSHIP) or b"")
    assert "denies it" in refusal(ServiceAccountError, directory, **GROUP, readers={"add": ["odj03"]})


def test_a_generic_right_is_not_enough_for_a_reader_that_is_asked_for(directory: FakeDirectory) -> None:
    account(directory, **GROUP)
    one, two = (Sid.from_bytes(directory.value(host, "objectSid") or b"") for host in HOSTS[:2])
    generic = [AccessRule(True, GENERIC_ALL, sid).to_ace() for sid in (one, two)]
    directory.put(GHERE, **{MEMBERSHIP: dacl(*generic)})
    assert readers(account(directory, **GROUP)) == 2
    done = account(directory, **GROUP, readers={"add": ["odj01"]})
    assert done["changed"]
    assert "CONTOSO\\ODJ01$" not in done["diff"][0]["before"]
    stored = directory.value(GHERE, MEMBERSHIP) or b""
    assert (readers_in(stored), doubtful_in(stored)) == ((two, one), (two,))
    assert not account(directory, **GROUP, readers={"add": ["odj01"]})["changed"]
    account(directory, **GROUP, readers={"remove": ["odj02"]})
    assert readers_in(directory.value(GHERE, MEMBERSHIP) or b"") == (one,)


def key(directory: FakeDirectory, start: int | None) -> None:
    directory.put(KEYS, objectClass=("top", "container"))
    values = {} if start is None else {"msKds-UseStartTime": str(start)}
    directory.put(f"CN=1234,{KEYS}", **values)


# 2026-11-23T17:00:00Z, ten hours before what the clock of the fake says
TEN_HOURS_AGO = 116444736000000000 + 1795453200 * 10**7


def test_a_group_account_waits_for_the_root_key(directory: FakeDirectory) -> None:
    key(directory, TEN_HOURS_AGO + 10**7)
    assert "may be used from 2026-11-24T03:00:01Z" in refusal(ServiceAccountError, directory, **GROUP)
    key(directory, TEN_HOURS_AGO)
    done = account(directory, **GROUP, require_kds_root_key=True)
    assert done["kds_root_key"]["state"] == "usable"
    assert "warnings" not in done
    assert account(directory, **GROUP)["kds_root_key"] is None


@pytest.mark.parametrize("visible", [False, True])
def test_a_root_key_that_is_not_seen_is_a_warning_or_an_error(directory: FakeDirectory, visible: bool) -> None:
    if visible:
        key(directory, None)
    assert "Nothing was written" in refusal(ServiceAccountError, directory, **GROUP, require_kds_root_key=True)
    planned, done = account(directory, check=True, **GROUP), account(directory, **GROUP)
    assert planned["warnings"] == done["warnings"]
    assert "gmsaODJ$ can have a password is not known" in done["warnings"][0]
    assert "warnings" not in account(directory, **GROUP)
    assert "require_kds_root_key" in refusal(ServiceAccountError, directory, **GROUP, require_kds_root_key=True)


def test_another_interval_is_remarked_on(directory: FakeDirectory) -> None:
    account(directory, **GROUP, managed_password_interval_days=7)
    done = account(directory, **GROUP)
    assert not done["changed"]
    assert done["remarks"] == ["The password changes every 7 days. The directory does not allow to change that."]


def delegated(directory: FakeDirectory, *, writable: bool = True) -> tuple[str, bytes, bytes]:
    sid = Sid.from_bytes(directory.value(HERE, "objectSid") or b"")
    mine, other = (
        RIGHTS["create_computer"].parts[0].rule(who, subtree=False).to_ace() for who in (sid, sid.sibling(9999))
    )
    return directory.unit(f"OU=PCs,{BASE}", mine, other, writable=writable), mine, other


def test_an_account_takes_its_delegations_along(directory: FakeDirectory) -> None:
    account(directory)
    unit, __, other = delegated(directory)
    empty = directory.unit(f"OU=Empty,{BASE}")
    options: dict[str, t.Any] = {"state": "absent", "remove_delegations": [unit.lower(), empty]}
    planned, done = account(directory, check=True, **options), account(directory, **options)
    assert planned["plan"] == done["plan"]
    steps = [(change["action"], change["target"]) for change in done["plan"]["changes"]]
    assert steps == [("replace_dacl", unit), ("delete", HERE)]
    assert directory.value(unit, "nTSecurityDescriptor") == dacl(other)
    assert not account(directory, **options)["changed"]


def test_the_entries_that_go_leave_a_restore_point_that_odj_ou_delegate_puts_back(
    directory: FakeDirectory, tmp_path: Path
) -> None:
    path = tmp_path / "points.json"
    account(directory)
    unit, mine, other = delegated(directory)
    gone: dict[str, t.Any] = {"state": "absent", "remove_delegations": [unit], "backup_path": str(path)}
    account(directory, check=True, **gone)
    assert not path.exists()
    done = account(directory, **gone)
    (point,) = json.loads(path.read_text(encoding="utf-8"))["restore_points"]
    assert (point["dn"], point["server"], point["restores"]) == (unit, "fake", False)
    assert point["reason"] == done["plan"]["changes"][0]["summary"]
    assert base64.b64decode(point["old"]) == dacl(mine, other)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    run(ou_delegate, directory, organizational_units=[unit], state="restored", backup_path=str(path))
    assert directory.value(unit, "nTSecurityDescriptor") == standardised(dacl(mine, other))


def test_the_restore_point_is_there_before_the_entries_go(directory: FakeDirectory, tmp_path: Path) -> None:
    path = tmp_path / "points.json"
    account(directory)
    unit, __, __ = delegated(directory)
    directory.refuse[unit] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        account(directory, state="absent", remove_delegations=[unit], backup_path=str(path))
    assert unit in path.read_text(encoding="utf-8")
    assert directory.value(HERE, "sAMAccountName") == b"msaODJ1$", "its entries are there, and so is the account"


def test_what_another_writer_adds_meanwhile_stays(directory: FakeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    account(directory)
    unit, mine, other = delegated(directory)
    theirs = AccessRule(True, READ_PROPERTY, Sid.parse("S-1-5-11")).to_ace()
    modify = directory.modify

    def overtaken(dn: str, changes: t.Any, *, dacl: bool = False) -> None:
        modify(dn, changes, dacl=dacl)
        if directory.counts["modify"] == 1:
            directory.unit(dn, mine, other, theirs)

    monkeypatch.setattr(directory, "modify", overtaken)
    done = account(directory, state="absent", remove_delegations=[unit])
    assert directory.value(unit, "nTSecurityDescriptor") == standardised(dacl(theirs, other))
    assert done["written_again"] == [unit]


def test_readers_come_back_by_what_was_told_of_them(directory: FakeDirectory) -> None:
    """No restore point is kept of msDS-GroupMSAMembership: the list that was told makes the same one again."""
    told = account(directory, **GROUP, readers={"set": ["ODJ servers", "odj01"]})["service_account"]["allowed_readers"]
    before = directory.value(GHERE, MEMBERSHIP)
    account(directory, **GROUP, readers={"set": ["odj02"]})
    assert directory.value(GHERE, MEMBERSHIP) != before
    account(directory, **GROUP, readers={"set": told})
    assert directory.value(GHERE, MEMBERSHIP) == before


def test_nothing_goes_when_a_delegation_cannot(directory: FakeDirectory) -> None:
    account(directory)
    unit, __, __ = delegated(directory, writable=False)
    gone: dict[str, t.Any] = {"state": "absent"}
    assert unit in refusal(TargetError, directory, **gone, remove_delegations=[unit])
    assert f"OU=None,{BASE}" in refusal(TargetError, directory, **gone, remove_delegations=[f"OU=None,{BASE}"])
    account(directory, **gone)


def test_an_interruption_says_what_was_done(directory: FakeDirectory) -> None:
    account(directory)
    unit, mine, other = delegated(directory)
    directory.refuse[HERE] = refused("remove the object", HERE, 50, "insufficientAccessRights", "")
    with pytest.raises(OdjError, match=r"\(50\).*Changed before this: OU=PCs"):
        account(directory, state="absent", remove_delegations=[unit])
    assert directory.value(unit, "nTSecurityDescriptor") == dacl(other)
    assert mine not in dacl(other)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"remove_delegations": [f"OU=PCs,{BASE}"]}, "remove_delegations"),
        ({"state": "absent", "remove_delegations": ["PCs"]}, "PCs"),
        ({"state": "absent", "backup_path": "points.json"}, "backup_path"),
        ({"backup_path": "points.json"}, "backup_path"),
        ({"replicated_to": ["dc2", "DC2"]}, "there twice"),
        ({"replicated_to": ["DC1"]}, "written to"),
        ({"replicated_to": [""]}, "empty"),
        ({"replication_timeout": -1}, "replication_timeout"),
        ({"hosts": {"set": ["a"], "add": ["b"]}}, "hosts"),
        ({"hosts": {"add": ["$"]}}, "hosts"),
        ({"hosts": {"remove": ["CN=x,"]}}, "CN=x,"),
        ({"readers": {"add": ["a"]}}, "readers"),
        ({**GROUP, "readers": {"remove": ["a\\"]}}, "a\\"),
        ({"dns_host_name": ""}, "dns_host_name"),
    ],
)
def test_bad_options_are_refused_before_contact(
    directory: FakeDirectory, options: dict[str, t.Any], named: str
) -> None:
    assert named in refusal(InvalidInput, directory, **options)
    assert directory.counts["search"] == 0


class Forest:
    """Directories by server, and which of them were opened."""

    def __init__(self, **servers: FakeDirectory) -> None:
        self.servers = servers
        self.opened: list[Settings] = []

    def run(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        def opened(settings: Settings, clock: Clock) -> t.Any:
            self.opened.append(settings)
            if settings.server is None:
                return nullcontext(self.servers["found"])
            if settings.server not in self.servers:
                raise DirectoryError("connect to the directory", on=settings.where)
            return nullcontext(self.servers[settings.server])

        given = {"name": "msaODJ1", "server_name": "alias", "replicated_to": ["dc2"], "replication_timeout": 0}
        with msa.open_job(parameters(msa, **{**given, **options}), opened) as job:
            return carry_out(job, check_mode=check)


def test_another_server_that_has_it_is_waited_for(directory: FakeDirectory) -> None:
    forest = Forest(dc1=directory, dc2=directory)
    done = forest.run()
    assert [(one.server, one.server_name) for one in forest.opened] == [("dc1", "alias"), ("dc2", None)]
    assert done["replication"] == [{"server": "dc2", "looks": 1}]
    assert forest.run()["replication"] == [{"server": "dc2", "looks": 1}]
    assert forest.run(check=True, description="x")["replication"] == [{"server": "dc2", "looks": 0}]
    assert forest.run(state="absent")["replication"] == [{"server": "dc2", "looks": 1}]


def test_the_server_that_is_found_is_not_one_of_the_others(directory: FakeDirectory) -> None:
    forest = Forest(found=directory, fake=directory)  # "fake" is what the directory calls itself
    with pytest.raises(InvalidInput, match="fake is the server that is written to"):
        forest.run(server=None, domain="contoso.test", replicated_to=["FAKE"])
    assert len(forest.opened) == 1
    assert directory.counts["add"] == 0


def test_a_server_that_lags_is_named_also_when_nothing_changes(directory: FakeDirectory) -> None:
    forest = Forest(dc1=directory, dc2=FakeDirectory())
    for __ in range(2):
        with pytest.raises(DirectoryError, match=r"dc2.*another state of msaODJ1"):
            forest.run()
    assert directory.value(HERE, "sAMAccountName") == b"msaODJ1$"
    with pytest.raises(DirectoryError, match="another state"):
        Forest(dc1=FakeDirectory(), dc2=directory).run(state="absent")


def test_every_server_is_tried_before_anything_is_written(directory: FakeDirectory) -> None:
    with pytest.raises(DirectoryError, match="dc9"):
        Forest(dc1=directory).run(replicated_to=["dc9"])
    other = FakeDirectory()
    other.put("", defaultNamingContext="DC=other,DC=test")
    with pytest.raises(DirectoryError, match="does not hold"):
        Forest(dc1=directory, dc2=other).run()
    assert directory.counts["add"] == 0


def test_another_server_is_not_even_reached_in_check_mode(directory: FakeDirectory) -> None:
    forest = Forest(dc1=directory)  # there is no dc2
    assert forest.run(check=True)["changed"]
    assert [one.server for one in forest.opened] == ["dc1"]
    with pytest.raises(DirectoryError, match="connect to the directory"):
        forest.run()
    assert directory.counts["add"] == 0, "and nothing is written before it is"
