# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real directory says when it refuses, and what people are told to do then."""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Callable, Iterator

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open
from odj_lab import directory as lab_directory
from odj_lab.settings import Domain

DAY = 24 * 3600 * 10**7  # in units of 100 ns, as durations in the directory
LONG_AGO = 130000000000000000  # a time in 2012
SET_LAST_TIME = "local_oid:1.3.6.1.4.1.7165.4.3.20:1"  # Samba's control that lets pwdLastSet be any time
POLICY = {
    "msDS-PasswordSettingsPrecedence": 1,
    "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
    "msDS-PasswordHistoryLength": 0,
    "msDS-PasswordComplexityEnabled": "FALSE",
    "msDS-MinimumPasswordLength": 8,
    "msDS-MinimumPasswordAge": 0,
    "msDS-MaximumPasswordAge": -2 * DAY,
    "msDS-LockoutThreshold": 1,
    "msDS-LockoutObservationWindow": -DAY,
    "msDS-LockoutDuration": -DAY,
}


@pytest.fixture
def person(domain: Domain, administrator: ldap3.Connection) -> Iterator[tuple[str, str]]:
    """Make a user whose passwords get old and whose logons get locked; yields DN and password."""
    name, password = f"person{secrets.token_hex(3)}", f"{secrets.token_urlsafe(12)}aA1!"
    dn = f"CN={name},CN=Users,{domain.base_dn}"
    policy = f"CN={name},CN=Password Settings Container,CN=System,{domain.base_dn}"
    attributes = {"sAMAccountName": name, "userAccountControl": 512, "unicodePwd": lab_directory.quoted(password)}
    administrator.add(dn, "user", attributes)
    administrator.add(policy, "msDS-PasswordSettings", {**POLICY, "msDS-PSOAppliesTo": dn})
    yield dn, password
    administrator.delete(policy)
    administrator.delete(dn)


@pytest.fixture
def age(domain: Domain) -> Callable[[str], None]:
    """Let the password of an account have been set long ago, which nobody can do through LDAP."""

    def run(dn: str) -> None:
        instance = domain.dc_dir
        change, database = instance / "change.ldif", instance / "private" / "sam.ldb"  # where a newer Samba sees them
        change.write_text(f"dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: {LONG_AGO}\n", "utf-8")
        lab_directory.script(
            domain, "run", "ldbmodify", "-H", str(database), f"--controls={SET_LAST_TIME}", str(change)
        )

    return run


@pytest.mark.parametrize(
    ("data", "attribute", "value", "advice"),
    [
        ("530", "logonHours", bytes(21), "logon hours"),
        ("531", "userWorkstations", "NOWHERE", "computers it is limited to"),
        ("533", "userAccountControl", 514, "enable it"),
        ("701", "accountExpires", LONG_AGO, "extend it"),
        ("773", "pwdLastSet", 0, "set it without that condition"),
    ],
)
def test_why_a_logon_is_refused(
    opened: Open,
    administrator: ldap3.Connection,
    person: tuple[str, str],
    data: str,
    attribute: str,
    value: t.Any,
    advice: str,
) -> None:
    dn, password = person
    with opened(username=dn, password=password):
        pass
    administrator.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, [value])]})
    with pytest.raises(DirectoryError, match=rf"\(49\).*data {data}.*{advice}"), opened(username=dn, password=password):
        pass


def test_an_old_password_is_told_from_a_wrong_one(
    opened: Open, person: tuple[str, str], age: Callable[[str], None]
) -> None:
    dn, password = person
    age(dn)
    with pytest.raises(DirectoryError, match=r"data 532.*set a new one"), opened(username=dn, password=password):
        pass


def test_a_wrong_password_and_the_lock_that_follows(opened: Open, person: tuple[str, str]) -> None:
    dn, password = person
    with pytest.raises(DirectoryError, match=r"data 52e.*check both"), opened(username=dn, password="wrong"):
        pass
    with pytest.raises(DirectoryError, match=r"data 775.*unlock it"), opened(username=dn, password=password):
        pass


def test_a_password_that_breaks_the_policy(opened: Open, person: tuple[str, str], power: dict[str, str]) -> None:
    change = {"unicodePwd": ("replace", [lab_directory.quoted("x")])}
    with opened(**power) as directory, pytest.raises(DirectoryError, match=r"\(19\): 0000052D.*password policy"):
        directory.modify(person[0], change)


Action = t.Callable[[Directory, str, str], object]


def add_twice(directory: Directory, unit: str, base: str) -> None:
    for __ in range(2):
        directory.add(f"OU=Twice,{unit}", "organizationalUnit", {})


def user(**values: bytes) -> Action:
    return lambda directory, unit, base: directory.add(f"CN=x,{unit}", "user", {n: [v] for n, v in values.items()})


def change(dn: str, verb: str = "replace", **values: bytes) -> Action:
    def action(directory: Directory, unit: str, base: str) -> None:
        directory.modify(dn.format(unit=unit, base=base), {n: (verb, [v]) for n, v in values.items()})

    return action


@pytest.mark.parametrize(
    ("action", "code", "advice"),
    [
        (change("{unit}", "delete", description=b"x"), 16, "somebody else may have changed the object"),
        (user(servicePrincipalName=b"x"), 19, "its words say which"),
        (user(sAMAccountName=b"a/b"), 19, "its words say which"),
        (user(st=b"x" * 300), 21, "correct it"),
        (change("OU=None,{unit}", description=b"x"), 32, "this domain controller has replicated it"),
        (change("no name", description=b"x"), 34, "correct it"),
        (change("{base}", objectSid=bytes(8)), 53, "its words say which"),
        (lambda directory, unit, base: directory.delete(base), 53, "its words say which"),
        (lambda directory, unit, base: directory.delete(unit), 66, "remove them first"),
        (add_twice, 68, "take another name"),
        (user(sAMAccountName=b"Administrator"), 68, "sAMAccountName of another account"),
    ],
)
def test_why_a_change_is_refused(
    domain: Domain, opened: Open, yard: str, power: dict[str, str], action: Action, code: int, advice: str
) -> None:
    with opened(**power) as directory:
        directory.add(f"OU=Below,{yard}", "organizationalUnit", {})
        with pytest.raises(DirectoryError, match=rf"\({code}\).*{advice}") as caught:
            action(directory, yard, domain.base_dn)
    assert caught.value.code == code


def test_a_right_that_is_missing(domain: Domain, opened: Open) -> None:
    with opened() as directory, pytest.raises(DirectoryError, match=r"\(50\).*lacks a right on this object"):
        directory.modify(domain.base_dn, {"description": ("replace", [b"x"])})
