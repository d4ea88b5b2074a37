# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a server must have before it can carry a connector: facts in, verdicts out.

Requirements: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    MINIMUM_BUILD,
    MINIMUM_DOTNET,
    MINIMUM_DOTNET_RELEASE,
    MINIMUM_WINDOWS,
    MINIMUM_WINDOWS_BUILD,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.conditions import REMEDIATIONS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import Connector, read_connector
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, parse_endpoint
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import dotnet_facts, host_facts
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Fields, Snapshot
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import (
    ServerState,
    may_count_on,
    read_state,
)

# The questions whose answers ``check_prerequisites`` needs.
NEEDED_SUBSETS = frozenset({"host", "dotnet", "connector", "network"})

_STAGES = {
    "dns": ("The name cannot be resolved.", "Correct the DNS settings of the server, or set the option proxy."),
    "connect": ("No TCP connection comes about.", "Open the firewall for it, or set the option proxy."),
    "proxy": (
        "The proxy refuses the tunnel.",
        "Allow this host on the proxy for the computer and the service account.",
    ),
    "certificate": (
        "The server does not trust the certificate.",
        "Exempt this host from TLS inspection; else repair the server's root certificates and clock.",
    ),
    "tls": ("No TLS session comes about.", "Exempt this host from TLS inspection and allow TLS 1.2."),
}
# The same stages when there is a proxy: the server looks up and connects to that, never to the endpoint.
_PROXY_STAGES = {
    "dns": (
        "The name of the proxy cannot be resolved.",
        "Correct the option proxy, or the DNS settings of the server.",
    ),
    "connect": (
        "The proxy cannot be reached.",
        "Check host and port in the option proxy, that the proxy runs, and the firewall between the server and it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One prerequisite and how the server stands to it.

    Attributes:
        name: operating_system, domain_membership, dotnet_framework, single_connector, connector_build,
            connector_state, or endpoint:host:port.
        verdict: met, unmet or unknown (the server gave no answer to the question).
        found: What the server has.
        wanted: What it should have.
        cause: Why it is not met or not known; with met, a remark.
        cure: What to do about it.
    """

    name: str
    verdict: str
    found: str
    wanted: str
    cause: str = ""
    cure: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the six attributes for a task result."""
        return asdict(self)


class UnmetPrerequisites(OdjError):
    """At least one prerequisite is not met; ``facts`` is what the task result holds beside the message."""

    def __init__(self, server: str, verdicts: Sequence[Verdict]) -> None:
        unmet = [one for one in verdicts if one.verdict == "unmet"]
        self.facts = prerequisite_facts(verdicts)
        super().__init__(
            "confirm the prerequisites of a connector server",
            on=server,
            got="; ".join(f"{one.name}: found {one.found}, wanted {one.wanted}. {one.cause}".strip() for one in unmet),
            advice=" ".join(dict.fromkeys(one.cure for one in unmet)),
        )


def prerequisite_facts(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the results ``prerequisites``, ``unmet`` and, for remarks on what is met or unknown, ``warnings``."""
    return {
        "prerequisites": [one.to_json() for one in verdicts],
        "unmet": [one.to_json() for one in verdicts if one.verdict == "unmet"],
        "warnings": [
            f"{one.name}: {one.cause} {one.cure}".strip() for one in verdicts if one.verdict != "unmet" and one.cause
        ],
    }


def check_prerequisites(snapshot: Snapshot, scope: Scope, domain: str | None) -> list[Verdict]:
    """Return all verdicts, in the order in which a person would cure them.

    Args:
        snapshot: Answers to the questions of ``NEEDED_SUBSETS``.
        scope: What was asked.
        domain: DNS name of the domain that the server should be a member of, or None for any.
    """
    return [
        _operating_system(snapshot),
        _membership(snapshot, domain),
        _dotnet(snapshot),
        *_connector(snapshot, scope),
        *_endpoints(snapshot, scope),
    ]


def _unknown(name: str, wanted: str, problem: str | None) -> Verdict:
    return Verdict(
        name,
        "unknown",
        "no answer",
        wanted,
        f"The server did not answer: {problem or 'nothing came back'}.",
        "Connect as a local administrator, or look by hand.",
    )


def _operating_system(snapshot: Snapshot) -> Verdict:
    facts = Fields(host_facts(snapshot))
    build, kind = facts.number("os_build"), facts.number("product_type")
    wanted = f"{MINIMUM_WINDOWS} (build {MINIMUM_WINDOWS_BUILD}) or later"
    if build is None:
        return _unknown("operating_system", wanted, snapshot.error("windows") or snapshot.error("host"))
    found = f"{facts.text('os_name') or 'Windows'}, build {build}"
    # Windows 10 and 11 have the builds of servers: without the product type (1 is a client) such a build says nothing.
    if build >= MINIMUM_WINDOWS_BUILD and kind is None:
        return _unknown("operating_system", wanted, snapshot.error("host"))
    if build >= MINIMUM_WINDOWS_BUILD and kind != 1:
        return Verdict("operating_system", "met", found, wanted)
    cause = "It is not a server." if kind == 1 else "It is older than the oldest supported Windows Server."
    return Verdict("operating_system", "unmet", found, wanted, cause, f"Use a server with {MINIMUM_WINDOWS} or later.")


def _membership(snapshot: Snapshot, domain: str | None) -> Verdict:
    name = "domain_membership"
    facts = Fields(host_facts(snapshot))
    role, joined = facts.number("domain_role"), facts.text("domain")
    wanted = f"member server of {domain or 'an Active Directory domain'}"
    if role is None:
        return _unknown(name, wanted, snapshot.error("host"))
    found = f"{facts.text('domain_role_name')} of {joined}" if joined else "not a member of a domain"
    if role in (0, 1, 2) or not joined:
        return Verdict(name, "unmet", found, wanted, "It is no member server.", "Join the server to the domain.")
    if domain and joined.casefold() != domain.rstrip(".").casefold():
        cause = "A connector serves only the domain that its server belongs to."
        return Verdict(name, "unmet", found, wanted, cause, f"Use a server of {domain}, or correct the option domain.")
    if role in (4, 5):
        cause = "It is a domain controller; nothing documented forbids that, a member server is the safer place."
        return Verdict(name, "met", found, wanted, cause)
    return Verdict(name, "met", found, wanted)


def _dotnet(snapshot: Snapshot) -> Verdict:
    release = Fields(dotnet_facts(snapshot)).number("release")
    wanted = f".NET Framework {MINIMUM_DOTNET} (release {MINIMUM_DOTNET_RELEASE}) or later"
    if not snapshot.answered("dotnet"):
        return _unknown("dotnet_framework", wanted, snapshot.error("dotnet"))
    found = "no .NET Framework 4" if release is None else f"release {release}"
    if release is not None and release >= MINIMUM_DOTNET_RELEASE:
        return Verdict("dotnet_framework", "met", found, wanted)
    cause = "The installed .NET Framework is too old."
    return Verdict(
        "dotnet_framework", "unmet", found, wanted, cause, "Install .NET Framework 4.8 and restart the server."
    )


def _connector(snapshot: Snapshot, scope: Scope) -> list[Verdict]:
    single, wanted = "at most one connector", f"no connector, or build {MINIMUM_BUILD} or later"
    problem = snapshot.error("uninstall_64") or snapshot.error("uninstall_32")
    if problem or not snapshot.answered("uninstall_64"):
        unknown = [("single_connector", single), ("connector_build", wanted), ("connector_state", _IN_SERVICE)]
        return [_unknown(name, wish, problem) for name, wish in unknown]
    connector = read_connector(snapshot, scope.build_from)
    # One connector may register twice: the set-up program and the MSI inside it.
    kinds = [entry.msi for entry in connector.entries]
    several = max(kinds.count(True), kinds.count(False)) > 1
    found = ", ".join(f"{entry.key} {entry.version}" for entry in connector.entries) or "none"
    first = Verdict("single_connector", "met", found, single)
    if several:
        cause = "More than one connector is registered."
        first = Verdict("single_connector", "unmet", found, single, cause, "Uninstall all but one.")
    judged = read_state(snapshot, scope.expectation)
    # What a legacy build means is said with the build.
    return [first, _build(connector, judged, wanted), *([_state(judged)] if judged.state != "legacy" else [])]


def _build(connector: Connector, judged: ServerState, wanted: str) -> Verdict:
    name, installed = "connector_build", judged.condition("installed")
    cure = REMEDIATIONS[installed.reason]
    if installed.status == "unknown":
        return Verdict(name, "unknown", connector.versions, wanted, installed.message, cure)
    found = str(connector.version or "none")
    if not connector.legacy:
        return Verdict(name, "met", found, wanted)
    return Verdict(name, "unmet", found, wanted, f"{installed.message} There is no upgrade from it.", cure)


_IN_SERVICE = "no connector yet, or one that can be counted on"


def _state(judged: ServerState) -> Verdict:
    """Say how an installed connector is; what a run can repair, or a sign-in that is to come, is a remark."""
    name, reliance = "connector_state", may_count_on(judged)
    if reliance.answer is None:
        return Verdict(name, "unknown", judged.state, _IN_SERVICE, reliance.why, "Run again when that is settled.")
    remark = reliance.why if judged.state == "degraded" else ""
    return Verdict(name, "met", judged.state, _IN_SERVICE, remark)


def _endpoints(snapshot: Snapshot, scope: Scope) -> list[Verdict]:
    wanted = f"a TLS connection {f'through {scope.proxy}' if scope.proxy else 'without a proxy'}"
    if not scope.endpoints:
        return []
    if not snapshot.answered("network"):
        return [_unknown(f"endpoint:{target}", wanted, snapshot.error("network")) for target in scope.endpoints]
    answers = {(one.text("host"), one.number("port")): one for one in snapshot.value("network").parts("targets")}
    return [_endpoint(target, answers.get(parse_endpoint(target)), wanted, scope.proxy) for target in scope.endpoints]


def _endpoint(target: str, answer: Fields | None, wanted: str, proxy: str | None) -> Verdict:
    name = f"endpoint:{target}"
    if answer is None:
        return _unknown(name, wanted, None)
    problem = answer.part("error")
    stage = problem.text("stage")
    if stage is None and answer.flag("connected"):
        issuer, errors = answer.part("tls").text("issuer"), answer.part("tls").text("policy_errors")
        if errors not in (None, "None"):
            found = f"a certificate of {issuer or 'nobody'} ({errors})"
            cause, cure = _STAGES["certificate"]
            return Verdict(name, "unmet", found, wanted, cause, f"{target}: {cure}")
        return Verdict(name, "met", f"connected, certificate of {issuer}" if issuer else "connected", wanted)
    if proxy and stage in _PROXY_STAGES:
        # One cure for all endpoints: it is not one of them that is out of reach.
        cause, cure = _PROXY_STAGES[stage]
        return Verdict(name, "unmet", problem.text("message") or "no connection", wanted, cause, cure)
    cause, cure = _STAGES.get(stage or "", ("It cannot be reached.", "Look at the network of the server."))
    return Verdict(name, "unmet", problem.text("message") or "no connection", wanted, cause, f"{target}: {cure}")
