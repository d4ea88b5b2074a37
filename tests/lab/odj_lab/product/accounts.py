# SPDX-License-Identifier: GPL-3.0-or-later
"""Service accounts in the lab's directory. Their passwords are the lab's own secret.

In life the machine makes and changes a managed account's password and nobody sees it. The lab has no such machine, so
Administrator sets one, and the lab keeps it to log on as the account.
"""

from __future__ import annotations

import secrets
import string
import typing as t
from pathlib import Path

import ldap3
from ldap3.core.exceptions import LDAPException

from odj_lab import directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Domain
from odj_lab.store import JsonStore

CLASS = "msDS-ManagedServiceAccount"


class ServiceAccount(t.TypedDict):
    """A managed service account: its name (without the dollar sign), DN and SID."""

    name: str
    dn: str
    sid: str


def create(connection: ldap3.Connection, domain: Domain) -> ServiceAccount:
    """Make the account that the wizard makes, with the rights of whoever is bound.

    Raises:
        LDAPException: The directory refused.

    """
    letters = string.ascii_letters + string.digits
    name = "msaODJ" + "".join(secrets.choice(letters) for __ in range(5))
    dn = f"CN={name},{domain.msa_container}"
    connection.add(dn, CLASS, {"sAMAccountName": f"{name}$", "userAccountControl": 4096})
    return {"name": name, "dn": dn, "sid": acl.sid_text(directory.sid_of(connection, domain, f"{name}$"))}


def link(connection: ldap3.Connection, computer_dn: str, account: ServiceAccount) -> None:
    """Bind a standalone account to its computer, with the rights of whoever is bound.

    Raises:
        LDAPException: The directory refused.

    """
    connection.modify(computer_dn, {"msDS-HostServiceAccount": [(ldap3.MODIFY_ADD, [account["dn"]])]})


def password(domain: Domain, name: str) -> str:
    """Return the password of a service account (name without the dollar sign); the lab sets one if it knows none.

    Raises:
        LookupError: There is no such account.
        LDAPException: The directory takes no password for it: those of group accounts are the directory's own.

    """
    store = JsonStore(passwords_path(domain))
    if not store.path.exists():
        store.create({})
    known = store.read().get(name)
    if known:
        return str(known)
    made = f"{secrets.token_urlsafe(24)}aA1!"
    with directory.connected(domain, "Administrator") as connection:
        entry = directory.find(connection, domain, f"{name}$")
        if entry is None:
            raise LookupError(f"there is no service account {name}")
        change = {"unicodePwd": [(ldap3.MODIFY_REPLACE, [directory.quoted(made)])]}
        connection.modify(entry["dn"], t.cast(t.Any, change))
    with store.edit(f"password of {name}") as state:
        state[name] = made
    return made


def passwords_path(domain: Domain) -> Path:
    """Return the file of the passwords that the lab has set, by account; its directory goes with the domain's data."""
    return domain.home / "accounts" / "passwords.json"


def sid_of(domain: Domain, account: str) -> str | None:
    r"""Return the SID of DOMAIN\name or name@domain, or None when the domain does not know it or is away."""
    before, __, name = account.rpartition("\\")
    name, __, after = name.partition("@")
    if (before or after or domain.name).upper() not in (domain.netbios, domain.realm):
        return None  # another forest's: nobody trusts anybody here
    try:
        with directory.connected(domain, "Administrator") as connection:
            return acl.sid_text(directory.sid_of(connection, domain, name))
    except (LDAPException, LookupError):
        return None
