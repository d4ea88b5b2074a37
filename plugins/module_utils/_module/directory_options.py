# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The options of everything that works in the directory, and the connection they open."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory, Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import (
    LDAP3_IMPORT_ERROR,
    open_directory,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, SystemClock, from_environment

LIBRARIES = (("ldap3", LDAP3_IMPORT_ERROR),)

DIRECTORY_OPTIONS: dict[str, dict[str, t.Any]] = {
    "server": {"type": "str", "fallback": from_environment("ODJ_LDAP_SERVER")},
    "domain": {"type": "str", "fallback": from_environment("ODJ_LDAP_DOMAIN")},
    "dns_servers": {"type": "list", "elements": "str", "fallback": from_environment("ODJ_LDAP_DNS_SERVERS")},
    "port": {"type": "int"},
    "tls_mode": {"type": "str", "choices": ["ldaps", "start_tls"], "default": "ldaps"},
    "auth_protocol": {
        "type": "str",
        "choices": ["simple", "kerberos"],
        "default": "simple",
        "fallback": from_environment("ODJ_LDAP_AUTH_PROTOCOL"),
    },
    "username": {"type": "str", "fallback": from_environment("ODJ_LDAP_USERNAME")},
    "password": {"type": "str", "no_log": True, "fallback": from_environment("ODJ_LDAP_PASSWORD")},
    "keytab": {"type": "path", "no_log": False, "fallback": from_environment("ODJ_LDAP_KEYTAB")},
    "ccache": {"type": "str", "fallback": from_environment("ODJ_LDAP_CCACHE")},
    "ca_path": {"type": "path", "fallback": from_environment("ODJ_LDAP_CA_PATH")},
    "validate_certs": {"type": "bool", "default": True},
    "server_name": {"type": "str"},
    "timeout": {"type": "int", "default": 30},
}

OpenDirectory: t.TypeAlias = Callable[[Settings, Clock], AbstractContextManager[Directory]]
JobIn: t.TypeAlias = Callable[[Directory], Job]


def settings_from(params: Mapping[str, t.Any]) -> Settings:
    """Return the settings for the options of DIRECTORY_OPTIONS.

    Raises:
        InvalidInput: A number is out of its range.
    """
    if params["timeout"] < 1:
        raise InvalidInput("read the options", on="timeout", got=f"{params['timeout']} is not a number of seconds")
    if params["port"] is not None and not 0 < params["port"] < 65536:
        raise InvalidInput("read the options", on="port", got=f"{params['port']} is not a port")
    if not (params["server"] or params["domain"]):
        advice = "Name a domain controller with server, or have one looked up with domain."
        raise InvalidInput("read the options", on="server", got="it is not set", advice=advice)
    given = {name: params[name] for name in DIRECTORY_OPTIONS}
    return Settings(**{**given, "dns_servers": tuple(params["dns_servers"] or ())})


@contextmanager
def job_in_directory(params: Mapping[str, t.Any], job: JobIn, open_it: OpenDirectory = open_directory) -> Iterator[Job]:
    """Connect, and yield the job that works there."""
    with open_it(settings_from(params), SystemClock()) as directory:
        yield job(directory)


def check_other_servers(server: str | None, others: Sequence[str] | None) -> None:
    """Refuse a list of other domain controllers that is none.

    Raises:
        InvalidInput: A name is empty or there twice, or is that of the server that is written to.
    """
    servers = [other.strip().casefold() for other in others or ()]
    wrong = "a name is empty" if "" in servers else "a name is there twice" if len(set(servers)) < len(servers) else ""
    if server and server.strip().casefold() in servers:
        wrong = f"{server} is the server that is written to"
    if wrong:
        raise InvalidInput("read the options", on="replicated_to", got=wrong)
