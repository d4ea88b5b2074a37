# SPDX-License-Identifier: GPL-3.0-or-later
"""What an installed connector consists of: folders, both configuration files, registry entries, service, channels.

Documented by Microsoft: the paths, the structure of the configuration files, the service's name, the channels.
Choices of the lab: product codes (made from the build), and which of the two documented display names the service has.
"""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

from odj_lab.product import builds

ROOT = "C:\\Program Files\\Microsoft Intune\\ODJConnector"
SERVICE = "ODJConnectorSvc"
SERVICE_DISPLAY_NAME = "Intune ODJConnector Service"
SERVICE_EXE = f"{ROOT}\\ODJConnectorSvc\\ODJConnectorSvc.exe"
SERVICE_CONFIG = f"{SERVICE_EXE}.config"
WIZARD_DIR = f"{ROOT}\\ODJConnectorEnrollmentWizard"
WIZARD_EXE = f"{WIZARD_DIR}\\ODJConnectorEnrollmentWizard.exe"
WIZARD_CONFIG = f"{WIZARD_EXE}.config"
WIZARD_LOG = f"{WIZARD_DIR}\\ODJConnectorUI.log"
PROVIDER = "Microsoft-Intune-ODJConnectorService"
CHANNELS = (f"{PROVIDER}/Admin", f"{PROVIDER}/Operational")
OU_KEY = "OrganizationalUnitsUsedForOfflineDomainJoin"
NO_OU_UPDATES_KEY = "DisableOUUpdates"
OWN_ACCOUNT_KEY = "TenantConfiguredManagedServiceAccount"
LOCATION = "RestUserAuthLocationService/RestUserAuthLocationService/ServiceAddresses"
UNINSTALL = "Microsoft\\Windows\\CurrentVersion\\Uninstall"

_SERVICE_XML = """<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <startup>
    <supportedRuntime version="v4.0" sku=".NETFramework,Version=v4.6" />
  </startup>
  <appSettings>
    <add key="BaseServiceAddress" value="https://manage.microsoft.com/" />
  </appSettings>
</configuration>
"""
_WIZARD_XML = """<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <startup>
    <supportedRuntime version="v4.0" sku=".NETFramework,Version=v4.6" />
  </startup>
  <appSettings>
    <add key="SignInURL" value="https://portal.manage.microsoft.com/Home/ClientLogon" />
    <add key="LocationServiceEndpoint" value="{location}" />
{ou_key}  </appSettings>
  <runtime>
    <assemblyBinding xmlns="urn:schemas-microsoft-com:asm.v1">
      <dependentAssembly>
        <assemblyIdentity name="mscorlib" publicKeyToken="b77a5c561934e089" culture="neutral" />
        <bindingRedirect oldVersion="0.0.0.0-2.0.0.0" newVersion="4.6.0.0" />
      </dependentAssembly>
    </assemblyBinding>
  </runtime>
</configuration>
"""


def configuration(build: str) -> dict[str, bytes]:
    """Return both configuration files as a fresh installation has them, by path: UTF-8 with BOM and CRLF."""
    ou_key = "" if builds.is_legacy(build) else f'    <add key="{OU_KEY}" value="" />\n'
    texts = {
        SERVICE_CONFIG: _SERVICE_XML,
        WIZARD_CONFIG: _WIZARD_XML.replace("{ou_key}", ou_key).replace("{location}", LOCATION),
    }
    return {path: text.replace("\n", "\r\n").encode("utf-8-sig") for path, text in texts.items()}


def settings(content: bytes) -> dict[str, str]:
    """Return the appSettings of a configuration file as .NET reads them.

    Raises:
        ValueError: The file is not XML.

    """
    try:
        root = ET.fromstring(content)  # noqa: S314 # the lab's own file
    except ET.ParseError as error:
        raise ValueError(f"the configuration file cannot be read: {error}") from error
    return {node.get("key", ""): node.get("value", "") for node in root.iterfind("appSettings/add")}


def bundle_code(build: str) -> str:
    """Return the id of the bundle: not documented, so the lab makes one from the build."""
    return f"{{{str(uuid.uuid5(uuid.NAMESPACE_URL, f'lab:bundle:{build}')).upper()}}}"


def msi_code(build: str) -> str:
    """Return the product code of the package inside: not documented either."""
    return f"{{{str(uuid.uuid5(uuid.NAMESPACE_URL, f'lab:msi:{build}')).upper()}}}"


def cached_bundle(build: str) -> str:
    """Return where Burn keeps the installer for its later removal."""
    return f"C:\\ProgramData\\Package Cache\\{bundle_code(build)}\\{builds.FILE_NAME}"


def uninstall_entries(build: str) -> dict[str, dict[str, str | int]]:
    """Return the two entries of the list of programs: the bundle's, and that of the package inside."""
    common: dict[str, str | int] = {
        "DisplayName": builds.PRODUCT,
        "DisplayVersion": build,
        "Publisher": "Microsoft Corporation",
    }
    bundle = {
        **common,
        "BundleVersion": build,
        "UninstallString": f'"{cached_bundle(build)}" /uninstall',
        "QuietUninstallString": f'"{cached_bundle(build)}" /uninstall /quiet',
    }
    package = {
        **common,
        "UninstallString": f"MsiExec.exe /X{msi_code(build)}",
        "WindowsInstaller": 1,
        "SystemComponent": 1,
    }
    return {
        f"HKLM\\SOFTWARE\\WOW6432Node\\{UNINSTALL}\\{bundle_code(build)}": bundle,
        f"HKLM\\SOFTWARE\\{UNINSTALL}\\{msi_code(build)}": package,
    }
