# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Facts about the connector: builds, names, paths, channels, endpoints, exit codes.

This is the one place for them: modules, roles and documentation take them from here, and a test holds them to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

# re.ASCII: other scripts have digits that int() understands and that no build number is written with.
_FORM = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", re.ASCII)


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
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidInput(
                "read the connector build",
                on=repr(text),
                got="it is not three or four numbers with dots between them",
                advice=f'Write it like "{MINIMUM_BUILD}", in quotes.',
            )
        return cls(*(int(number) for number in match.groups(default="0")))


# Older builds can no longer process requests: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid
MINIMUM_BUILD = Build(6, 2501, 2000, 5)


def is_legacy(build: Build) -> bool:
    """Return whether a build is older than the first one with a managed service account."""
    return build < MINIMUM_BUILD


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

# The sign-in makes a standalone managed service account with this prefix and five random characters.
ACCOUNT_PREFIX = "msaODJ"
ACCOUNT_CLASS = "msDS-ManagedServiceAccount"
_ACCOUNT_NAME = re.compile(rf"{ACCOUNT_PREFIX}[^$]{{5}}\$", re.IGNORECASE | re.ASCII)

# The three hosts that stand in the connector's own configuration files or that its sign-in page needs.
ENDPOINTS = ("login.microsoftonline.com:443", "manage.microsoft.com:443", "portal.manage.microsoft.com:443")

EVENT_SUCCESS = 30130  # RequestOfflineDomainJoinBlob_Success
EVENT_FAILURE = 30132  # RequestOfflineDomainJoinBlob_Failure

# https://learn.microsoft.com/en-us/dotnet/framework/install/how-to-determine-which-versions-are-installed
DOTNET_4_7_2_RELEASE = 461808
WINDOWS_SERVER_2016_BUILD = 14393

# What Intune makes of a silent connector (states "error" and "inactive": Graph's resource domainJoinConnector), and how
# long it still lists an inactive one: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid
ERROR_AFTER = timedelta(hours=1)
INACTIVE_AFTER = timedelta(days=5)
REMOVED_AFTER = timedelta(days=30)


def made_by_sign_in(sam_account_name: str, object_class: str) -> bool:
    """Return whether an account is one that a connector's sign-in made; no other account is ever taken for one.

    Args:
        sam_account_name: With the dollar sign at its end, as the directory holds it; case does not matter.
        object_class: Its most specific class; case does not matter.
    """
    is_name = _ACCOUNT_NAME.fullmatch(sam_account_name) is not None
    return is_name and object_class.casefold() == ACCOUNT_CLASS.casefold()


def wizard_config_paths(install_path: str) -> tuple[str, ...]:
    """Return where the wizard's configuration file may lie below an install path, the likeliest first."""
    root = install_path.rstrip("\\")
    return tuple(rf"{root}\{WIZARD_DIRECTORY}\{name}" for name in WIZARD_CONFIG_NAMES)
