# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways in which a connector of the lab creates a computer: Samba's offline domain join, and plain LDAP.

Both are bound as the connector's service account, so that a right that is missing is missing here too. Samba's ``net``
re-uses an existing account where Windows refuses, so a name that is taken is refused before.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ldap3.core.exceptions import LDAPException, LDAPInsufficientAccessRightsResult

from odj_lab import directory
from odj_lab.processes import LabError
from odj_lab.settings import Domain

ACCESS_DENIED_CODES = (5, 31, 134)
"""Exit codes of ``net offlinejoin``: 5 access denied without an OU, 134 refused with an OU, 31 refused late."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to create, and as whom.

    Attributes:
        name: Name of the computer.
        unit: DN of the OU, or "" for the default container.
        account: The service account, without the dollar sign.
        password: Its password.
        ticket: A Kerberos ticket cache in the lab's directory, in place of the password; for Samba's client alone.

    """

    name: str
    unit: str
    account: str
    password: str = ""
    ticket: Path | None = None


class Refused(Exception):
    """The directory did not create the computer. ``denied``: for want of a right."""

    def __init__(self, text: str, *, denied: bool) -> None:
        super().__init__(text)
        self.denied = denied


def ways() -> dict[str, Callable[[Domain, Order], None]]:
    """Return the ways by name."""
    return {"net": by_net, "ldap": by_ldap}


def best_way() -> str:
    """Return ``net`` where Samba's client is installed, else ``ldap``."""
    return "net" if directory.installed("net", os.environ.get("LAB_CHROOT", "")) else "ldap"


def by_ldap(domain: Domain, order: Order) -> None:
    """Create the computer with one LDAP add.

    Raises:
        Refused: The directory refused.
        LabError: The name is taken.

    """
    fqdn = f"{order.name.lower()}.{domain.name}"
    attributes = {
        "sAMAccountName": f"{order.name}$",
        "userAccountControl": 4096,
        "dNSHostName": fqdn,
        "servicePrincipalName": [f"HOST/{order.name}", f"HOST/{fqdn}"],
        "unicodePwd": directory.quoted(f"{secrets.token_urlsafe(60)}aA1!"),
    }
    dn = f"CN={order.name},{order.unit or domain.computers_container}"
    try:
        with directory.connected(domain, f"{order.account}$", order.password) as connection:
            _refuse_taken(directory.find(connection, domain, f"{order.name}$") is not None, order)
            connection.add(dn, "computer", attributes)
    except LDAPInsufficientAccessRightsResult as error:
        raise Refused(f"access denied ({dn}): {error.message}", denied=True) from error
    except LDAPException as error:
        raise Refused(f"the directory refused {dn}: {error}", denied=False) from error


def by_net(domain: Domain, order: Order) -> None:
    """Create the computer as an offline domain join, with Samba's own client; the blob is thrown away.

    Raises:
        Refused: The directory refused.
        LabError: The name is taken.

    """
    try:
        with directory.connected(domain, f"{order.account}$", order.password) as connection:
            _refuse_taken(directory.find(connection, domain, f"{order.name}$") is not None, order)
    except LDAPException as error:
        raise Refused(f"the service account cannot log on: {error}", denied=False) from error
    done = offline_join(domain, order)
    if done.returncode:
        denied = done.returncode in ACCESS_DENIED_CODES
        raise Refused(_reason(done.stdout + done.stderr, done.returncode, denied=denied), denied=denied)


def offline_join(domain: Domain, order: Order, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``net offlinejoin provision`` as the account of the order; the blob is thrown away.

    It is the client of the Samba that the domain controller is of. What it reads and writes is in the lab's directory,
    the only place that a Samba in a root directory of its own sees.

    Args:
        domain: The domain.
        order: What to create.
        words: Further words of the command, for example ``reuse``.

    """
    instance = domain.dc_dir
    with tempfile.TemporaryDirectory(prefix="join-", dir=instance) as scratch:
        if order.ticket:
            log_on = ["--use-kerberos=required", f"--use-krb5-ccache={order.ticket}"]
        else:
            log_on = ["-A", str(credentials_file(domain, f"{order.account}$", order.password, Path(scratch)))]
        unit = [f"machine_account_ou={order.unit}"] if order.unit else []
        return directory.script(
            domain,
            *("run", "net", "offlinejoin", "provision", f"--configfile={instance}/client/smb.conf"),
            *(*log_on, f"domain={domain.name}", f"machine_name={order.name}", *unit),
            *(f"dcname={domain.dc}", f"savefile={scratch}/blob", *words),
            check=False,
        )


def credentials_file(domain: Domain, account: str, password: str, place: Path) -> Path:
    """Write the file that Samba's clients read an account (sAMAccountName) and its password from, and return it."""
    path = place / "credentials"
    text = f"username = {account}\npassword = {password}\ndomain = {domain.netbios}\n"
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")
    return path


def _reason(output: str, code: int, *, denied: bool) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = next((line for line in lines if "AD LDAP ERROR" in line), lines[-1] if lines else "no message")
    return f"{'access denied, ' if denied else ''}net offlinejoin ended with {code}: {told}"


def _refuse_taken(taken: bool, order: Order) -> None:
    if taken:
        raise LabError(f"A computer {order.name} exists already; Windows would not re-use it.")
