# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that let creators set only what they may write (KB5008383): what of ours works there, and what it needs.

Samba enforces it from 4.22 on. The server is asked by an add that only an unrestricted creator gets through.
"""

from __future__ import annotations

import itertools
import secrets
import typing as t
from collections.abc import Callable, Iterator, Sequence

import ldap3
import pytest
from ldap3.core.exceptions import LDAPInsufficientAccessRightsResult

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import CLASSES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa, ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory import random_lists as lists
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab.product.provision import Order, Refused, by_ldap, by_net
from odj_lab.settings import Domain

# Characters 28 and 29 of dSHeuristics enforce it (MS-ADTS 6.1.1.2.4.1.2); 10, 20 and so on count the characters.
ENFORCED = b"00000000010000000002000000011"
NEEDED = {
    "standalone": ["msDS-SupportedEncryptionTypes"],
    "group": ["msDS-SupportedEncryptionTypes", "msDS-GroupMSAMembership"],
}
"""What the documentation of odj_msa says that its account needs Write property for, at creation, in such a domain."""


@pytest.fixture
def enforced(domain: Domain, administrator: ldap3.Connection, yard: str) -> Iterator[bool]:
    """Have it enforced for that while, and say whether the server does that."""
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{domain.base_dn}"

    def put(values: list[bytes]) -> None:
        administrator.modify(service, t.cast(t.Any, {"dSHeuristics": [(ldap3.MODIFY_REPLACE, values)]}))

    administrator.search(service, "(objectClass=*)", ldap3.BASE, attributes=["dSHeuristics"])
    before = acl.responses(administrator)[0]["raw_attributes"]["dSHeuristics"]
    put([ENFORCED])
    try:
        yield _refuses_what_a_creator_may_not_write(domain, administrator, yard)
    finally:
        put(before)


def _refuses_what_a_creator_may_not_write(domain: Domain, administrator: ldap3.Connection, yard: str) -> bool:
    automation = lab_directory.sid_of(administrator, domain, "odj-automation")
    acl.grant(administrator, yard, acl.allow(automation, acl.CREATE_CHILD))
    name = f"T{secrets.token_hex(4)}"
    values = {"sAMAccountName": f"{name}$", "userAccountControl": 4096, "location": "x"}
    with lab_directory.connected(domain, "odj-automation") as connection:
        try:
            connection.add(f"CN={name},{yard}", "computer", values)
        except LDAPInsufficientAccessRightsResult:
            return True
    return False


@pytest.fixture
def may_write(domain: Domain, administrator: ldap3.Connection) -> Iterator[Callable[[str, Sequence[str]], None]]:
    """Let odj-automation write these attributes, and no others, of accounts of a class in their container."""
    dn = domain.msa_container
    automation = lab_directory.sid_of(administrator, domain, "odj-automation")
    administrator.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"], controls=acl.DACL_ONLY)
    before = acl.responses(administrator)[0]["raw_attributes"]["nTSecurityDescriptor"]

    def restore() -> None:
        change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, before)]}
        administrator.modify(dn, t.cast(t.Any, change), controls=acl.DACL_ONLY)

    def put(of_class: str, attributes: Sequence[str]) -> None:
        restore()
        heirs = lists.CONTAINER_INHERIT | lists.INHERIT_ONLY
        guids = {name: lab_directory.schema_guid(administrator, domain, name) for name in (of_class, *attributes)}
        for name in attributes:
            entry = lists.ace(lists.ALLOW, heirs, acl.WRITE_PROPERTY, automation, guids[name], guids[of_class])
            acl.grant(administrator, dn, entry)

    yield put
    restore()


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize("way", [by_net, by_ldap])
def test_the_delegation_is_enough_for_a_connector_all_the_same(
    domain: Domain, task: Task, units: list[str], accounts: dict[str, str], way: Callable[[Domain, Order], None]
) -> None:
    account, password = next(iter(accounts.items()))
    task(ou_delegate, organizational_units=units[:1], accounts=[account])
    way(domain, Order(f"T{secrets.token_hex(4).upper()}", units[0], account, password))
    with pytest.raises(Refused) as caught:
        way(domain, Order(f"T{secrets.token_hex(4).upper()}", units[1], account, password))
    assert caught.value.denied


@pytest.mark.parametrize("kind", list(CLASSES))
def test_an_account_is_made_with_exactly_the_documented_rights(
    domain: Domain, task: Task, enforced: bool, may_write: Callable[[str, Sequence[str]], None], kind: str
) -> None:
    name = f"msaT{secrets.token_hex(3)}"
    wish: dict[str, t.Any] = {"name": name, "kind": kind, "dns_host_name": f"{name}.{domain.name}", "description": "x"}
    if kind == "group":
        wish["allowed_readers"] = ["odj-ou-admins"]
    needed = NEEDED[kind]
    outcome = {}
    for attributes in itertools.chain.from_iterable(itertools.combinations(needed, n) for n in range(len(needed) + 1)):
        may_write(CLASSES[kind], attributes)
        outcome[attributes] = made(task, wish)
    assert outcome == {attributes: not enforced or list(attributes) == needed for attributes in outcome}


def made(task: Task, wish: dict[str, t.Any]) -> bool:
    """Make an account and take it away again; say whether that worked."""
    try:
        task(msa, **wish)
    except DirectoryError as problem:
        if problem.code != 50:
            raise
        return False
    return bool(task(msa, name=wish["name"], kind=wish["kind"], state="absent")["changed"])
