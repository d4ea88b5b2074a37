# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What the connector is called and where it lies on a server, as Microsoft's documentation has it."""

from __future__ import annotations

# https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid names the product, the paths and the channels.
DISPLAY_NAME = "Intune Connector for Active Directory"
SERVICE_NAME = "ODJConnectorSvc"
DEFAULT_INSTALL_PATH = r"C:\Program Files\Microsoft Intune\ODJConnector"
CHANNELS = ("Microsoft-Intune-ODJConnectorService/Operational", "Microsoft-Intune-ODJConnectorService/Admin")

# The second is how Microsoft's documentation misspelt the first for a while; nobody has shown a server that has it.
WIZARD_CONFIG_NAMES = ("ODJConnectorEnrollmentWizard.exe.config", "ODJConnectorEnrollmentWiazard.exe.config")
WIZARD_DIRECTORY = "ODJConnectorEnrollmentWizard"

# Issuer of the certificate that the sign-in puts into the computer's store; seen in published scripts, not documented.
CERTIFICATE_ISSUER = "CN=Microsoft Intune ODJ Connector CA"

# The three hosts that stand in the connector's own configuration files or that its sign-in page needs.
ENDPOINTS = ("login.microsoftonline.com:443", "manage.microsoft.com:443", "portal.manage.microsoft.com:443")

EVENT_SUCCESS = 30130  # RequestOfflineDomainJoinBlob_Success
EVENT_FAILURE = 30132  # RequestOfflineDomainJoinBlob_Failure

# https://learn.microsoft.com/en-us/dotnet/framework/install/how-to-determine-which-versions-are-installed
DOTNET_4_7_2_RELEASE = 461808
WINDOWS_SERVER_2016_BUILD = 14393


def wizard_config_paths(install_path: str) -> tuple[str, ...]:
    """Return where the wizard's configuration file may lie below an install path, the likeliest first."""
    root = install_path.rstrip("\\")
    return tuple(rf"{root}\{WIZARD_DIRECTORY}\{name}" for name in WIZARD_CONFIG_NAMES)
