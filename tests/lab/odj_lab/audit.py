# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened in the directory, told by the domain controller and not by who claims to have done it."""

from __future__ import annotations

import datetime
import json
import typing as t

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

from odj_lab import directory
from odj_lab import directory_acl as acl
from odj_lab.settings import Lab


class Bind(t.TypedDict):
    """One logon: time (UTC seconds), sAMAccountName (or the name given, when it failed), kind and outcome."""

    time: float
    account: str
    service: str
    status: str


def ldap_binds(lab: Lab, since: float = 0) -> list[Bind]:
    """Return the LDAP binds that the domain controller logged, oldest first.

    Args:
        lab: The lab.
        since: UTC seconds; earlier binds are left out.
    """
    binds: list[Bind] = []
    log = directory.instance_dir(lab) / "log" / "samba.log"
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"type": "Authentication"' not in line:
            continue
        event = json.loads(line[line.index("{") :])
        details = event["Authentication"]
        moment = datetime.datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        if details["serviceDescription"] == "LDAP" and moment >= since:
            account = details["becameAccount"] or details["clientAccount"] or ""
            binds.append(
                {"time": moment, "account": account, "service": details["authDescription"], "status": details["status"]}
            )
    return binds


def descriptor(lab: Lab, dn: str) -> str:
    """Return the SDDL of an object as ``samba-tool dsacl get`` prints it.

    Raises:
        LabError: There is no such object.
    """
    database = directory.instance_dir(lab) / "private" / "sam.ldb"
    done = directory.script(lab, "run", "samba-tool", "dsacl", "get", "-H", f"tdb://{database}", "--objectdn", dn)
    return next(line.strip() for line in done.stdout.splitlines() if line.strip().startswith(("O:", "G:", "D:")))


def service_accounts(lab: Lab) -> list[dict[str, str]]:
    """Return the service accounts that the wizard made, by name: name (DOMAIN\\name$), dn, sid, host (DN, or "")."""
    wanted = ["objectSid", "sAMAccountName", "msDS-HostServiceAccountBL"]
    with directory.connected(lab, "Administrator") as connection:
        connection.search(directory.msa_container(lab), "(sAMAccountName=msaODJ*)", attributes=wanted)
        found = [
            {
                "name": f"{lab.netbios}\\{_text(entry, 'sAMAccountName')}",
                "dn": str(entry["dn"]),
                "sid": acl.sid_text(entry["raw_attributes"]["objectSid"][0]),
                "host": _text(entry, "msDS-HostServiceAccountBL"),
            }
            for entry in connection.response
            if entry["type"] == "searchResEntry"
        ]
    return sorted(found, key=lambda account: account["name"])


def computer(lab: Lab, name: str) -> dict[str, str] | None:
    """Return a computer: dn, creator (SID of its owner), dns_host_name; or None when there is none."""
    with directory.connected(lab, "Administrator") as connection:
        entry = directory.find(connection, lab, f"{name}$", "dNSHostName")
        if entry is None:
            return None
        controls = security_descriptor_control(sdflags=1)
        connection.search(
            entry["dn"], "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"], controls=controls
        )
        owner = connection.response[0]["raw_attributes"]["nTSecurityDescriptor"][0]
    start = int.from_bytes(owner[4:8], "little")
    return {
        "dn": str(entry["dn"]),
        "creator": acl.sid_text(owner[start:]),
        "dns_host_name": _text(entry, "dNSHostName"),
    }


def _text(entry: dict[str, t.Any], attribute: str) -> str:
    values = entry["raw_attributes"].get(attribute) or [b""]
    return str(values[0].decode())
