# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What Windows lists under installed apps for the connector: one entry, or two of the same name."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.connector import Build
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.probe import (
    Fields,
    Look,
    Probe,
    registry,
    registry_number,
    registry_text,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import DISPLAY_NAME

_UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
_ENTRY_VALUES = (
    "DisplayName",
    "DisplayVersion",
    "Publisher",
    "UninstallString",
    "QuietUninstallString",
    "WindowsInstaller",
    "InstallLocation",
)


@dataclass(frozen=True, slots=True)
class UninstallEntry:
    """One line under "Apps" that bears the connector's name; the set-up program and its inner MSI may each have one.

    Attributes:
        key: Name of the registry key: a product code for an MSI.
        version: As registered, unparsed.
        msi: Whether Windows Installer owns it.
        uninstall_string: Command that removes it, with a user interface.
        quiet_uninstall_string: Command that removes it silently.
        install_location: Directory, when the entry tells one.
    """

    key: str
    version: str | None
    msi: bool
    uninstall_string: str | None
    quiet_uninstall_string: str | None
    install_location: str | None

    @property
    def build(self) -> Build | None:
        """The version as a build; None when it cannot be read as one."""
        try:
            return Build.parse(self.version or "")
        except InvalidInput:
            return None


def entry_probes() -> list[Probe]:
    """Return the questions whose answers ``read_entries`` understands."""
    where = ("DisplayName", DISPLAY_NAME)
    # Set-up programs of 32 and 64 bits register in different views; the connector's own is not documented.
    return [
        registry(
            f"uninstall_{view}",
            rf"HKLM\SOFTWARE\{_UNINSTALL}",
            values=(),
            view=view,
            subkey_values=_ENTRY_VALUES,
            where=where,
        )
        for view in (64, 32)
    ]


def read_entries(look: Look) -> tuple[UninstallEntry, ...]:
    """Return the entries, the set-up program's before the MSI's: that is the order in which they are removed."""
    found = {
        entry.key: entry for view in (32, 64) for entry in map(_entry, look.value(f"uninstall_{view}").parts("subkeys"))
    }
    return tuple(sorted(found.values(), key=lambda entry: (entry.msi, entry.key)))


def _entry(subkey: Fields) -> UninstallEntry:
    values = subkey.part("values")
    return UninstallEntry(
        key=subkey.text("name") or "",
        version=registry_text(values, "DisplayVersion"),
        msi=registry_number(values, "WindowsInstaller") == 1,
        uninstall_string=registry_text(values, "UninstallString"),
        quiet_uninstall_string=registry_text(values, "QuietUninstallString"),
        install_location=registry_text(values, "InstallLocation"),
    )
