# SPDX-License-Identifier: GPL-3.0-or-later
"""The first state of a connector server: a sane Windows Server 2022 member of the lab's domain, no connector yet."""

from __future__ import annotations

import time
import typing as t

from odj_lab.settings import Domain, Lab
from odj_lab.store import State

HOUR = 3600
CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
NET_FRAMEWORK = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
UNINSTALL_32 = r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
DIRECTORIES = (
    r"C:\Program Files",
    r"C:\Program Files (x86)",
    r"C:\ProgramData",
    r"C:\Users\ansible\AppData\Local\Temp",
    r"C:\Windows\System32",
    r"C:\Windows\Temp",
)
ENDPOINTS = ("login.microsoftonline.com", "manage.microsoft.com", "portal.manage.microsoft.com")
PUBLIC_ISSUER = "CN=Microsoft Azure RSA TLS Issuing CA 03, O=Microsoft Corporation, C=US"


def create_state(lab: Lab, name: str) -> State:
    """Return the state that a server of a lab begins with; the lab's README explains each key."""
    domain = lab.domain_of(name)
    return {
        "name": name.upper(),
        "fqdn": f"{name}.{domain.name}",
        "domain": domain.name,
        "domain_role": 3,
        "dc": domain.dc,
        "up": True,
        "boot_time": time.time() - HOUR,
        "boot": {"down_after": None, "down_at": None, "up_at": None, "seconds_down": 0.8, "longest_delay_seconds": 0.1},
        "clock_offset_seconds": 0,
        "language_mode": "FullLanguage",
        "elevated": True,
        "powershell": {"version": "5.1.20348.2849", "edition": "Desktop"},
        "os": {"version": "10.0.20348", "build": "20348", "product_type": 3},
        "registry": _registry(domain, name),
        "files": {},
        "directories": list(DIRECTORIES),
        "services": _services(),
        "channels": {"System": {"enabled": True, "events": []}, "Application": {"enabled": True, "events": []}},
        "certificates": {"My": []},
        "user_rights": {
            "SeServiceLogonRight": ["S-1-5-80-0"],
            "SeDenyServiceLogonRight": [],
            "SeBackupPrivilege": ["S-1-5-32-544", "S-1-5-32-551"],
        },
        "cim": {r"root\rsop\computer:RSOP_GPO": [], r"root\rsop\computer:RSOP_UserPrivilegeRight": []},
        "network": _network(domain),
        "proxies": {},
        "web": {},
        "accounts": {},
        "sids": {},
        "faults": [],
    }


def _text(**values: str) -> dict[str, t.Any]:
    return {"values": {name: {"kind": "String", "data": data} for name, data in values.items()}}


def _registry(domain: Domain, name: str) -> dict[str, t.Any]:
    version = _text(
        CurrentBuild="20348",
        CurrentBuildNumber="20348",
        EditionID="ServerStandard",
        InstallationType="Server",
        ProductName="Windows Server 2022 Standard",
        DisplayVersion="21H2",
    )
    version["values"]["UBR"] = {"kind": "DWord", "data": 2849}
    framework = _text(Version="4.8.04161")
    framework["values"]["Release"] = {"kind": "DWord", "data": 528449}
    names = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName"
    return {
        CURRENT_VERSION: version,
        NET_FRAMEWORK: framework,
        rf"HKLM\{UNINSTALL}\Microsoft Edge": _text(DisplayName="Microsoft Edge", DisplayVersion="130.0.2849.46"),
        rf"HKLM\{UNINSTALL_32}\Connection Manager": _text(),
        rf"{names}\ActiveComputerName": _text(ComputerName=name.upper()),
        rf"{names}\ComputerName": _text(ComputerName=name.upper()),
        r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters": _text(Domain=domain.name, Hostname=name),
        r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters": _text(Type="NT5DS"),
    }


def _services() -> dict[str, t.Any]:
    system = {"EventLog": "Windows Event Log", "Netlogon": "Netlogon", "W32Time": "Windows Time", "WinRM": "WinRM"}
    return {name: service(shown, process_id=700 + place) for place, (name, shown) in enumerate(system.items())}


def service(display_name: str, *, process_id: int = 0, **facts: t.Any) -> dict[str, t.Any]:
    """Return the record of a service: running when it has a process id; facts replace the defaults."""
    return {
        "display_name": display_name,
        "state": "Running" if process_id else "Stopped",
        "start_mode": "Auto",
        "delayed": False,
        "start_name": "LocalSystem",
        "path": r"C:\Windows\system32\svchost.exe -k netsvcs",
        "process_id": process_id,
        "exit_code": 0,
        "service_exit_code": 0,
        "managed_account": None,
        **facts,
    }


def _network(domain: Domain) -> dict[str, t.Any]:
    cloud = {
        f"{host}:443": {
            "addresses": [f"20.190.128.{place + 1}"],
            "connect": True,
            "tls": {
                "protocol": "Tls12",
                "subject": f"CN={host}, O=Microsoft Corporation, C=US",
                "issuer": PUBLIC_ISSUER,
                "thumbprint": f"{place + 1:040X}",
                "not_after": "2027-06-30T23:59:59.0000000Z",
                "policy_errors": "None",
            },
        }
        for place, host in enumerate(ENDPOINTS)
    }
    dc = {f"{domain.dc}:{port}": {"addresses": [domain.dc_address], "connect": True} for port in (88, 389, 445)}
    return {**cloud, **dc}
