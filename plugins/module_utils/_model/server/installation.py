# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What has to be done so that a server has the desired connector, and what must be the same afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    Plan,
    RunInstaller,
    RunUninstaller,
    RunUpgrade,
    SideCondition,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    DISPLAY_NAME,
    MINIMUM_BUILD,
    REMOVED_AFTER,
    Build,
    is_legacy,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import Connector


@dataclass(frozen=True, slots=True)
class Installer:
    """Where the installer comes from and how it is run.

    Attributes:
        version: The build it installs, as the user wrote it.
        path: On the server or on a share.
        src: On the controller, resolved.
        url: Fetched by the server.
        checksum: SHA-256, lower case hex.
        install_arguments: Command line after the program when it installs.
        uninstall_arguments: The same when a registered uninstall command runs.
        success_codes: Exit codes that mean success.
    """

    version: str | None
    path: str | None
    src: str | None
    url: str | None
    checksum: str | None
    install_arguments: str
    uninstall_arguments: str
    success_codes: tuple[int, ...]


def desired_build(state: str, version: str | None) -> Build | None:
    """Return the build that the installer installs; None with the state absent.

    Raises:
        InvalidInput: It is missing, malformed or legacy.
    """
    if state == "absent":
        return None
    if version is None:
        raise InvalidInput(
            "plan the installation", on="version", got="it is missing", advice="Say which build the installer installs."
        )
    build = Build.parse(version)
    if is_legacy(build):
        raise InvalidInput(
            "plan the installation",
            on=f"version: {build}",
            got="that is a legacy build, which can no longer process requests",
            advice=f"Use build {MINIMUM_BUILD} or later from the Intune admin center.",
        )
    return build


def plan_installation(server: str, connector: Connector, state: str, build: Build | None, installer: Installer) -> Plan:
    """Return what has to be done.

    Args:
        server: Name of the server, for people.
        connector: What is there.
        state: present (any build that is not legacy), latest (at least ``build``) or absent.
        build: What the installer installs; None with the state absent.
        installer: What to run, and how.

    Raises:
        OdjError: A legacy connector is installed, one whose version cannot be read, or one that cannot be removed.
    """
    if state == "absent" or build is None:
        return _removal(server, connector, installer)
    _refuse_unclear(server, connector)
    if connector.installed and (state == "present" or (connector.version is not None and connector.version >= build)):
        return Plan()
    before = _describe(connector)
    after = f"{DISPLAY_NAME} {build}\n"
    summary, why, kind = f"Install the connector {build} on {server}.", "There is none.", RunInstaller
    if connector.installed:
        summary = f"Upgrade the connector on {server} from {connector.version} to {build}."
        why, kind = f"{connector.version} is older.", RunUpgrade
    operation = kind(
        target=server,
        before=before,
        after=after,
        summary=summary,
        reason=why,
        path=installer.path,
        src=installer.src,
        url=installer.url,
        checksum=installer.checksum,
        arguments=installer.install_arguments,
        success_codes=installer.success_codes,
    )
    if connector.installed:
        return Plan((operation,))
    reason = f"Somebody with the role Intune Administrator has to sign in with the connector's wizard on {server}."
    return Plan((operation,), (SideCondition("sign_in", server, reason),))


def _describe(connector: Connector) -> str:
    return f"{DISPLAY_NAME} {connector.version}\n" if connector.installed else ""


def _refuse_unclear(server: str, connector: Connector) -> None:
    if connector.legacy:
        raise OdjError(
            "install the connector",
            on=server,
            got=f"the legacy build {connector.version} is installed, and there is no upgrade from it",
            advice="Uninstall it first (state: absent), then install. If it is the only connector of its domain, "
            "set up a second server before.",
        )
    if connector.installed and connector.version is None:
        raise OdjError(
            "install the connector",
            on=server,
            got=f"which build is installed is not known: {connector.versions}",
            advice="Set build_from: service_file if the service's file tells the build on your servers; uninstall the "
            "connector (state: absent) if it is damaged.",
        )


def _removal(server: str, connector: Connector, installer: Installer) -> Plan:
    changes = []
    for entry in connector.entries:
        if not entry.msi and not (entry.quiet_uninstall_string or entry.uninstall_string):
            raise OdjError(
                "uninstall the connector",
                on=server,
                got=f"the uninstall entry {entry.key} names no command",
                advice="Uninstall it with the set-up program of the same build.",
            )
        kind = "MSI" if entry.msi else "set-up program"
        before = f"{DISPLAY_NAME} {entry.version} ({kind} {entry.key})\n"
        summary = f"Uninstall {DISPLAY_NAME} {entry.version} ({kind}) from {server}."
        operation = RunUninstaller(
            target=server,
            before=before,
            after="",
            summary=summary,
            reason="The connector is to be absent.",
            product_id=entry.key,
            msi=entry.msi,
            arguments="" if entry.msi else installer.uninstall_arguments,
            success_codes=installer.success_codes,
        )
        changes.append(operation)
    reason = (
        f"The entry in Intune disappears by itself after {REMOVED_AFTER.days} days without contact. The service "
        "account and its rights on organizational units stay until they are removed (odj_msa, odj_ou_delegate)."
    )
    return Plan(tuple(changes), (SideCondition("clean_up", server, reason),) if changes else ())


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that an upgrade should have kept and that is another afterwards."""

    what: str
    before: str
    after: str


def outcome_is_there(connector: Connector, build: Build | None) -> bool:
    """Return whether what was promised is there: the build, or nothing after a removal."""
    return not connector.installed if build is None else connector.version == build


def check_outcome(server: str, connector: Connector, build: Build | None) -> None:
    """Compare what is installed after the work with what was promised.

    Raises:
        OdjError: It is another build, or something is left after a removal.
    """
    if build is None and connector.installed:
        raise OdjError(
            "uninstall the connector",
            on=server,
            got=f"it is still registered: {', '.join(entry.key for entry in connector.entries)}",
            advice="Restart the server and run again; else uninstall with the set-up program of the same build.",
        )
    if build is not None and connector.installed and connector.version is None:
        raise OdjError(
            "confirm the installation",
            on=server,
            got=f"the installer ended well, but which build is installed is not known: {connector.versions}",
            advice="Set build_from: service_file if the service's file tells the build on your servers.",
        )
    if build is not None and connector.version != build:
        raise OdjError(
            "confirm the installation",
            on=server,
            got=f"the installer ended well, but {connector.version or 'no connector'} is installed instead of {build}",
            advice="Correct the option version, or give the installer of that build.",
        )


def differences(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> list[Difference]:
    """Return what differs between two lists of the same traits."""
    later = dict(after)
    return [Difference(what, old, later.get(what, "")) for what, old in before if later.get(what, "") != old]
