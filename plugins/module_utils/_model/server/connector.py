# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector on a server as its answers describe it: uninstall entries, service, certificate of the sign-in."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    CERTIFICATE_ISSUER,
    DEFAULT_INSTALL_PATH,
    DISPLAY_NAME,
    MSI_FIELD_LIMIT,
    SERVICE_NAME,
    Build,
    is_legacy,
    service_program_path,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Probe,
    Snapshot,
    ask_certificate,
    ask_file_version,
    ask_registry,
    ask_service,
    registry_number,
    registry_text,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.service import Service, read_service

UNINSTALL_ENTRY, SERVICE_FILE = "uninstall_entry", "service_file"

# Question -> registry view. Installers of 32 and 64 bits register in different ones; the connector's is not documented.
_VIEWS = {"uninstall_64": 64, "uninstall_32": 32}
_UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
_ENTRY_VALUES = (
    "DisplayName",
    "DisplayVersion",
    "UninstallString",
    "QuietUninstallString",
    "WindowsInstaller",
    "InstallLocation",
)
_SERVICE_PROGRAM = re.compile(re.escape(rf"\{SERVICE_NAME}\{SERVICE_NAME}.exe"), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UninstallEntry:
    """One line under "Apps" that bears the connector's name; the installer and its inner MSI may each have one.

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
        """The version as a build; None when it is not one, or is a number that Windows Installer made of one.

        Windows Installer counts at most 255 in the second field of a version, where every build known has year and
        month (https://learn.microsoft.com/en-us/windows/win32/msi/productversion).
        """
        try:
            build = Build.parse(self.version or "")
        except InvalidInput:
            return None
        return build if build.minor > MSI_FIELD_LIMIT else None


@dataclass(frozen=True, slots=True)
class Certificate:
    """The best certificate that the sign-in left in the computer's store; times are UTC in ISO 8601.

    Attributes:
        thumbprint: SHA-1, in hexadecimal.
        subject: Distinguished name.
        not_before: When it becomes valid.
        not_after: When it ends.
        has_private_key: Whether the computer has a key for it.
        expired: Whether its time is over, by the controller's clock.
        not_yet_valid: Whether its time is still to come, by the controller's clock.
        key_sddl: Who may use the key file, as SDDL; None when that could not be read.
        key_problem: Why it could not be read; None when it could, or when there is no key.
    """

    thumbprint: str | None
    subject: str | None
    not_before: str | None
    not_after: str | None
    has_private_key: bool | None
    expired: bool
    not_yet_valid: bool
    key_sddl: str | None
    key_problem: str | None


@dataclass(frozen=True, slots=True)
class Connector:
    """Everything about the connector of one server.

    Attributes:
        entries: Uninstall entries, the installer's before the MSI's: that is the order in which they are removed.
        version: The installed build; None when nothing is installed or no number can be a build.
        build_from: Where ``version`` comes from: uninstall_entry (the highest build of an entry) or service_file.
        file_version: Version of the service's program file, unparsed; None when it is not there or was not read.
        unreadable: Sub-keys of the uninstall key that could not be read, with the error.
        service: Its service.
        certificate: The best certificate of the sign-in.
        problems: Questions that the server did not answer, with its errors.
    """

    entries: tuple[UninstallEntry, ...]
    version: Build | None
    build_from: str
    file_version: str | None
    unreadable: tuple[str, ...]
    service: Service
    certificate: Certificate | None
    problems: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether Windows lists it as installed."""
        return bool(self.entries)

    @property
    def legacy(self) -> bool:
        """Whether it is proven too old to process requests."""
        return self.version is not None and is_legacy(self.version)

    @property
    def hidden(self) -> bool:
        """Whether an uninstall entry may be there that could not be read: the service is there, and no entry is."""
        return not self.entries and bool(self.unreadable) and self.service.exists

    @property
    def versions(self) -> str:
        """What the entries and the service's file say, for people, when no build can be read from them."""
        said = [f"the uninstall entry {entry.key} says {entry.version or 'nothing'}" for entry in self.entries]
        return "; ".join([*said, f"the service's file has version {self.file_version or 'unknown'}"])

    @property
    def install_path(self) -> str | None:
        """The directory that an uninstall entry or the service's command line tells; None when neither does."""
        told = next((e.install_location for e in self.entries if e.install_location), None)
        if told:
            return told.strip('"').rstrip("\\")
        # <root>\ODJConnectorSvc\ODJConnectorSvc.exe
        program = (self.service.path or "").strip('"')
        found = _SERVICE_PROGRAM.search(program)
        return program[: found.start()] if found and found.start() else None

    def to_json(self) -> dict[str, object]:
        """Return the facts ``connector`` and ``service``."""
        return {
            "connector": {
                "installed": self.installed,
                "version": None if self.version is None else str(self.version),
                "build_from": self.build_from,
                "service_file_version": self.file_version,
                "legacy": self.legacy,
                "install_path": (self.install_path or DEFAULT_INSTALL_PATH) if self.installed else None,
                "uninstall_entries": [asdict(entry) for entry in self.entries],
                "unreadable_uninstall_keys": list(self.unreadable),
            },
            "service": asdict(self.service),
        }


def connector_probes() -> list[Probe]:
    """Return the questions without whose answers a connector is not known."""
    where = ("DisplayName", DISPLAY_NAME)
    entries = [
        ask_registry(probe_id, _UNINSTALL, values=(), view=view, subkey_values=_ENTRY_VALUES, where=where)
        for probe_id, view in _VIEWS.items()
    ]
    return [*entries, ask_service("service", SERVICE_NAME), ask_certificate("certificate", "My", CERTIFICATE_ISSUER)]


def file_version_probe(install_path: str) -> Probe:
    """Return the question for the version of the service's program below an install path."""
    return ask_file_version("service_file", service_program_path(install_path))


def read_connector(snapshot: Snapshot, build_from: str = UNINSTALL_ENTRY) -> Connector:
    """Return the connector that the answers describe.

    Args:
        snapshot: Answers to ``connector_probes`` and, where it was asked, to ``file_version_probe``.
        build_from: uninstall_entry or service_file.
    """
    entries = _entries(snapshot)
    file_version = snapshot.value("service_file").part("version").text("file")
    return Connector(
        entries=entries,
        version=_installed_build(entries, file_version, build_from),
        build_from=build_from,
        file_version=file_version,
        unreadable=tuple(_unreadable(snapshot)),
        service=read_service(snapshot.value("service")),
        certificate=_certificate(snapshot),
        problems=tuple(_problems(snapshot)),
    )


def known_connector(snapshot: Snapshot, server: str, build_from: str = UNINSTALL_ENTRY) -> Connector:
    """Return the connector, for those who are about to change it.

    Raises:
        OdjError: The server did not answer all questions, so what is there is not known.
    """
    connector = read_connector(snapshot, build_from)
    problems = [*connector.problems, *(connector.unreadable if connector.hidden else ())]
    if problems:
        raise OdjError(
            "find out which connector is installed",
            on=server,
            got="; ".join(problems),
            advice="Connect as a local administrator of the server.",
        )
    return connector


def _installed_build(entries: tuple[UninstallEntry, ...], file_version: str | None, build_from: str) -> Build | None:
    if not entries:
        return None
    if build_from == UNINSTALL_ENTRY:
        return max((entry.build for entry in entries if entry.build is not None), default=None)
    try:
        return Build.parse(file_version or "")
    except InvalidInput:
        return None


def _unreadable(snapshot: Snapshot) -> list[str]:
    found = [one for probe_id in _VIEWS for one in snapshot.value(probe_id).parts("unreadable")]
    # A key that is in both views is told once.
    return list(dict.fromkeys(f"{one.text('name') or 'a key'}: {one.text('message') or 'no text'}" for one in found))


def _problems(snapshot: Snapshot) -> list[str]:
    ids = [str(probe["id"]) for probe in connector_probes()]
    return [f"{one}: {snapshot.error(one) or 'no answer'}" for one in ids if not snapshot.answered(one)]


def _entries(snapshot: Snapshot) -> tuple[UninstallEntry, ...]:
    subkeys = [subkey for probe_id in _VIEWS for subkey in snapshot.value(probe_id).parts("subkeys")]
    # A key that is in both views is one entry, that of the 64-bit view.
    found = {entry.key: entry for entry in map(_entry, reversed(subkeys))}
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


def _certificate(snapshot: Snapshot) -> Certificate | None:
    found = snapshot.value("certificate").parts("certificates")
    if not found:
        return None
    # Of several, one that can be used: with a key, and with the latest end.
    best = max(found, key=lambda one: (one.flag("has_private_key") is not False, one.text("not_after") or ""))
    begin, end = best.text("not_before"), best.text("not_after")
    # All are UTC in ISO 8601, so the first 19 characters compare as text.
    now = utc_text(snapshot.answered_at)[:19]
    return Certificate(
        thumbprint=best.text("thumbprint"),
        subject=best.text("subject"),
        not_before=begin,
        not_after=end,
        has_private_key=best.flag("has_private_key"),
        expired=end is not None and end[:19] < now,
        not_yet_valid=begin is not None and begin[:19] > now,
        key_sddl=best.text("key_sddl"),
        key_problem=best.text("key_error"),
    )
