# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector on a server: what is installed, which account its service has, whether somebody has signed in."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    CERTIFICATE_ISSUER,
    DEFAULT_INSTALL_PATH,
    DISPLAY_NAME,
    SERVICE_NAME,
    Build,
    is_legacy,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Probe,
    Snapshot,
    ask_certificate,
    ask_registry,
    ask_service,
    registry_number,
    registry_text,
)

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
        """The version as a build; None when it cannot be read as one."""
        try:
            return Build.parse(self.version or "")
        except InvalidInput:
            return None


@dataclass(frozen=True, slots=True)
class Service:
    r"""The connector's service.

    Attributes:
        exists: Whether there is one.
        state: Windows' own word: Running, Stopped, Start Pending ...; None without a service.
        start_mode: Auto, Manual, Disabled; None without a service.
        account: The account as Windows writes it: LocalSystem, or DOMAIN\name$ for a managed one.
        account_kind: none, local_system, managed or other.
        exit_code: Win32 code of the last end: 1069 is a logon failure, 1077 means not started since the boot.
        path: Command line of the service.
    """

    exists: bool
    state: str | None
    start_mode: str | None
    account: str | None
    account_kind: str
    exit_code: int | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """The newest certificate that the sign-in left in the computer's store; times are UTC in ISO 8601."""

    thumbprint: str | None
    subject: str | None
    not_before: str | None
    not_after: str | None
    has_private_key: bool | None
    expired: bool


@dataclass(frozen=True, slots=True)
class Connector:
    """Everything about the connector of one server.

    Attributes:
        entries: Uninstall entries, the installer's before the MSI's: that is the order in which they are removed.
        version: The highest build that an entry tells; None when nothing is installed or no version can be read.
        service: Its service.
        certificate: The newest certificate of the sign-in.
        problems: Questions that the server did not answer, with its errors. While there are any, nothing is sure.
    """

    entries: tuple[UninstallEntry, ...]
    version: Build | None
    service: Service
    certificate: Certificate | None
    problems: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether Windows lists it as installed."""
        return bool(self.entries)

    @property
    def legacy(self) -> bool:
        """Whether it is too old to process requests."""
        return self.version is not None and is_legacy(self.version)

    @property
    def state(self) -> str:
        """absent, legacy, ready_to_sign_in or signed_in; unknown while a question is not answered."""
        if self.problems:
            return "unknown"
        if not self.installed:
            return "absent"
        if self.legacy:
            return "legacy"
        return "ready_to_sign_in" if self.missing() else "signed_in"

    def missing(self) -> list[str]:
        """Return what keeps the server from counting as signed in, one sentence each."""
        account = self.service.account or "no account"
        checks = (
            (
                self.service.account_kind == "managed",
                f"The service runs as {account}, not as a managed service account.",
            ),
            (self.certificate is not None, f"No certificate of {CERTIFICATE_ISSUER} is in the computer's store."),
            (self.service.state == "Running", f"The service is {self.service.state or 'absent'}, not Running."),
        )
        return [sentence for holds, sentence in checks if not holds]

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
        """Return the facts ``connector``, ``service``, ``enrollment`` and ``state``."""
        return {
            "connector": {
                "installed": self.installed,
                "version": None if self.version is None else str(self.version),
                "legacy": self.legacy,
                "install_path": (self.install_path or DEFAULT_INSTALL_PATH) if self.installed else None,
                "uninstall_entries": [asdict(entry) for entry in self.entries],
            },
            "service": asdict(self.service),
            "enrollment": {
                "signed_in": self.state == "signed_in",
                "missing": self.missing() if self.installed else [],
                "certificate": None if self.certificate is None else asdict(self.certificate),
            },
            "state": self.state,
        }


def connector_probes() -> list[Probe]:
    """Return the questions whose answers ``read_connector`` understands."""
    where = ("DisplayName", DISPLAY_NAME)
    entries = [
        ask_registry(probe_id, _UNINSTALL, values=(), view=view, subkey_values=_ENTRY_VALUES, where=where)
        for probe_id, view in _VIEWS.items()
    ]
    return [*entries, ask_service("service", SERVICE_NAME), ask_certificate("certificate", "My", CERTIFICATE_ISSUER)]


def read_connector(snapshot: Snapshot) -> Connector:
    """Return the connector that the answers to ``connector_probes`` describe."""
    entries = _entries(snapshot)
    builds = [entry.build for entry in entries if entry.build is not None]
    return Connector(
        entries=entries,
        version=max(builds, default=None),
        service=_service(snapshot.value("service")),
        certificate=_certificate(snapshot),
        problems=tuple(_problems(snapshot)),
    )


def known_connector(snapshot: Snapshot, server: str) -> Connector:
    """Return the connector, for those who are about to change it.

    Raises:
        OdjError: The server did not answer all questions, so what is there is not known.
    """
    connector = read_connector(snapshot)
    if connector.problems:
        raise OdjError(
            "find out which connector is installed",
            on=server,
            got="; ".join(connector.problems),
            advice="Connect as a local administrator of the server.",
        )
    return connector


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


def _service(answer: Fields) -> Service:
    account = answer.text("start_name")
    return Service(
        exists=bool(answer.flag("exists")),
        state=answer.text("state"),
        start_mode=answer.text("start_mode"),
        account=account,
        account_kind=_account_kind(account),
        exit_code=answer.number("exit_code"),
        path=answer.text("path"),
    )


def _account_kind(account: str | None) -> str:
    if account is None:
        return "none"
    if account.casefold() in ("localsystem", r"nt authority\system"):
        return "local_system"
    return "managed" if account.partition("@")[0].endswith("$") else "other"


def _certificate(snapshot: Snapshot) -> Certificate | None:
    found = sorted(snapshot.value("certificate").parts("certificates"), key=lambda one: one.text("not_after") or "")
    if not found:
        return None
    newest = found[-1]
    end = newest.text("not_after")
    return Certificate(
        thumbprint=newest.text("thumbprint"),
        subject=newest.text("subject"),
        not_before=newest.text("not_before"),
        not_after=end,
        has_private_key=newest.flag("has_private_key"),
        # Both are UTC in ISO 8601, so the first 19 characters compare as text.
        expired=end is not None and end[:19] < utc_text(snapshot.answered_at)[:19],
    )
