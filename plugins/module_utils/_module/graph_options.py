# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The options of everything that reads from Graph, and the session they open."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import REQUESTS_ERROR, Graph, Http, Transport
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credentials import (
    CRYPTOGRAPHY_ERROR,
    MSAL_ERROR,
    EntraLogin,
    choose_credential,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import from_environment

LIBRARIES: tuple[tuple[str, ImportError | None], ...] = (
    ("requests", REQUESTS_ERROR),
    ("msal", MSAL_ERROR),
    ("cryptography", CRYPTOGRAPHY_ERROR),
)

# Cloud -> Entra, Graph: https://learn.microsoft.com/graph/deployments. Intune in China has no Autopilot.
CLOUDS = {
    "AzureCloud": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "AzureUSGovernment": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "AzureUSGovernmentDoD": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
}
_HTTPS_HOST = re.compile(r"https://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.IGNORECASE)
LOGIN_OPTIONS = (
    "tenant_id",
    "client_id",
    "client_secret",
    "certificate_path",
    "certificate_password",
    "access_token",
)

GRAPH_OPTIONS: dict[str, dict[str, t.Any]] = {
    "tenant_id": {
        "type": "str",
        "aliases": ["tenant"],
        "fallback": from_environment("AZURE_TENANT", "AZURE_TENANT_ID"),
    },
    "client_id": {"type": "str", "fallback": from_environment("AZURE_CLIENT_ID")},
    "client_secret": {
        "type": "str",
        "no_log": True,
        "aliases": ["secret"],
        "fallback": from_environment("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    },
    "certificate_path": {
        "type": "path",
        "aliases": ["x509_certificate_path"],
        "fallback": from_environment("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    },
    "certificate_password": {
        "type": "str",
        "no_log": True,
        "fallback": from_environment("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    },
    "access_token": {"type": "str", "no_log": True, "fallback": from_environment("MSGRAPH_ACCESS_TOKEN")},
    "auth_source": {"type": "str", "choices": ["auto", "secret", "certificate", "token"], "default": "auto"},
    "cloud_environment": {
        "type": "str",
        "choices": list(CLOUDS),
        "default": "AzureCloud",
        "fallback": from_environment("AZURE_CLOUD_ENVIRONMENT"),
    },
    "authority_host": {"type": "str", "fallback": from_environment("AZURE_AUTHORITY_HOST")},
    "graph_url": {"type": "str"},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "proxy": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
}


@contextmanager
def open_graph(params: Mapping[str, t.Any], clock: Clock) -> Iterator[Graph]:
    """Yield a session for the options of GRAPH_OPTIONS; all of them are checked before anything is sent.

    Raises:
        InvalidInput: An option cannot be meant; named.
    """
    authority, graph_url = CLOUDS[params["cloud_environment"]]
    authority = _address("authority_host", params["authority_host"] or authority)
    graph_url = _address("graph_url", params["graph_url"] or graph_url)
    login = EntraLogin(authority, graph_url, **{name: params[name] or "" for name in LOGIN_OPTIONS})
    credential = choose_credential(params["auth_source"], login, clock)
    http = Http(_transport(params), clock)
    try:
        yield Graph(http, credential, graph_url)
    finally:
        http.close()


def _transport(params: Mapping[str, t.Any]) -> Transport:
    if params["timeout"] < 1:
        raise InvalidInput("read the options", on="timeout", got=f"{params['timeout']} is not a number of seconds")
    ca_path = params["ca_path"]
    if ca_path and not Path(ca_path).is_file():
        raise InvalidInput("read the options", on="ca_path", got=f"there is no file {ca_path}")
    verify = (ca_path or True) if params["validate_certs"] else False
    return Transport(verify, _proxy(params["proxy"]), float(params["timeout"]))


def _address(option: str, text: str) -> str:
    address = text.strip().removesuffix("/")
    address = address if "://" in address else f"https://{address}"
    if not _HTTPS_HOST.fullmatch(address):
        advice = "Give the host alone, with a port if need be: https://graph.microsoft.com"
        raise InvalidInput("read the options", on=option, got=f"{text!r} is not an https host", advice=advice)
    return address


def _proxy(text: str | None) -> str | None:
    if not text:
        return None
    if "@" in text:
        # Results and logs show this option.
        advice = "Set HTTPS_PROXY in the environment of the task for a proxy that wants a password."
        raise InvalidInput("read the options", on="proxy", got="it holds a user name or password", advice=advice)
    if not re.fullmatch(r"https?://[^/\s]+/?", text):
        raise InvalidInput("read the options", on="proxy", got=f"{text!r} is not like http://proxy.example.com:8080")
    return text
