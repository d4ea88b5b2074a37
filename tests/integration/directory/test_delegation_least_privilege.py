# SPDX-License-Identifier: GPL-3.0-or-later
"""The right to change permissions (WRITE_DAC) is all a delegation needs: shown with an account that has no other."""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import ANYTHING
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain

EFFECTIVE = ("sDRightsEffective", "allowedAttributesEffective", "allowedChildClassesEffective")
SEVERAL = ("OWNER", "GROUP", "DACL", "SACL")  # bits of sDRightsEffective, MS-ADTS 3.1.1.4.5.4


@pytest.fixture
def nobody(domain: Domain, administrator: ldap3.Connection) -> Iterator[dict[str, str]]:
    """Make a user who is in no group but Domain Users; yields the options to log on as them."""
    name, password = f"plain{secrets.token_hex(3)}", f"{secrets.token_urlsafe(12)}aA1!"
    dn = f"CN={name},CN=Users,{domain.base_dn}"
    attributes = {
        "sAMAccountName": name,
        "userAccountControl": 512,
        "unicodePwd": lab_directory.quoted(password),
    }
    administrator.add(dn, "user", attributes)
    yield {"username": f"{domain.netbios}\\{name}", "password": password}
    administrator.delete(dn)


def effective(opened: Open, nobody: dict[str, str], dn: str) -> tuple[set[str], tuple[str, ...], tuple[str, ...]]:
    """Return what the server says that somebody may do with an object."""
    with opened(**nobody) as directory:
        (entry,) = directory.search(dn, ANYTHING, list(EFFECTIVE), scope="base")
    bits = entry.number("sDRightsEffective") or 0
    return (
        {name for number, name in enumerate(SEVERAL) if bits >> number & 1},
        entry.texts("allowedAttributesEffective"),
        entry.texts("allowedChildClassesEffective"),
    )


def test_write_dac_alone_is_enough_for_every_state(
    domain: Domain, task: Task, opened: Open, nobody: dict[str, str], yard: str, accounts: dict[str, str],
    administrator: ldap3.Connection, whole_descriptor: Callable[[str], bytes], tmp_path: Path,
) -> None:  # fmt: skip
    unit, first, second = f"OU=One,{yard}", *accounts
    administrator.add(unit, "organizationalUnit")
    assert effective(opened, nobody, unit) == (set(), (), ())
    wish: dict[str, t.Any] = {
        **nobody, "organizational_units": [unit], "rights": list(RIGHTS), "backup_path": str(tmp_path / "points.json")
    }  # fmt: skip
    with pytest.raises(TargetError, match="may not write them"):
        task(ou_delegate, accounts=[first], **wish)
    sid = lab_directory.sid_of(administrator, domain, nobody["username"].partition("\\")[2])
    acl.grant(administrator, unit, acl.allow(sid, acl.WRITE_DAC))
    assert effective(opened, nobody, unit) == ({"DACL"}, (), ()), "and nothing else, says the server"
    with opened(**nobody) as directory:
        with pytest.raises(DirectoryError, match=r"\(50\)"):
            directory.modify(unit, {"description": ("replace", [b"x"])})
        with pytest.raises(DirectoryError, match=r"\(50\)"):
            directory.add(f"OU=x,{unit}", "organizationalUnit", {})
        with pytest.raises(DirectoryError, match=r"\(50\)"):
            directory.delete(unit)
    before = whole_descriptor(unit)
    done = task(ou_delegate, accounts=[first], **wish)
    assert done["changed"]
    assert done["lost_updates"] == {"possible": [], "not_checked": []}, "it may read the count of writes"
    given = whole_descriptor(unit)
    assert task(ou_delegate, accounts=[second], state="exact", connector_accounts=[first], **wish)["changed"]
    assert task(ou_delegate, state="restored", **{**wish, "rights": ["create_computer"]})["changed"]
    assert whole_descriptor(unit) == given
    assert task(ou_delegate, accounts=[first], state="absent", **wish)["changed"]
    assert whole_descriptor(unit) == before


def test_write_dac_alone_is_enough_to_take_the_entries_of_an_account_along(
    domain: Domain, task: Task, nobody: dict[str, str], units: list[str], accounts: dict[str, str],
    administrator: ldap3.Connection, whole_descriptor: Callable[[str], bytes],
) -> None:  # fmt: skip
    """The account itself stays, for that takes a right of its own; the error says what was done before."""
    unit, name = units[2], next(iter(accounts))
    sid = lab_directory.sid_of(administrator, domain, nobody["username"].partition("\\")[2])
    acl.grant(administrator, unit, acl.allow(sid, acl.WRITE_DAC))
    before = whole_descriptor(unit)
    task(ou_delegate, organizational_units=[unit], accounts=[name], **nobody)
    with pytest.raises(OdjError, match=r"\(50\).*Changed before this: OU=Three,") as caught:
        task(msa, name=name, state="absent", remove_delegations=[unit], **nobody)
    assert domain.msa_container in str(caught.value)
    assert whole_descriptor(unit) == before
