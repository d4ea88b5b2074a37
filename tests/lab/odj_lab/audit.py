# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened in the directory, told by the domain controller and not by who claims to have done it."""

from __future__ import annotations

import datetime
import json
import typing as t

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.protocol.microsoft import security_descriptor_control

from odj_lab import directory
from odj_lab import directory_acl as acl
from odj_lab.processes import LabError
from odj_lab.settings import Domain

AS_SDDL = """import sys
from samba.dcerpc import security
from samba.ndr import ndr_unpack
for text in sys.argv[2:]:
    print(ndr_unpack(security.descriptor, bytes.fromhex(text)).as_sddl(security.dom_sid(sys.argv[1])))
"""


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
    """Return the SDDL of an object; see `descriptors`."""
    return descriptors(domain, dn)[0]


def descriptors(domain: Domain, *dns: str) -> list[str]:
    """Return the SDDL of objects, read with all four parts and printed by Samba's own codec (no line of ours).

    Raises:
        LabError: There is no such object, or Samba cannot read it.

    """
    try:
        with directory.connected(domain, "Administrator") as connection:
            sid = acl.sid_text(raw(connection, domain.base_dn, "objectSid"))
            found = [raw(connection, dn, "nTSecurityDescriptor").hex() for dn in dns]
    except LDAPException as error:
        raise LabError(f"The descriptors of {', '.join(dns)} cannot be read: {error}") from error
    return directory.script(domain, "run", "/usr/bin/python3", "-c", AS_SDDL, sid, *found).stdout.splitlines()


def raw(connection: ldap3.Connection, dn: str, attribute: str) -> bytes:
    """Return the first value of an attribute of an object, a descriptor with all four parts.

    Raises:
        LDAPException: There is no such object.

    """
    everything = security_descriptor_control(sdflags=15)
    connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute], controls=everything)
    return t.cast(bytes, acl.responses(connection)[0]["raw_attributes"][attribute][0])
