# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Active Directory: a Samba domain controller, its first content, and connections to it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import tempfile
import typing as t
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ldap3
from ldap3.utils.conv import escape_filter_chars

from odj_lab import pki, processes
from odj_lab.directory_acl import responses
from odj_lab.processes import LabError
from odj_lab.settings import Lab

SCRIPT = Path(__file__).parents[1] / "samba-lab.sh"
PORTS = (53, 88, 135, 389, 445, 464, 636, 3268, 3269)
SAMBA = ("LAB_CHROOT", "LAB_LEVEL", "LAB_SCHEMA")
"""Settings of samba-lab.sh that whoever makes a lab may give in the environment: which Samba, and what it makes."""


def organizational_units(lab: Lab) -> tuple[str, ...]:
    """Return the DNs of the OUs that PCs are joined to; the last needs escaping."""
    return (
        f"OU=Autopilot,{lab.base_dn}",
        f"OU=Kiosk,OU=Autopilot,{lab.base_dn}",
        f"OU=Lab\\, North,{lab.base_dn}",
    )


def msa_container(lab: Lab) -> str:
    """Return the DN of the container of managed service accounts."""
    return f"CN=Managed Service Accounts,{lab.base_dn}"


def computers_container(lab: Lab) -> str:
    """Return the DN of the container where computers land by default."""
    return f"CN=Computers,{lab.base_dn}"


def computer_dn(lab: Lab, server: str) -> str:
    """Return the DN of a connector server's computer object."""
    return f"CN={server.upper()},OU=Servers,{lab.base_dn}"


def instance_dir(lab: Lab) -> Path:
    """Return the directory of dc1."""
    return lab.directory_dir / "dc1"


def krb5_conf(lab: Lab) -> Path:
    """Return the configuration with which Kerberos finds the lab's domain (KRB5_CONFIG)."""
    return instance_dir(lab) / "krb5.conf"


def demands_channel_binding(lab: Lab) -> bool:
    """Say whether dc1 takes Kerberos inside TLS with the right channel binding only (samba-lab.sh, strong_auth)."""
    return "ldap server require strong auth = yes" in (instance_dir(lab) / "smb.conf").read_text(encoding="utf-8")


def process(lab: Lab) -> processes.Process | None:
    """Return the process of dc1 if it runs."""
    return processes.recorded(instance_dir(lab) / "run" / "lab.pid")


def missing() -> str:
    """Return a sentence that says what this computer lacks for a domain controller, or nothing."""
    if os.geteuid() != 0:
        return (
            "The lab's domain controller needs root (mount namespaces, ports 88 and 389): run this as root or by sudo."
        )
    root = os.environ.get("LAB_CHROOT", "")
    lacking = [name for name in ("samba", "samba-tool", "net", "unshare") if not installed(name, root)]
    if lacking:
        where = f" in {root}" if root else ""
        return (
            f"Not installed{where}: {', '.join(lacking)}. On Debian: apt-get install --no-install-recommends samba "
            "samba-ad-dc samba-dsdb-modules samba-vfs-modules samba-ad-provision winbind python3-samba util-linux."
        )
    return ""


def installed(program: str, root: str = "") -> bool:
    """Say whether a program is on this computer, or in the root directory that LAB_CHROOT names."""
    path = [f"{root}{place}" for place in ("/usr/bin", "/usr/sbin", "/bin", "/sbin")]
    return bool(shutil.which(program, path=os.pathsep.join([*path, "" if root else os.environ.get("PATH", "")])))


def start(lab: Lab, fill: Callable[[Lab], None]) -> None:
    """Start dc1; make its data when there are none yet, and have them filled.

    Raises:
        LabError: It did not start, or could not be filled.

    """
    filled = instance_dir(lab) / "filled"
    if not filled.exists():
        script(lab, "wipe")
    script(lab, "start")
    if not filled.exists():
        fill(lab)
        filled.touch()


def stop(lab: Lab) -> None:
    """Stop dc1; its data stay."""
    if instance_dir(lab).exists():
        script(lab, "stop")


def script(lab: Lab, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run samba-lab.sh for dc1 of a lab and return what it said.

    Raises:
        LabError: It failed and ``check`` is true.

    """
    done = subprocess.run(
        [str(SCRIPT), *arguments],
        env=_environment(lab),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if check and done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(f"samba-lab.sh {arguments[0]} failed: {last} (logs: {instance_dir(lab) / 'log'})")
    return done


def cache_dir() -> Path:
    """Return the directory of provisioned templates, shared by all labs of this user.

    Raises:
        LabError: It belongs to somebody else.

    """
    given = os.environ.get("ODJ_LAB_CACHE")
    path = Path(given) if given else Path(tempfile.gettempdir()) / "odj-lab" / ".cache"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_uid != os.geteuid():
        raise LabError(f"{path} belongs to another user; name another directory in ODJ_LAB_CACHE.")
    return path


def samba_settings() -> dict[str, str]:
    """Return what the environment says of the Samba that is to be used; where it is silent, samba-lab.sh decides."""
    given = {name: os.environ[name] for name in SAMBA if os.environ.get(name)}
    root = given.get("LAB_CHROOT")
    return {**given, "LAB_CHROOT": str(Path(root).resolve())} if root else given


def maximum_seconds() -> int:
    """Return after how many seconds a forgotten lab ends by itself."""
    return int(os.environ.get("ODJ_LAB_MAXRUN") or 3 * 3600)


@contextmanager
def connected(lab: Lab, account: str, password: str | None = None) -> Iterator[ldap3.Connection]:
    """Yield an LDAPS connection bound as an account of the domain (sAMAccountName); failed operations raise.

    Args:
        lab: The lab.
        account: sAMAccountName.
        password: Its password; that of ``lab.passwords`` when absent.

    Raises:
        LDAPException: The bind failed.

    """
    name = f"dc1.{lab.domain}"
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(lab.ca_path), valid_names=[name])
    server = ldap3.Server(lab.dc_address, 636, use_ssl=True, tls=tls, get_info=ldap3.NONE, connect_timeout=10)
    connection = ldap3.Connection(
        server,
        f"{lab.netbios}\\{account}",
        password or lab.passwords[account],
        auto_bind=True,
        raise_exceptions=True,
        auto_referrals=False,
        receive_timeout=60,
    )
    try:
        yield connection
    finally:
        connection.unbind()


def find(connection: ldap3.Connection, lab: Lab, sam_account_name: str, *attributes: str) -> dict[str, t.Any] | None:
    """Return the entry (dn, attributes, raw_attributes) of an account, or None."""
    wanted = f"(sAMAccountName={escape_filter_chars(sam_account_name)})"
    connection.search(lab.base_dn, wanted, attributes=["objectSid", *attributes])
    entries = responses(connection)
    return entries[0] if entries else None


def sid_of(connection: ldap3.Connection, lab: Lab, sam_account_name: str) -> bytes:
    """Return the binary SID of an account.

    Raises:
        LookupError: There is no such account.

    """
    entry = find(connection, lab, sam_account_name)
    if entry is None:
        raise LookupError(f"no account {sam_account_name}")
    return t.cast(bytes, entry["raw_attributes"]["objectSid"][0])


def quoted(password: str) -> bytes:
    """Return a password as unicodePwd wants it."""
    return f'"{password}"'.encode("utf-16-le")


def schema_guid(connection: ldap3.Connection, lab: Lab, name: str) -> uuid.UUID:
    """Return schemaIDGUID of a class or an attribute by its LDAP name."""
    base = f"CN=Schema,CN=Configuration,{lab.base_dn}"
    connection.search(base, f"(lDAPDisplayName={name})", ldap3.LEVEL, attributes=["schemaIDGUID"])
    return uuid.UUID(bytes_le=responses(connection)[0]["raw_attributes"]["schemaIDGUID"][0])


def _environment(lab: Lab) -> dict[str, str]:
    certificate, key = pki.ensure_leaf(lab, "dc1", dns=[f"dc1.{lab.domain}"], addresses=[lab.dc_address])
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LAB_NAME": "dc1",
        "LAB_IP": lab.dc_address,
        "LAB_REALM": lab.domain.upper(),
        "LAB_HOME": str(lab.directory_dir),
        "LAB_CACHE": str(cache_dir()),
        "LAB_ADMINPW": lab.passwords["Administrator"],
        "LAB_TLS_CA": str(lab.ca_path),
        "LAB_TLS_CERT": str(certificate),
        "LAB_TLS_KEY": str(key),
        "LAB_MAXRUN": str(maximum_seconds()),
        "LAB_DNS": "1",
        **samba_settings(),
    }
