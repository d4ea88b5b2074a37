# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What is asked of a connector server, by subset, and the facts that its answers make (result ``server``)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import DEFAULT_INSTALL_PATH, ENDPOINTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.conditions import Expectation
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    config_facts,
    config_probes,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    UNINSTALL_ENTRY,
    connector_probes,
    file_version_probe,
    read_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.events import event_facts, event_probes
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import (
    dotnet_facts,
    dotnet_probes,
    host_facts,
    host_probes,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.pending_restart import pending_probe
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Probe, Snapshot, ask_endpoint
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import read_state

SUBSETS = ("host", "dotnet", "connector", "config", "events", "network")
EVENT_HOURS = 24
ENDPOINT_TIMEOUT = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked of a server.

    Attributes:
        subsets: Of SUBSETS.
        install_path: Where the connector lies; None means what the server tells, else the default.
        endpoints: Texts of the form host:port.
        proxy: Address of a proxy for the endpoints (http://host:port), or None.
        endpoint_timeout: Seconds for name lookup and connection of all endpoints together.
        event_hours: How far back events count.
        build_from: Where the installed build is read: uninstall_entry or service_file.
        expected_account: The account that the service should run as, or None for any managed one.
        expected_organizational_units: DNs that the OU list should hold.
    """

    subsets: frozenset[str]
    install_path: str | None = None
    endpoints: tuple[str, ...] = ENDPOINTS
    proxy: str | None = None
    endpoint_timeout: int = ENDPOINT_TIMEOUT
    event_hours: int = EVENT_HOURS
    build_from: str = UNINSTALL_ENTRY
    expected_account: str | None = None
    expected_organizational_units: tuple[str, ...] = ()

    @property
    def expectation(self) -> Expectation:
        """What the state is judged by."""
        return Expectation(
            build_from=self.build_from,
            account=self.expected_account,
            organizational_units=self.expected_organizational_units,
            install_path=self.install_path,
        )


def parse_endpoint(text: str) -> tuple[str, int]:
    """Return host and port of a text of the form host:port.

    Raises:
        InvalidInput: It is not of that form.
    """
    name, _colon, port = text.rpartition(":")
    if not name or "/" in name or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidInput(
            "read the endpoint",
            on=repr(text),
            got="it is not a host name and a port",
            advice=f'Write it like "{ENDPOINTS[0]}", without https:// in front.',
        )
    return name.strip("[]"), int(port)


def probes_of(scope: Scope) -> list[Probe]:
    """Return the questions of a scope, for one remote execution."""
    endpoints = [parse_endpoint(text) for text in scope.endpoints]
    root = scope.install_path or DEFAULT_INSTALL_PATH
    connector = [*connector_probes(), file_version_probe(root), pending_probe()]
    chosen = {
        "host": host_probes(),
        "dotnet": dotnet_probes(),
        "connector": connector,
        # Where the configuration lies is told by what is installed.
        "config": [*connector, *config_probes(root)],
        "events": event_probes(scope.event_hours),
        "network": [
            ask_endpoint("network", endpoints, proxy=scope.proxy, timeout_ms=scope.endpoint_timeout * 1000),
        ],
    }
    probes = {str(probe["id"]): probe for name in SUBSETS if name in scope.subsets for probe in chosen[name]}
    return list(probes.values())


def further_probes(snapshot: Snapshot, scope: Scope) -> list[Probe]:
    """Return what has to be asked again when the server tells that the connector lies elsewhere.

    That is the configuration, and the version of the service's file where the uninstall entries do not tell the build.
    """
    if scope.install_path is not None or not scope.subsets & {"connector", "config"}:
        return []
    connector = read_connector(snapshot)
    told = connector.install_path
    if not told or told.casefold() == DEFAULT_INSTALL_PATH.casefold():
        return []
    by_file = scope.build_from != UNINSTALL_ENTRY or (connector.installed and connector.version is None)
    file_version = [file_version_probe(told)] if by_file or "config" in scope.subsets else []
    return [*file_version, *(config_probes(told) if "config" in scope.subsets else [])]


def connector_facts(snapshot: Snapshot, scope: Scope) -> dict[str, object]:
    """Return the facts ``connector``, ``service``, ``enrollment``, and those of its state."""
    connector, judged = read_connector(snapshot, scope.build_from), read_state(snapshot, scope.expectation)
    certificate = connector.certificate
    return {
        **connector.to_json(),
        "enrollment": {
            "signed_in": judged.signed_in,
            "missing": [one.cause for one in judged.reasons] if connector.installed else [],
            "certificate": None if certificate is None else asdict(certificate),
        },
        **judged.to_json(),
    }


def facts_of(snapshot: Snapshot, scope: Scope) -> dict[str, object]:
    """Return the fact ``server``: one part for each subset, and ``errors`` by question for what was not answered."""
    result: dict[str, object] = {}
    if "host" in scope.subsets:
        result["host"] = host_facts(snapshot)
    if "dotnet" in scope.subsets:
        result["dotnet"] = dotnet_facts(snapshot)
    if scope.subsets & {"connector", "config"}:
        result |= connector_facts(snapshot, scope)
    if "config" in scope.subsets:
        result["config"] = config_facts(snapshot, scope.install_path)
    if "events" in scope.subsets:
        result["events"] = event_facts(snapshot, scope.event_hours)
    if "network" in scope.subsets:
        result["network"] = {"endpoints": [dict(one.data) for one in snapshot.value("network").parts("targets")]}
    result["errors"] = snapshot.errors()
    return result
