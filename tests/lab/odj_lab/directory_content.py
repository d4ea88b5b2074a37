# SPDX-License-Identifier: GPL-3.0-or-later
"""What every lab's directory begins with: OUs, computer objects of the servers, accounts, and who may do what.

Accounts: ``odj-automation`` is what the playbooks bind as. ``intune-admin`` is the person who signs in at a connector.
Neither is an administrator; the rights of each are in _give_rights, and nowhere else.
"""

from __future__ import annotations

import ldap3
from ldap3.core.exceptions import LDAPException

from odj_lab import directory_acl as acl
from odj_lab.directory import (
    computer_dn,
    computers_container,
    connected,
    msa_container,
    organizational_units,
    quoted,
    schema_guid,
    sid_of,
)
from odj_lab.processes import LabError
from odj_lab.settings import SERVERS, Lab

OU_ADMINS = "odj-ou-admins"
"""Group whose members may write the DACLs of the OUs; intune-admin is in it only when a sign-in asks for that."""


def fill(lab: Lab) -> None:
    """Make the OUs, servers, accounts and rights that every lab begins with.

    Raises:
        LabError: The directory refused something.

    """
    try:
        with connected(lab, "Administrator") as connection:
            _make_objects(connection, lab)
            _give_rights(connection, lab)
    except LDAPException as error:
        raise LabError(f"The lab's directory could not be filled: {error}") from error


def _make_objects(connection: ldap3.Connection, lab: Lab) -> None:
    for dn in (f"OU=Servers,{lab.base_dn}", *organizational_units(lab)):
        connection.add(dn, "organizationalUnit")
    for server in SERVERS:
        fqdn = f"{server}.{lab.domain}"
        attributes = {
            "sAMAccountName": f"{server.upper()}$",
            "userAccountControl": 4096,
            "dNSHostName": fqdn,
            "servicePrincipalName": [f"HOST/{fqdn}", f"HOST/{server.upper()}"],
        }
        connection.add(computer_dn(lab, server), "computer", attributes)
    for account in ("odj-automation", "intune-admin"):
        attributes = {
            "sAMAccountName": account,
            "userPrincipalName": f"{account}@{lab.domain}",
            "userAccountControl": 512,
            "unicodePwd": quoted(lab.passwords[account]),
        }
        connection.add(f"CN={account},CN=Users,{lab.base_dn}", "user", attributes)
    connection.add(f"CN={OU_ADMINS},CN=Users,{lab.base_dn}", "group", {"sAMAccountName": OU_ADMINS})


def _give_rights(connection: ldap3.Connection, lab: Lab) -> None:
    automation, person = sid_of(connection, lab, "odj-automation"), sid_of(connection, lab, "intune-admin")
    ou_admins = sid_of(connection, lab, OU_ADMINS)
    standalone = schema_guid(connection, lab, "msDS-ManagedServiceAccount")
    group = schema_guid(connection, lab, "msDS-GroupManagedServiceAccount")
    acl.grant(
        connection,
        msa_container(lab),
        acl.allow(automation, acl.CREATE_CHILD | acl.DELETE_CHILD, standalone),
        acl.allow(automation, acl.CREATE_CHILD | acl.DELETE_CHILD, group),
        acl.allow(person, acl.CREATE_CHILD, standalone),
    )
    host_link = schema_guid(connection, lab, "msDS-HostServiceAccount")
    for server in SERVERS:
        acl.grant(connection, computer_dn(lab, server), acl.allow(person, acl.WRITE_PROPERTY, host_link))
    for dn in organizational_units(lab):
        acl.grant(connection, dn, acl.allow(automation, acl.WRITE_DAC), acl.allow(ou_admins, acl.WRITE_DAC))
    acl.grant(connection, computers_container(lab), acl.allow(ou_admins, acl.WRITE_DAC))
