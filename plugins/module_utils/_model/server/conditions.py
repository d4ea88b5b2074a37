# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The conditions of a connector: five aspects, each judged for itself from the answers of the server.

The form is that of Kubernetes: type, status, reason in one word, message, and the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    CERTIFICATE_ISSUER,
    MINIMUM_BUILD,
    OU_LIST_KEY,
    WIZARD_CONFIG_NAMES,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    find_config_file,
    read_settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    UNINSTALL_ENTRY,
    Connector,
    read_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import (
    desired_ou_list,
    split_ou_list,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.service import Service, same_account

TYPES = ("installed", "enrolled", "account_ready", "service_running", "configured", "active", "delegated")

_SIGN_IN_AGAIN = "Sign in again with the connector's wizard on the server."
_AS_ADMINISTRATOR = "Connect as a local administrator of the server, or look by hand."

# Every reason that a condition may have, and what to do about it; "" where there is nothing to do.
REMEDIATIONS: Mapping[str, str] = {
    "NotAsked": "",
    "NoAnswer": _AS_ADMINISTRATOR,
    "Installed": "",
    "NotInstalled": "Install the connector (odj_connector_install).",
    "LegacyBuild": "Uninstall it (odj_connector_install with state: absent), then install the current one.",
    "BuildUnknown": "Look at the version under installed apps. If the service's file tells the build on your servers, "
    "set build_from: service_file.",
    "EntryUnreadable": _AS_ADMINISTRATOR,
    "SignedIn": "",
    "NotSignedIn": "Sign in with the connector's wizard on the server.",
    "CertificateExpired": _SIGN_IN_AGAIN,
    "CertificateNotYetValid": "Correct the clocks of server and controller.",
    "CertificateWithoutKey": _SIGN_IN_AGAIN,
    "AccountManaged": "",
    "AccountLocalSystem": _SIGN_IN_AGAIN,
    "AccountNotManaged": _SIGN_IN_AGAIN,
    "AccountUnexpected": "Correct the expected account, or sign in again so that the connector takes it.",
    "AccountCannotLogOn": "Check that the account exists in Active Directory, may be used on this server, and has the "
    "right to log on as a service in the Group Policy that wins; then start the service.",
    "KeyAccessDenied": "Sign in again with the connector's wizard: it gives the account access to the key.",
    "Running": "",
    "ServiceMissing": "Repair the installation: uninstall the connector and install it again.",
    "ServiceDisabled": "Set its start type to Automatic and start it.",
    "ServiceStopped": "Start it; when it stops again, look into its event log.",
    "ServicePending": "Wait until it has started; when it does not, look into its event log.",
    "Configured": "",
    "ConfigurationMissing": "Repair the installation, or name the directory of the connector in install_path.",
    "ConfigurationBroken": "Correct the file by hand, or restore a backup of it.",
    "ConfigurationProtected": "Decrypt the section on the server (aspnet_regiis -pdf), then run this again.",
    "OuListIncomplete": "Add them (odj_ou_config).",
}

_ALLOWED = re.compile(r"\((?:A|XA);[^;()]*;[^;()]*;[^;()]*;[^;()]*;([^;()]+)[;)]")
# SYSTEM, Administrators, and the two that stand for owner and creator: a managed service account is none of them.
_OTHERS = {"SY", "BA", "CO", "OW", "S-1-5-18", "S-1-5-32-544", "S-1-3-0", "S-1-3-4"}
_PROTECTED = re.compile(rb"<appSettings\b[^>]*\sconfigProtectionProvider\s*=")


@dataclass(frozen=True, slots=True)
class Condition:
    """One aspect of a connector.

    Attributes:
        type: One of TYPES.
        status: "true", "false" or "unknown".
        reason: One of REMEDIATIONS.
        message: One sentence for people.
        evidence: What it was concluded from.
    """

    type: str
    status: str
    reason: str
    message: str
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was asked for; the defaults ask for nothing.

    Attributes:
        build_from: Where the installed build is read: uninstall_entry or service_file.
        account: The account that the service should run as.
        organizational_units: DNs that the OU list should hold.
        install_path: Where the connector lies; None means what the server tells.
    """

    build_from: str = UNINSTALL_ENTRY
    account: str | None = None
    organizational_units: Sequence[str] = ()
    install_path: str | None = None


def read_conditions(snapshot: Snapshot, expected: Expectation) -> tuple[Condition, ...]:
    """Return one condition for each of TYPES, in that order.

    Args:
        snapshot: Answers to the questions of the connector and, where they were asked, of its configuration.
        expected: What was asked for.
    """
    connector = read_connector(snapshot, expected.build_from)
    return (
        _installed(snapshot, connector),
        _enrolled(snapshot, connector),
        _account_ready(snapshot, connector, expected.account),
        _service_running(snapshot, connector),
        _configured(snapshot, expected),
        Condition("active", "unknown", "NotAsked", "Intune was not asked."),
        Condition("delegated", "unknown", "NotAsked", "Active Directory was not asked."),
    )


def _no_answer(name: str, problem: str | None) -> Condition:
    text = problem or "nothing came back"
    return Condition(name, "unknown", "NoAnswer", f"The server did not answer: {text}.", {"error": text})


def _installed(snapshot: Snapshot, connector: Connector) -> Condition:
    name = "installed"
    for view in ("uninstall_64", "uninstall_32"):
        if not snapshot.answered(view):
            return _no_answer(name, snapshot.error(view))
    evidence: dict[str, object] = {
        "uninstall_entries": {entry.key: entry.version for entry in connector.entries},
        "service_file_version": connector.file_version,
        "build_from": connector.build_from,
    }
    if connector.unreadable:
        evidence["unreadable_uninstall_keys"] = list(connector.unreadable)
    if connector.hidden:
        told = f"The service is there, but no uninstall entry, and some could not be read: {connector.unreadable[0]}."
        return Condition(name, "unknown", "EntryUnreadable", told, evidence)
    if not connector.installed:
        return Condition(name, "false", "NotInstalled", "No connector is installed.", evidence)
    if connector.version is None:
        told = f"No number there can be a build of the connector: {connector.versions}."
        return Condition(name, "unknown", "BuildUnknown", told, evidence)
    if connector.legacy:
        told = f"Build {connector.version} is older than {MINIMUM_BUILD} and can no longer process requests."
        return Condition(name, "true", "LegacyBuild", told, evidence)
    return Condition(name, "true", "Installed", f"Build {connector.version} is installed.", evidence)


def _enrolled(snapshot: Snapshot, connector: Connector) -> Condition:
    name = "enrolled"
    if not snapshot.answered("certificate"):
        return _no_answer(name, snapshot.error("certificate"))
    found = connector.certificate
    if found is None:
        told = f"Nobody has signed in: no certificate of {CERTIFICATE_ISSUER} is in the computer's store."
        return Condition(name, "false", "NotSignedIn", told)
    evidence = {"thumbprint": found.thumbprint, "not_before": found.not_before, "not_after": found.not_after}
    if found.expired:
        told = f"The certificate of the sign-in expired at {found.not_after}."
        return Condition(name, "false", "CertificateExpired", told, evidence)
    if found.not_yet_valid:
        told = f"The certificate of the sign-in is valid from {found.not_before} only."
        return Condition(name, "false", "CertificateNotYetValid", told, evidence)
    if found.has_private_key is False:
        told = "The certificate of the sign-in has no private key on this server."
        return Condition(name, "false", "CertificateWithoutKey", told, evidence)
    return Condition(name, "true", "SignedIn", f"Signed in; the certificate ends at {found.not_after}.", evidence)


def _account_ready(snapshot: Snapshot, connector: Connector, expected: str | None) -> Condition:
    name, service, key = "account_ready", connector.service, connector.certificate
    if not snapshot.answered("service"):
        return _no_answer(name, snapshot.error("service"))
    sid = snapshot.value("service").text("start_sid")
    evidence: dict[str, object] = {
        "account": service.account,
        "kind": service.account_kind,
        "expected": expected,
        "sid": sid,
        "key_sddl": key and key.key_sddl,
        "key_error": key and key.key_problem,
    }
    wrong = _wrong_account(service, expected)
    if wrong is None and key is not None and _is_denied(key.key_sddl, sid):
        told = f"The account {service.account} has no access to the key of the sign-in's certificate."
        wrong = "KeyAccessDenied", told
    if wrong is not None:
        return Condition(name, "false", *wrong, evidence)
    return Condition(name, "true", "AccountManaged", f"The service has the account {service.account}.", evidence)


def _wrong_account(service: Service, expected: str | None) -> tuple[str, str] | None:
    """Return reason and sentence for what is wrong with the account; None when nothing is."""
    account = service.account or "no account"
    if not service.exists:
        return "ServiceMissing", "There is no service, and so no account."
    if service.account_kind == "local_system":
        return "AccountLocalSystem", "The service runs as LocalSystem, not as a managed service account."
    if service.account_kind != "managed":
        return "AccountNotManaged", f"The service runs as {account}, which is not a managed service account."
    if expected and not same_account(account, expected):
        return "AccountUnexpected", f"The service runs as {account}; {expected} is expected."
    if service.cannot_log_on:
        return "AccountCannotLogOn", f"The service could not log on as {account} (error {service.exit_code})."
    return None


def _is_denied(sddl: str | None, sid: str | None) -> bool:
    """Say whether an access list surely lets an account out: it names others only, and no group it could be in."""
    if not sddl or not sid or "D:" not in sddl:
        return False
    trustees = set(_ALLOWED.findall(sddl))
    return bool(trustees) and trustees <= _OTHERS


def _service_running(snapshot: Snapshot, connector: Connector) -> Condition:
    name, service = "service_running", connector.service
    if not snapshot.answered("service"):
        return _no_answer(name, snapshot.error("service"))
    evidence = {"state": service.state, "start_mode": service.start_mode, "exit_code": service.exit_code}
    if not service.exists:
        return Condition(name, "false", "ServiceMissing", "The service is not there.", evidence)
    if service.state == "Running":
        note = "" if service.start_mode == "Auto" else f", but its start type is {service.start_mode or 'unknown'}"
        return Condition(name, "true", "Running", f"The service is running{note}.", evidence)
    if service.state is None:
        return _no_answer(name, "its state is missing")
    if "Pending" in service.state and service.state.startswith(("Start", "Continue")):
        return Condition(name, "false", "ServicePending", f"The service is still starting ({service.state}).", evidence)
    last = "" if service.exit_reason is None else f": {service.exit_reason} ({service.exit_code})"
    if service.start_mode == "Disabled":
        return Condition(name, "false", "ServiceDisabled", f"The service is disabled{last}.", evidence)
    return Condition(name, "false", "ServiceStopped", f"The service is {service.state}{last}.", evidence)


def _configured(snapshot: Snapshot, expected: Expectation) -> Condition:
    name = "configured"
    questions = [f"config_{index}" for index in range(len(WIZARD_CONFIG_NAMES))]
    if not any(one in snapshot.answers for one in questions):
        return Condition(name, "unknown", "NotAsked", "The configuration was not asked for.")
    problem = next((text for one in questions if (text := snapshot.error(one))), None)
    try:
        found = find_config_file(snapshot, expected.install_path)
        if found is None:
            return Condition(name, "false", "ConfigurationMissing", "The wizard's configuration file is not there.")
        if _PROTECTED.search(found.content.replace(b"\0", b"")):
            told = f"The settings in {found.path} are encrypted (configProtectionProvider)."
            return Condition(name, "false", "ConfigurationProtected", told, {"path": found.path})
        settings = {key.casefold(): value for key, value in read_settings(found.content, found.path).items()}
    except OdjError as error:
        if problem:
            return _no_answer(name, problem)
        return Condition(name, "false", "ConfigurationBroken", str(error), {"path": error.on})
    present = split_ou_list(settings.get(OU_LIST_KEY.casefold(), ""))
    evidence = {"path": found.path, "sha256": found.sha256, "organizational_units": present}
    lacking = desired_ou_list(present, expected.organizational_units, "present")[len(present) :]
    if lacking:
        told = f"The OU list lacks {'; '.join(lacking)}."
        return Condition(name, "false", "OuListIncomplete", told, evidence)
    return Condition(name, "true", "Configured", "The wizard's configuration file can be read.", evidence)
