# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The options of everything that reads from Graph, and the session they open."""

from __future__ import annotations

import os
import re
import ssl
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credentials import (
    CRYPTOGRAPHY_ERROR,
    MSAL_ERROR,
    EntraLogin,
    choose_credential,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import (
    HOST,
    REQUESTS_ERROR,
    Http,
    Transport,
    check_environment_proxy,
    is_port,
    may_hold_password,
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
_HTTPS_HOST = re.compile(rf"https://{HOST}", re.IGNORECASE)
_PROXY = re.compile(rf"https?://{HOST}/?", re.IGNORECASE)
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
LONGEST_TIMEOUT = 3600  # seconds; a thread cannot wait for any number
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
    transport = _transport(params)
    if transport.proxy is None:
        check_environment_proxy((authority, graph_url))
    http = Http(transport, clock)
    try:
        yield Graph(http, credential, graph_url)
    finally:
        http.close()


def _transport(params: Mapping[str, t.Any]) -> Transport:
    timeout = params["timeout"]
    if not 1 <= timeout <= LONGEST_TIMEOUT:
        got = f"{timeout} is not a number of seconds from 1 to {LONGEST_TIMEOUT}"
        raise InvalidInput("read the options", on="timeout", got=got)
    if not params["validate_certs"]:
        return Transport(False, _proxy(params["proxy"]), float(timeout))
    # The same order as in requests, which looks at these variables when nothing is said.
    variable = next((name for name in _CA_VARIABLES if os.environ.get(name)), "")
    if params["ca_path"]:
        _check_authorities("ca_path", params["ca_path"])
    elif variable:
        _check_authorities(f"the environment variable {variable}", os.environ[variable])
    return Transport(params["ca_path"] or True, _proxy(params["proxy"]), float(timeout))


def _check_authorities(source: str, path: str) -> None:
    """Open a file of certificate authorities; a directory of them is taken as it is.

    Raises:
        InvalidInput: It cannot be used; names the option or the variable, and the path.
    """
    try:
        if not Path(path).is_dir():
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:
        # An ssl.SSLError is an OSError whose strerror is a code of OpenSSL; ValueError is for a path that is none.
        why = "no certificate in PEM form is in it" if isinstance(error, ssl.SSLError) else ""
        got = f"{path!r}: {why or getattr(error, 'strerror', None) or error}"
        advice = "Give a PEM file with the certificate authorities to trust, on the computer where the module runs."
        raise InvalidInput("read the certificate authorities", on=source, got=got, advice=advice) from error


def _address(option: str, text: str) -> str:
    """Return the address of a host, in lower case; what is refused is not shown, a password may be in it.

    Raises:
        InvalidInput: It is something else.
    """
    address = text.strip().removesuffix("/")
    address = (address if "://" in address else f"https://{address}").lower()
    if not (_HTTPS_HOST.fullmatch(address) and is_port(address)):
        advice = "Give the host alone, with a port if need be: https://graph.microsoft.com"
        hidden = may_hold_password(text)
        raise InvalidInput("read the options", on=option, got="it is not an https host", advice=advice, hidden=hidden)
    return address


def _proxy(text: str | None) -> str | None:
    if not text:
        return None
    if _PROXY.fullmatch(text) and is_port(text):
        return text
    # Results and logs show this option, so not with a password; a message shows nothing of it.
    advice = "Write it like http://proxy.example.com:8080. "
    advice += "Set HTTPS_PROXY in the environment of the task for a proxy that wants a password."
    got = "it holds a user name or password" if "@" in text else "it is not the address of a proxy"
    raise InvalidInput("read the options", on="proxy", got=got, advice=advice, hidden=may_hold_password(text))
