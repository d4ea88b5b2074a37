# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Which questions make up a look at a connector server, and what the answers mean (result ``server``)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    DEFAULT_INSTALL_PATH,
    ENDPOINTS,
    wizard_config_paths,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    UNITS_KEY,
    read,
    split_units,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    connector_probes,
    read_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.events import event_probes, read_events
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import (
    dotnet_facts,
    dotnet_probes,
    host_facts,
    host_probes,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Look,
    Probe,
    endpoint,
    file,
)

SUBSETS = ("host", "dotnet", "connector", "config", "events", "network")
CONFIG_LIMIT = 1_048_576  # bytes; a configuration file of the connector has a few thousand


@dataclass(frozen=True, slots=True)
class Scope:
    """What a look covers.

    Attributes:
        subsets: Of SUBSETS.
        install_path: Where the connector lies; None means what the server tells, else the default.
        endpoints: Texts of the form host:port.
        proxy: Address of a proxy for the endpoints (http://host:port), or None.
        timeout_ms: For name lookup and connection of all endpoints together.
        event_hours: How far back events count.
    """

    subsets: frozenset[str]
    install_path: str | None = None
    endpoints: tuple[str, ...] = ENDPOINTS
    proxy: str | None = None
    timeout_ms: int = 5000
    event_hours: int = 24


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
            advice='Write it like "manage.microsoft.com:443", without https:// in front.',
        )
    return name.strip("[]"), int(port)


def questions(scope: Scope) -> list[Probe]:
    """Return the probes of a look, for one remote execution."""
    chosen = {
        "host": host_probes(),
        "dotnet": dotnet_probes(),
        "connector": connector_probes(),
        # Where the configuration lies is told by what is installed.
        "config": [*connector_probes(), *config_probes(scope.install_path or DEFAULT_INSTALL_PATH)],
        "events": event_probes(scope.event_hours),
        "network": [
            endpoint(
                "network", [parse_endpoint(e) for e in scope.endpoints], proxy=scope.proxy, timeout_ms=scope.timeout_ms
            )
        ],
    }
    probes = {str(probe["id"]): probe for name in SUBSETS if name in scope.subsets for probe in chosen[name]}
    return list(probes.values())


def config_probes(install_path: str) -> list[Probe]:
    """Return the questions for the wizard's configuration file, in both spellings."""
    paths = wizard_config_paths(install_path)
    return [file(f"config_{index}", path, content=CONFIG_LIMIT) for index, path in enumerate(paths)]


def other_install_path(look: Look, scope: Scope) -> str | None:
    """Return where the configuration must be looked for when it was asked for at a path that the server contradicts."""
    if "config" not in scope.subsets or scope.install_path is not None:
        return None
    told = read_connector(look).install_path
    return told if told and told.casefold() != DEFAULT_INSTALL_PATH.casefold() else None


def facts_of(look: Look, scope: Scope) -> dict[str, object]:
    """Return the fact ``server``: one part for each subset, and ``errors`` by question for what was not answered."""
    result: dict[str, object] = {}
    if "host" in scope.subsets:
        result["host"] = host_facts(look)
    if "dotnet" in scope.subsets:
        result["dotnet"] = dotnet_facts(look)
    if scope.subsets & {"connector", "config"}:
        result |= read_connector(look).to_json()
    if "config" in scope.subsets:
        result["config"] = config_facts(look, scope.install_path)
    if "events" in scope.subsets:
        result["events"] = read_events(look, scope.event_hours)
    if "network" in scope.subsets:
        result["network"] = {"endpoints": [dict(one.data) for one in look.value("network").parts("targets")]}
    result["errors"] = look.errors()
    return result


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The wizard's configuration file as it was found."""

    path: str
    content: bytes
    sha256: str


def config_file(look: Look, install_path: str | None) -> ConfigFile | None:
    """Return the first of the two spellings that is there; None when neither is.

    Raises:
        OdjError: It is there but could not be read, or is too large to be one.
    """
    root = install_path or read_connector(look).install_path or DEFAULT_INSTALL_PATH
    for index, path in enumerate(wizard_config_paths(root)):
        problem = look.error(f"config_{index}")
        if problem:
            raise OdjError("read the configuration file", on=path, got=problem)
        answer = look.value(f"config_{index}")
        if answer.flag("exists") and not answer.flag("directory"):
            return ConfigFile(path, _content(answer, path), answer.text("sha256") or "")
    return None


def _content(answer: Fields, path: str) -> bytes:
    if answer.flag("truncated"):
        raise OdjError("read the configuration file", on=path, got=f"it has more than {CONFIG_LIMIT} bytes")
    try:
        return base64.b64decode(answer.text("content") or "", validate=True)
    except binascii.Error as error:
        raise OdjError("read the configuration file", on=path, got=f"its content is not base64: {error}") from error


def config_facts(look: Look, install_path: str | None) -> dict[str, object] | None:
    """Return the facts ``config``; None without a file, ``error`` instead of the keys when it cannot be understood."""
    try:
        found = config_file(look, install_path)
        if found is None:
            return None
        settings = read(found.content, found.path)
    except OdjError as error:
        return {"error": str(error)}
    return {
        "path": found.path,
        "sha256": found.sha256,
        "keys": settings,
        "organizational_units": split_units(settings.get(UNITS_KEY, "")),
    }
