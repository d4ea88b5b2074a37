# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the sign-in that touches OUs: which ones the wizard looks after, and how it gives the right on them."""

from __future__ import annotations

import re

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils.dn import parse_dn

from odj_lab import directory
from odj_lab import directory_acl as acl
from odj_lab.product import host, layout
from odj_lab.settings import Domain
from odj_lab.store import State

DENIED = (
    "System.DirectoryServices.DirectoryServicesCOMException (0x8007202F): A constraint violation occurred.\r\n"
    "The MSA account couldn't be granted permission to create computer objects in the following OUs: "
)
NOT_STARTED = (
    "Cannot start service ODJConnectorSvc on computer '.'. ---> System.ComponentModel.Win32Exception: "
    "The service did not start due to a logon failure"
)


def settings(state: State) -> dict[str, str]:
    """Return the settings of the wizard on a server.

    Raises:
        ValueError: Its configuration file cannot be read.

    """
    content = host.read_file(state, layout.WIZARD_CONFIG)
    return layout.settings(content) if content is not None else {}


def wanted_units(domain: Domain, configured: dict[str, str]) -> list[str]:
    """Return the DNs that the wizard gives the right on: those of its list, or the Computers container alone."""
    listed = [dn.strip() for dn in re.split(r"(?<!\\);", configured.get(layout.OU_KEY, "")) if dn.strip()]
    if configured.get(layout.NO_OU_UPDATES_KEY, "").lower() == "true":
        return []
    return listed or [domain.computers_container]


def give_rights(connection: ldap3.Connection, domain: Domain, units: list[str], sid: bytes) -> list[str]:
    """Allow an account to create computers in OUs, with the rights of whoever is bound; return those that failed."""
    entry = acl.allow(sid, acl.CREATE_CHILD, directory.schema_guid(connection, domain, "computer"))
    failed = []
    for dn in units:
        try:
            parse_dn(dn)
            acl.grant(connection, dn, entry)
        except LDAPException:
            failed.append(dn)
    return failed


def note(state: State, text: str) -> None:
    """Add lines to the wizard's own log on the server."""
    before = host.read_file(state, layout.WIZARD_LOG) or b""
    host.put_file(state, layout.WIZARD_LOG, before + f"{text}\r\n".encode())
