# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delegation refuses in a real directory: by an error that names it, and with every byte as it was."""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Callable, Iterator

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import COMPUTER_CLASS, DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import AUTHENTICATED_USERS, EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

Refused = Callable[..., str]


@pytest.fixture
def refused(task: Task, units: list[str], whole_descriptor: Callable[[str], bytes]) -> Refused:
    """Run a task on the first two units, see that it is refused and changed nothing, and return its words."""

    def run(kind: type[OdjError], **options: t.Any) -> str:
        before = [whole_descriptor(unit) for unit in units]
        with pytest.raises(kind) as caught:
            task(ou_delegate, **{"organizational_units": units[:2], **options})
        assert [whole_descriptor(unit) for unit in units] == before
        return str(caught.value)

    return run


@pytest.fixture
def twin(domain: Domain, administrator: ldap3.Connection, accounts: dict[str, str]) -> Iterator[str]:
    """Make a user whose name is that of a service account but for the dollar sign."""
    name, *__ = accounts
    dn = f"CN={name} user,CN=Users,{domain.base_dn}"
    administrator.add(dn, "user", {"sAMAccountName": name, "userPrincipalName": f"own@{name}.test"})
    yield name
    administrator.delete(dn)


def test_a_name_that_means_two_accounts(
    domain: Domain, task: Task, units: list[str], refused: Refused, twin: str
) -> None:
    for name in (twin, f"{domain.netbios}\\{twin}", f"{twin}@{domain.name}"):
        message = refused(DirectoryError, accounts=[name])
        assert f"{name}: it means more than one account" in message
        assert f"CN={twin},{domain.msa_container}" in message
        assert f"CN={twin} user,CN=Users," in message
    found = {
        name: task(ou_delegate, check=True, organizational_units=units[:1], accounts=[name])["delegations"][0]
        for name in (f"{twin}$", f"OWN@{twin}.test", f"CN={twin} user,CN=Users,{domain.base_dn}")
    }
    assert [f["account"] for f in found.values()] == [f"{domain.netbios}\\{twin}{end}" for end in ("$", "", "")]


def test_names_that_mean_no_account(
    domain: Domain, units: list[str], refused: Refused, accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    good = next(iter(accounts))
    sid = Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{good}$"))
    nobody = {
        "nobody-there": "there is no such account", "msaT*": "there is no such account",
        "*)(|(cn": "there is no such account", f"FABRIKAM\\{good}": "not FABRIKAM",
        f"{good}@fabrikam.test": "there is no such account", f"CN=No,{units[0]}": "there is no such account",
        units[0]: "there is no such account", str(sid.sibling(999999)): "there is no such account",
        "S-1-5-21-1-2-3-4": "there is no such account",
    }  # fmt: skip
    message = refused(DirectoryError, accounts=[good, *nobody])
    for name, why in nobody.items():
        assert f"{name}: " in message
        assert why in message.partition(f"{name}: ")[2].partition("; ")[0]
    assert f"{good}: " not in message.replace(f"FABRIKAM\\{good}: ", "")
    for malformed in ("", "CONTOSO\\", "a\\b\\c", "x@", "CN=a,b", "S-1-x"):
        refused(InvalidInput, accounts=[good, malformed])


def test_a_principal_without_a_name_of_its_own_is_called_as_people_call_it(task: Task, units: list[str]) -> None:
    done = task(ou_delegate, check=True, organizational_units=units[:1], accounts=["S-1-5-11"])
    assert done["delegations"][0]["account"] == "Authenticated Users"


def test_a_unit_that_is_not_there_and_one_that_is_unusual(domain: Domain, units: list[str], refused: Refused,
                                                          accounts: dict[str, str]) -> None:  # fmt: skip
    names = [*units[:2], f"OU=None,{units[0]}"]
    assert f"nearest object above that exists is {units[0]}" in refused(
        TargetError, organizational_units=names, accounts=list(accounts)
    )
    unusual = [domain.base_dn, f"OU=Domain Controllers,{domain.base_dn}", f"CN=Users,{domain.base_dn}",
               domain.computer_dn("odj01")]  # fmt: skip
    message = refused(TargetError, organizational_units=[*units[:2], *unusual], accounts=list(accounts))
    assert [name for name in unusual if f"{name}: it is " not in message] == []
    named = {"organizational_units": [units[0], *unusual], "allow_unusual_targets": unusual[1:]}
    message = refused(TargetError, accounts=list(accounts), **named)
    assert [f"{name}: it is " in message for name in unusual] == [True, False, False, False]


def test_an_unusual_target_that_is_named_is_taken(domain: Domain, task: Task, accounts: dict[str, str]) -> None:
    container = f"CN=Users,{domain.base_dn}"
    done = task(
        ou_delegate, check=True, organizational_units=[container], accounts=list(accounts),
        allow_unusual_targets=[container.lower()], username=f"{domain.netbios}\\Administrator",
        password=domain.passwords["Administrator"],
    )  # fmt: skip
    assert [change["target"] for change in done["plan"]["changes"]] == [container]


@pytest.mark.parametrize("state", ["present", "exact"])
@pytest.mark.parametrize("who", ["the account", "everyone", "authenticated users", "its primary group"])
def test_a_deny_that_shadows_the_right(
    domain: Domain, refused: Refused, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection,
    who: str, state: str,
) -> None:  # fmt: skip
    name = next(iter(accounts))
    sid = Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{name}$"))
    trustee = {
        "the account": sid, "everyone": EVERYONE, "authenticated users": AUTHENTICATED_USERS,
        "its primary group": sid.sibling(515),
    }[who]  # fmt: skip
    deny = AccessRule(False, acl.CREATE_CHILD, trustee, COMPUTER_CLASS).to_ace()
    acl.grant(administrator, units[1], deny)
    message = refused(DelegationError, accounts=[name], state=state)
    assert f"({units[1]}): an entry denies it: {ace_to_sddl(deny)}" in message
    assert f"let {domain.netbios}\\{name}$ create computers" in message


@pytest.mark.parametrize("given", [{"state": "absent"}, {"accounts": [], "purge_orphans": True}])
def test_a_deny_is_never_removed(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection,
    whole_descriptor: Callable[[str], bytes], given: dict[str, t.Any],
) -> None:  # fmt: skip
    sid = Sid.from_bytes(lab_directory.sid_of(administrator, domain, f"{next(iter(accounts))}$"))
    for trustee in (sid, sid.sibling(999999)):
        acl.grant(administrator, units[0], AccessRule(False, acl.CREATE_CHILD, trustee, COMPUTER_CLASS).to_ace())
    before = whole_descriptor(units[0])
    done = task(ou_delegate, **{"organizational_units": units[:1], "accounts": list(accounts), **given})
    assert (done["changed"], whole_descriptor(units[0])) == (False, before)


def test_somebody_elses_name_is_no_wizards_account(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], administrator: ldap3.Connection
) -> None:
    """Named as the sign-in would name it, but a user, a group account, or with a letter more."""
    stem = f"msaODJ{secrets.token_hex(3)[:5]}"
    likes: list[tuple[str, str, dict[str, t.Any]]] = [
        (f"CN={stem} user,CN=Users,{domain.base_dn}", "user", {"sAMAccountName": stem}),
        (f"CN={stem}x,{domain.msa_container}", "msDS-ManagedServiceAccount",
         {"sAMAccountName": f"{stem}x$"}),
        (f"CN={stem},{domain.msa_container}", "msDS-GroupManagedServiceAccount",
         {"sAMAccountName": f"{stem}$", "dNSHostName": f"{stem}.{domain.name}", "msDS-ManagedPasswordInterval": 30}),
    ]  # fmt: skip
    try:
        for dn, kind, attributes in likes:
            administrator.add(dn, kind, attributes)
            sid = lab_directory.sid_of(administrator, domain, attributes["sAMAccountName"])
            acl.grant(administrator, units[0], AccessRule(True, 1, Sid.from_bytes(sid), COMPUTER_CLASS).to_ace())
        done = task(ou_delegate, organizational_units=units[:1], accounts=list(accounts), state="exact")
        assert {row["state"] for row in done["delegations"]} == {"added"}
    finally:
        for dn, *__ in likes:
            administrator.delete(dn)
