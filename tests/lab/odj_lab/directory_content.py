# SPDX-License-Identifier: GPL-3.0-or-later
"""What every directory of a lab begins with: OUs, computer objects of the servers, accounts, and who may do what.

Accounts: ``odj-automation`` is what the playbooks bind as. ``intune-admin`` is the person who signs in at a connector.
Neither is an administrator; the rights of each are in _give_rights, and nowhere else.
"""

from __future__ import annotations

import contextlib

import ldap3
from ldap3.core.exceptions import LDAPEntryAlreadyExistsResult, LDAPException

from odj_lab import directory_acl as acl
from odj_lab.directory import connected, quoted, schema_guid, sid_of
from odj_lab.processes import LabError
from odj_lab.settings import Domain

OU_ADMINS = "odj-ou-admins"
"""Group whose members may write the DACLs of the OUs; intune-admin is in it only when a sign-in asks for that."""


def fill(domain: Domain) -> None:
    """Make the OUs, servers, accounts and rights that every domain begins with, as far as they are not there.

    Raises:
        LabError: The directory refused something.

    """
    try:
        with connected(domain, "Administrator") as connection:
            _make_objects(connection, domain)
            _give_rights(connection, domain)
    except LDAPException as error:
        raise LabError(f"The lab's directory could not be filled: {error}") from error


def _make_objects(connection: ldap3.Connection, domain: Domain) -> None:
    for dn in (f"OU=Servers,{domain.base_dn}", *domain.organizational_units):
        _add(connection, dn, "organizationalUnit")
    for server in domain.servers:
        fqdn = f"{server}.{domain.name}"
        attributes: dict[str, object] = {
            "sAMAccountName": f"{server.upper()}$",
            "userAccountControl": 4096,
            "dNSHostName": fqdn,
            "servicePrincipalName": [f"HOST/{fqdn}", f"HOST/{server.upper()}"],
        }
        _add(connection, domain.computer_dn(server), "computer", attributes)
    for account in ("odj-automation", "intune-admin"):
        attributes = {
            "sAMAccountName": account,
            "userPrincipalName": f"{account}@{domain.name}",
            "userAccountControl": 512,
            "unicodePwd": quoted(domain.passwords[account]),
        }
        _add(connection, f"CN={account},CN=Users,{domain.base_dn}", "user", attributes)
    _add(connection, f"CN={OU_ADMINS},CN=Users,{domain.base_dn}", "group", {"sAMAccountName": OU_ADMINS})


def _add(connection: ldap3.Connection, dn: str, kind: str, attributes: dict[str, object] | None = None) -> None:
    with contextlib.suppress(LDAPEntryAlreadyExistsResult):
        connection.add(dn, kind, attributes)


def _give_rights(connection: ldap3.Connection, domain: Domain) -> None:
    automation, person = sid_of(connection, domain, "odj-automation"), sid_of(connection, domain, "intune-admin")
    ou_admins = sid_of(connection, domain, OU_ADMINS)
    standalone = schema_guid(connection, domain, "msDS-ManagedServiceAccount")
    group = schema_guid(connection, domain, "msDS-GroupManagedServiceAccount")
    acl.grant(
        connection,
        domain.msa_container,
        acl.allow(automation, acl.CREATE_CHILD | acl.DELETE_CHILD, standalone),
        acl.allow(automation, acl.CREATE_CHILD | acl.DELETE_CHILD, group),
        acl.allow(person, acl.CREATE_CHILD, standalone),
    )
    host_link = schema_guid(connection, domain, "msDS-HostServiceAccount")
    for server in domain.servers:
        acl.grant(connection, domain.computer_dn(server), acl.allow(person, acl.WRITE_PROPERTY, host_link))
    for dn in domain.organizational_units:
        acl.grant(connection, dn, acl.allow(automation, acl.WRITE_DAC), acl.allow(ou_admins, acl.WRITE_DAC))
    acl.grant(connection, domain.computers_container, acl.allow(ou_admins, acl.WRITE_DAC))
