# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened in the directory, told by the domain controller and not by who claims to have done it."""

from __future__ import annotations

import datetime
import json
import typing as t

from odj_lab import directory
from odj_lab.settings import Domain


class Bind(t.TypedDict):
    """One logon: time (UTC seconds), sAMAccountName (or the name given, when it failed), kind and outcome."""

    time: float
    account: str
    service: str
    status: str


def ldap_binds(domain: Domain, since: float = 0) -> list[Bind]:
    """Return the LDAP binds that the domain controller logged, oldest first.

    Args:
        domain: The domain.
        since: UTC seconds; earlier binds are left out.

    """
    binds: list[Bind] = []
    log = domain.dc_dir / "log" / "samba.log"
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


def descriptor(domain: Domain, dn: str) -> str:
    """Return the SDDL of an object as ``samba-tool dsacl get`` prints it.

    Raises:
        LabError: There is no such object.

    """
    database = domain.dc_dir / "private" / "sam.ldb"
    done = directory.script(domain, "run", "samba-tool", "dsacl", "get", "-H", f"tdb://{database}", "--objectdn", dn)
    return next(line.strip() for line in done.stdout.splitlines() if line.strip().startswith(("O:", "G:", "D:")))
