# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Active Directory: a Samba domain controller for each domain, and connections to it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import tempfile
import typing as t
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import ldap3
from ldap3.utils.conv import escape_filter_chars

from odj_lab import pki, processes
from odj_lab.directory_acl import responses
from odj_lab.processes import LabError
from odj_lab.settings import Domain, Lab

SCRIPT = Path(__file__).parents[1] / "samba-lab.sh"
PATIENCE = 120  # seconds that an answer may take before the domain controller counts as gone
PORTS = (53, 88, 135, 389, 445, 464, 636, 3268, 3269)
SAMBA = ("LAB_CHROOT", "LAB_LEVEL", "LAB_SCHEMA")
"""Settings of samba-lab.sh that whoever makes a lab may give in the environment: which Samba, and what it makes."""


def demands_channel_binding(domain: Domain) -> bool:
    """Say whether Kerberos inside TLS is let in with the right channel binding only (samba-lab.sh, strong_auth)."""
    return "ldap server require strong auth = yes" in (domain.dc_dir / "smb.conf").read_text(encoding="utf-8")


def process(domain: Domain) -> processes.Process | None:
    """Return the process of the domain controller if it runs."""
    return processes.recorded(record(domain))


def record(domain: Domain) -> Path:
    """Return the file that samba-lab.sh names the process in."""
    return domain.dc_dir / "run" / "lab.pid"


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


def start(domain: Domain, fill: Callable[[Domain], None]) -> None:
    """Start the domain controller; make its data when there are none yet or not all, and have them filled.

    Raises:
        LabError: It did not start, or could not be filled.

    """
    filled = domain.dc_dir / "filled"  # holds for how many servers
    if not filled.exists():
        script(domain, "wipe")
    script(domain, "start")
    if not filled.exists() or filled.read_text(encoding="ascii") != str(len(domain.servers)):
        fill(domain)
        filled.write_text(str(len(domain.servers)), encoding="ascii")
    if process(domain) is None:
        raise LabError(f"{domain.dc} ended right after its start (logs: {domain.dc_dir}/log)")


def stop_leftovers(lab: Lab) -> None:
    """End what is left of a domain controller whose recorded process was killed: it takes a moment to follow."""
    for path in lab.directory_dir.glob("*/*/run/samba.pid"):
        left = processes.recorded(path)
        if left and processes.recorded(path.with_name("lab.pid")) is None:
            processes.stop(left)


def alive(lab: Lab) -> list[Path]:
    """Return the directories of the domain controllers that run, also of one that the lab does not know (any more)."""
    return sorted(path.parents[1] for path in lab.directory_dir.glob("*/*/run/lab.pid") if processes.recorded(path))


def stop(place: Path) -> None:
    """Stop the domain controller that lives in a directory; its data stay.

    Raises:
        LabError: It cannot be stopped.

    """
    done = _run({"LAB_NAME": place.name, "LAB_HOME": str(place.parent)}, "stop")
    if done.returncode:
        raise LabError(f"The domain controller in {place} cannot be stopped: {done.stderr.strip()}")


def script(domain: Domain, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run samba-lab.sh for a domain and return what it said.

    Raises:
        LabError: It failed and ``check`` is true.

    """
    done = _run(_environment(domain), *arguments)
    if check and done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LabError(f"samba-lab.sh {arguments[0]} failed: {last} (logs: {domain.dc_dir / 'log'})")
    return done


def _run(settings: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LAB_CACHE": str(cache_dir()), **settings},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def write_krb5_conf(lab: Lab) -> None:
    """Write the configuration with which Kerberos finds all domains of a lab; the first is the default realm."""
    realms = "".join(
        f" {d.realm} = {{\n  kdc = {d.dc_address}\n  kpasswd_server = {d.dc_address}\n"
        f"  admin_server = {d.dc_address}\n }}\n"
        for d in lab.domains
    )
    names = "".join(f" .{d.name} = {d.realm}\n {d.name} = {d.realm}\n" for d in lab.domains)
    no = "".join(
        f" {what} = false\n" for what in ("dns_lookup_realm", "dns_lookup_kdc", "dns_canonicalize_hostname", "rdns")
    )
    text = (
        f"[libdefaults]\n default_realm = {lab.domains[0].realm}\n{no} udp_preference_limit = 1\n"
        f" default_ccache_name = FILE:{lab.home}/cc_%{{uid}}\n[realms]\n{realms}[domain_realm]\n{names}"
    )
    lab.krb5_conf.write_text(text, encoding="ascii")


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
def connected(domain: Domain, account: str, password: str | None = None) -> Iterator[ldap3.Connection]:
    """Yield an LDAPS connection bound as an account of the domain (sAMAccountName); failed operations raise.

    Args:
        domain: The domain.
        account: sAMAccountName.
        password: Its password; that of ``domain.passwords`` when absent.

    Raises:
        LDAPException: The bind failed.

    """
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(domain.lab.ca_path), valid_names=[domain.dc])
    server = ldap3.Server(domain.dc_address, 636, use_ssl=True, tls=tls, get_info=ldap3.NONE, connect_timeout=PATIENCE)
    connection = ldap3.Connection(
        server,
        f"{domain.netbios}\\{account}",
        password or domain.passwords[account],
        auto_bind=True,
        raise_exceptions=True,
        auto_referrals=False,
        receive_timeout=PATIENCE,
    )
    try:
        yield connection
    finally:
        connection.unbind()


def find(
    connection: ldap3.Connection, domain: Domain, sam_account_name: str, *attributes: str
) -> dict[str, t.Any] | None:
    """Return the entry (dn, attributes, raw_attributes) of an account, or None."""
    wanted = f"(sAMAccountName={escape_filter_chars(sam_account_name)})"
    connection.search(domain.base_dn, wanted, attributes=["objectSid", *attributes])
    entries = responses(connection)
    return entries[0] if entries else None


def sid_of(connection: ldap3.Connection, domain: Domain, sam_account_name: str) -> bytes:
    """Return the binary SID of an account.

    Raises:
        LookupError: There is no such account.

    """
    entry = find(connection, domain, sam_account_name)
    if entry is None:
        raise LookupError(f"no account {sam_account_name}")
    return t.cast(bytes, entry["raw_attributes"]["objectSid"][0])


def quoted(password: str) -> bytes:
    """Return a password as unicodePwd wants it."""
    return f'"{password}"'.encode("utf-16-le")


def schema_guid(connection: ldap3.Connection, domain: Domain, name: str) -> uuid.UUID:
    """Return schemaIDGUID of a class or an attribute by its LDAP name."""
    base = f"CN=Schema,CN=Configuration,{domain.base_dn}"
    connection.search(base, f"(lDAPDisplayName={name})", ldap3.LEVEL, attributes=["schemaIDGUID"])
    return uuid.UUID(bytes_le=responses(connection)[0]["raw_attributes"]["schemaIDGUID"][0])


def _environment(domain: Domain) -> dict[str, str]:
    certificate, key = pki.ensure_leaf(domain.lab, domain.dc, dns=[domain.dc], addresses=[domain.dc_address])
    return {
        "LAB_NAME": domain.dc_dir.name,
        "LAB_IP": domain.dc_address,
        "LAB_REALM": domain.realm,
        "LAB_DOMAIN": domain.netbios,
        "LAB_HOME": str(domain.home),
        "LAB_ADMINPW": domain.passwords["Administrator"],
        "LAB_TLS_CA": str(domain.lab.ca_path),
        "LAB_TLS_CERT": str(certificate),
        "LAB_TLS_KEY": str(key),
        "LAB_MAXRUN": str(maximum_seconds()),
        "LAB_DNS": "1",
        **samba_settings(),
    }
