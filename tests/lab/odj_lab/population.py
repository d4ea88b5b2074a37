# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in the lab's directory by now: the connectors' service accounts, and the PCs that joined."""

from __future__ import annotations

import re
import typing as t

from odj_lab import audit
from odj_lab.directory import connected, find
from odj_lab.directory_acl import sid_text
from odj_lab.settings import Domain


class ServiceAccount(t.TypedDict):
    """A managed service account: sAMAccountName, SID and DN."""

    name: str
    sid: str
    dn: str


class Computer(t.TypedDict):
    """A computer object: its DN, and the SID of its owner, who is the one who made it."""

    dn: str
    owner: str


def service_accounts(domain: Domain) -> list[ServiceAccount]:
    """Return the managed service accounts of the domain, by name."""
    with connected(domain, "Administrator") as connection:
        connection.search(
            domain.msa_container,
            "(objectClass=msDS-ManagedServiceAccount)",
            attributes=["sAMAccountName", "objectSid"],
        )
        found: list[ServiceAccount] = [
            {
                "name": entry["raw_attributes"]["sAMAccountName"][0].decode(),
                "sid": sid_text(entry["raw_attributes"]["objectSid"][0]),
                "dn": entry["dn"],
            }
            for entry in connection.response or ()
        ]
    return sorted(found, key=lambda account: account["name"])


def computer(domain: Domain, name: str) -> Computer | None:
    """Return the computer object of a PC, or None."""
    with connected(domain, "Administrator") as connection:
        entry = find(connection, domain, f"{name}$")
    if entry is None:
        return None
    owner = re.match(r"O:(S-[\d-]+|[A-Z]{2})", audit.descriptor(domain, entry["dn"]))
    return {"dn": entry["dn"], "owner": owner[1] if owner else ""}
