# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fake server holds at first."""

from __future__ import annotations

import typing as t

Value = dict[str, t.Any]
ROOT = r"C:\Program Files\Microsoft Intune\ODJConnector"
CONFIG = rf"{ROOT}\ODJConnectorEnrollmentWizard\ODJConnectorEnrollmentWizard.exe.config"
XML = b'<configuration>\r\n  <appSettings>\r\n    <add key="SignInURL" value="x" />\r\n  </appSettings>\r\n'
XML += b"</configuration>"


def entry_values(build: str, msi: int) -> Value:
    values: dict[str, object] = {"DisplayVersion": build, "UninstallString": "x /uninstall", "WindowsInstaller": msi}
    return {name: {"kind": "String", "data": value} for name, value in values.items()}


def host_values() -> Value:
    names = {"name": "ODJ01", "dns_host_name": "odj01", "domain": "contoso.com", "part_of_domain": True}
    return {**names, "domain_role": 3, "product_type": 3, "build": "20348", "powershell": {"version": "5.1"}}


def registry_values() -> dict[str, Value]:
    software = r"HKLM\SOFTWARE\Microsoft"
    windows = {"CurrentBuild": {"data": "20348"}, "UBR": {"data": 1}, "ProductName": {"data": "Windows Server 2022"}}
    return {
        rf"{software}\Windows NT\CurrentVersion": {"exists": True, "values": windows},
        rf"{software}\NET Framework Setup\NDP\v4\Full": {"exists": True, "values": {"Release": {"data": 528449}}},
    }
