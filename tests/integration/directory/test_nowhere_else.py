# SPDX-License-Identifier: GPL-3.0-or-later
"""A delegation lets create computers in the units that it is for, and in no other place that the domain has."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import ldap3

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab.directory_acl import responses
from odj_lab.settings import Domain


def places(administrator: ldap3.Connection, domain: Domain) -> Iterator[str]:
    """Yield everything in the domain that may hold something."""
    kinds = ("organizationalUnit", "container", "builtinDomain", "domainDNS", "lostAndFound", "computer", "user")
    administrator.search(domain.base_dn, f"(|{''.join(f'(objectClass={kind})' for kind in kinds)})")
    yield from (entry["dn"] for entry in responses(administrator))


def can_create(directory: Directory, place: str) -> bool:
    name = f"N{secrets.token_hex(4)}"
    try:
        directory.add(f"CN={name},{place}", "computer", {"sAMAccountName": [f"{name}$".encode()]})
    except DirectoryError:
        return False
    directory.delete(f"CN={name},{place}")
    return True


def test_computers_can_be_created_there_and_nowhere_else_in_the_domain(
    domain: Domain,
    task: Task,
    opened: Open,
    units: list[str],
    accounts: dict[str, str],
    administrator: ldap3.Connection,
) -> None:
    account, password = next(iter(accounts.items()))
    for unit in units[:2]:
        administrator.add(f"OU=Below,{unit}", "organizationalUnit")
    task(ou_delegate, organizational_units=units[:1], accounts=[account])
    task(ou_delegate, organizational_units=units[1:2], accounts=[account], applies_to="subtree")
    everywhere = list(places(administrator, domain))
    with opened(username=f"{domain.netbios}\\{account}$", password=password) as directory:
        allowed = {place for place in everywhere if can_create(directory, place)}
    assert allowed == {units[0], units[1], f"OU=Below,{units[1]}"}
    assert len(everywhere) > 50
