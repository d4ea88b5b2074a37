# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of the lab as states in memory, with a connector that somebody has signed in to, and ways to spoil them."""

from __future__ import annotations

import secrets
import time
import typing as t
from pathlib import Path

from odj_lab.product import host, layout
from odj_lab.settings import Lab
from odj_lab.windows import registry
from odj_lab.windows.first_state import create_state
from odj_lab.windows.machine import iso

NEWEST = "6.2604.2000.3"
ISSUER = "CN=Microsoft Intune ODJ Connector CA"
ACCOUNT, ACCOUNT_SID = r"CONTOSO\msaODJab1cd$", "S-1-5-21-1-2-3-1601"
KEYS = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys"
DAY = 86400

State = dict[str, t.Any]


def bare() -> State:
    """Return a member server without a connector."""
    return create_state(Lab("states", "127.0.99", Path("unused"), {"contoso.test": 1}, {}), "odj01")


def installed(build: str = NEWEST) -> State:
    """Return a server on which a build was just installed."""
    state = bare()
    for path in (layout.SERVICE_EXE, layout.WIZARD_EXE):
        host.put_file(state, path, b"MZ", file_version=build, product_version=build)
    for path, content in layout.configuration(build).items():
        host.put_file(state, path, content)
    for key, values in layout.uninstall_entries(build).items():
        host.put_key(state, key, values)
    state["services"][layout.SERVICE] = {
        **state["services"]["W32Time"],
        "display_name": layout.SERVICE_DISPLAY_NAME,
        "path": f'"{layout.SERVICE_EXE}"',
        "state": "Stopped",
        "process_id": 0,
        "exit_code": 1077,
    }
    return state


def signed_in(build: str = NEWEST) -> State:
    """Return a server whose connector works."""
    state, now = installed(build), time.time()
    service(state).update(start_name=ACCOUNT, state="Running", process_id=4242, exit_code=0, managed_account=True)
    state["sids"][ACCOUNT] = ACCOUNT_SID
    state["certificates"]["My"] = [
        {
            # The shims keep what they make of a row, by its thumbprint.
            "thumbprint": secrets.token_hex(20).upper(),
            "subject": "CN=connector",
            "issuer": ISSUER,
            "serial": "01",
            "not_before": iso(now - DAY),
            "not_after": iso(now + 365 * DAY),
            "has_private_key": True,
            "eku": ["1.3.6.1.5.5.7.3.2"],
            "key_file": rf"{KEYS}\{secrets.token_hex(16)}",
            "key_sddl": f"O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;{ACCOUNT_SID})",
        }
    ]
    return state


def service(state: State) -> State:
    """Return the record of the connector's service."""
    return t.cast(State, state["services"][layout.SERVICE])


def certificate(state: State) -> State:
    """Return the certificate of the sign-in."""
    return t.cast(State, state["certificates"]["My"][0])


def only_msi(state: State, version: str = "6.26.4.2000") -> None:
    """Leave the entry of the MSI alone, with the number that Windows Installer can hold."""
    for key, values in layout.uninstall_entries(NEWEST).items():
        if "WindowsInstaller" in values:
            registry.put(state, key, "DisplayVersion", "String", version)
        else:
            registry.remove(state, key)


def deny_entries(state: State) -> None:
    """Deny the connector's own uninstall entries."""
    state["denied_keys"] = list(layout.uninstall_entries(NEWEST))


def deny_other_entry(state: State) -> None:
    """Deny an uninstall entry that is another program's."""
    key = rf"HKLM\SOFTWARE\{layout.UNINSTALL}\{{0000}}"
    host.put_key(state, key, {"DisplayName": "Another"})
    state["denied_keys"] = [key]


def configure(state: State, content: bytes) -> None:
    """Put other content into the wizard's configuration file."""
    host.put_file(state, layout.WIZARD_CONFIG, content)
