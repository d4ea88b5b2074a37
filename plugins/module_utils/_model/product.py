# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Facts about the connector: builds, names, paths, accounts, channels, endpoints, exit codes, times.

This is the one place for them. Options take their defaults from here, and a test holds roles and documentation to it.
Where no other source is named, it is https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

# re.ASCII: other scripts have digits that int() understands and that no build number is written with.
_BUILD = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """One build of the connector, such as 6.2501.2000.5. Compares by number, not as text.

    Attributes:
        major: First number.
        minor: Second number; year and month of the build in those seen so far.
        build: Third number.
        revision: Fourth number; 0 when the text had only three.
    """

    major: int
    minor: int
    build: int
    revision: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"

    @classmethod
    def parse(cls, text: str) -> Build:
        """Return the build that a text of three or four numbers names; blanks around it do not matter.

        Raises:
            InvalidInput: The text is not of that form.
        """
        match = _BUILD.fullmatch(text.strip())
        if match is None:
            raise InvalidInput(
                "read the connector build",
                on=repr(text),
                got="it is not three or four numbers with dots between them",
                advice=f'Write it like "{MINIMUM_BUILD}", in quotes.',
            )
        return cls(*(int(number) for number in match.groups(default="0")))


MINIMUM_BUILD = Build(6, 2501, 2000, 5)  # the first with a managed service account; older ones are no longer served


def is_legacy(build: Build) -> bool:
    """Return whether a build is too old to process requests."""
    return build < MINIMUM_BUILD


# The most that the first two fields of a Windows Installer version may hold, where each build known has year and month:
# https://learn.microsoft.com/en-us/windows/win32/msi/productversion
MSI_FIELD_LIMIT = 255


DISPLAY_NAME = "Intune Connector for Active Directory"
SERVICE_NAME = "ODJConnectorSvc"
DEFAULT_INSTALL_PATH = r"C:\Program Files\Microsoft Intune\ODJConnector"

# The wizard's configuration file. Its second name is how Microsoft's documentation misspelt the first for a while;
# nobody has shown a server that has it.
WIZARD_DIRECTORY = "ODJConnectorEnrollmentWizard"
WIZARD_CONFIG_NAMES = ("ODJConnectorEnrollmentWizard.exe.config", "ODJConnectorEnrollmentWiazard.exe.config")
OU_LIST_KEY = "OrganizationalUnitsUsedForOfflineDomainJoin"
ACCOUNT_KEY = "TenantConfiguredManagedServiceAccount"
DISABLE_OU_UPDATES_KEY = "DisableOUUpdates"


def wizard_config_paths(install_path: str) -> tuple[str, ...]:
    """Return where the wizard's configuration file may lie below an install path, the likeliest first."""
    root = install_path.rstrip("\\")
    return tuple(rf"{root}\{WIZARD_DIRECTORY}\{name}" for name in WIZARD_CONFIG_NAMES)


def service_program_path(install_path: str) -> str:
    """Return where the service's program lies below an install path."""
    root = install_path.rstrip("\\")
    return rf"{root}\{SERVICE_NAME}\{SERVICE_NAME}.exe"


# The installer. Switches and exit codes are not documented: these are the standard ones of WiX Burn, with which it is
# made by all signs, and of Windows Installer, which runs inside it.
INSTALLER_NAME = "ODJConnectorBootstrapper.exe"
QUIET_ARGUMENTS = "/quiet /norestart"
RESTART_CODES = (3010, 1641)  # a restart is needed, or has begun
SUCCESS_CODES = (0, *RESTART_CODES)

# The sign-in makes a standalone managed service account with this prefix and five random characters, and puts a
# certificate of this issuer into the computer's store (seen in published scripts, not documented).
ACCOUNT_PREFIX = "msaODJ"
ACCOUNT_CLASS = "msDS-ManagedServiceAccount"
CERTIFICATE_ISSUER = "CN=Microsoft Intune ODJ Connector CA"
_ACCOUNT_NAME = re.compile(rf"{ACCOUNT_PREFIX}[^$]{{5}}\$", re.IGNORECASE | re.ASCII)


def made_by_sign_in(sam_account_name: str, object_class: str) -> bool:
    """Return whether an account is one that a connector's sign-in made; no other account is ever taken for one.

    Args:
        sam_account_name: With the dollar sign at its end, as the directory holds it; case does not matter.
        object_class: Its most specific class; case does not matter.
    """
    is_name = _ACCOUNT_NAME.fullmatch(sam_account_name) is not None
    return is_name and object_class.casefold() == ACCOUNT_CLASS.casefold()


# What a server needs; the release number of .NET:
# https://learn.microsoft.com/en-us/dotnet/framework/install/how-to-determine-which-versions-are-installed
MINIMUM_WINDOWS = "Windows Server 2016"
MINIMUM_WINDOWS_BUILD = 14393
MINIMUM_DOTNET = "4.7.2"
MINIMUM_DOTNET_RELEASE = 461808

# The three hosts that stand in the connector's own configuration files or that its sign-in page needs.
ENDPOINTS = ("login.microsoftonline.com:443", "manage.microsoft.com:443", "portal.manage.microsoft.com:443")

CHANNELS = ("Microsoft-Intune-ODJConnectorService/Operational", "Microsoft-Intune-ODJConnectorService/Admin")
EVENT_SUCCESS = 30130  # RequestOfflineDomainJoinBlob_Success
EVENT_FAILURE = 30132  # RequestOfflineDomainJoinBlob_Failure

# After how long a silence Intune calls a connector "error" and then "inactive" (Graph's enumeration
# deviceManagementDomainJoinConnectorState), and how long it lists an inactive one.
ERROR_AFTER = timedelta(hours=1)
INACTIVE_AFTER = timedelta(days=5)
REMOVED_AFTER = timedelta(days=30)
