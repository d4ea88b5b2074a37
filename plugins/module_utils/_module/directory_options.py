# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The options of everything that works in the directory, and the connection they open."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

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

_SCHEMES = {"ldaps": "ldaps", "ldap": "start_tls"}  # what a URL begins with -> tls_mode
_PLACE = re.compile(r"(?:\[(?P<literal>[^\]]*)\]|(?P<host>[^:\[\]/]*))(?::(?P<port>.*))?", re.DOTALL)
_NAME = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(?:\.(?!-)[\w-]{1,63}(?<!-))*")
_DIGITS = re.compile(r"[0-9.]+")
_PORT = re.compile(r"[0-9]{1,5}")
_LONGEST_NAME = 253  # RFC 1035 2.3.4, as text
_LONGEST_WAIT = 86_400  # a day: a number that no socket takes is no time limit
_SHOWN = 60  # characters of something that cannot be meant
_FORMS = "Write it like dc1.contoso.com, dc1.contoso.com:636 or ldaps://dc1.contoso.com."

OpenDirectory: t.TypeAlias = Callable[[Settings, Clock], AbstractContextManager[Directory]]
JobIn: t.TypeAlias = Callable[[Directory], Job]


def settings_from(params: Mapping[str, t.Any]) -> Settings:
    """Return the settings for the options of DIRECTORY_OPTIONS.

    Raises:
        InvalidInput: One of them cannot be meant as it stands.
    """
    if not 1 <= params["timeout"] <= _LONGEST_WAIT:
        got = f"{params['timeout']} is not a number of seconds from 1 to {_LONGEST_WAIT}"
        raise InvalidInput("read the options", on="timeout", got=got)
    if params["port"] is not None and not 0 < params["port"] < 65536:
        raise InvalidInput("read the options", on="port", got=f"{params['port']} is not a port")
    given = {name: params[name] for name in DIRECTORY_OPTIONS}
    for option in ("server", "domain", "server_name"):
        given[option] = (given[option] or "").strip() or None
    if not (given["server"] or given["domain"]):
        advice = "Name a domain controller with server, or have one looked up with domain."
        raise InvalidInput("read the options", on="server", got="it is not set", advice=advice)
    if given["domain"] and (_is_address(given["domain"]) or not _is_name(given["domain"])):
        raise _wrong("domain", f"{given['domain']!r} is not a DNS name", "Write it like contoso.com.")
    if given["server_name"] and not (_is_address(given["server_name"]) or _is_name(given["server_name"])):
        got = f"{given['server_name']!r} is neither a name nor an address"
        raise _wrong("server_name", got, "Write what stands in the certificate, like dc1.contoso.com.")
    given["server_name"] = (given["server_name"] or "").removesuffix(".") or None
    settings = Settings(**{**given, "dns_servers": tuple(params["dns_servers"] or ())})
    return at_server(settings, given["server"]) if given["server"] else settings


def at_server(settings: Settings, text: str, option: str = "server") -> Settings:
    """Return the settings for another domain controller, written as people do: name, name:port, ldaps://name:port.

    Args:
        settings: With what port and tls_mode say.
        text: The domain controller.
        option: The option that names it, for the error.

    Raises:
        InvalidInput: It is of another form, or says otherwise than port or tls_mode. A password in it is not shown.
    """
    scheme, host, port = _taken_apart(text.strip(), option)
    if scheme and _SCHEMES[scheme] != settings.tls_mode:
        got = f"{scheme}:// does not go with tls_mode {settings.tls_mode}"
        raise _wrong(option, got, f"Set tls_mode to {_SCHEMES[scheme]}, or write the name alone.")
    if port and settings.port not in (None, port):
        raise _wrong(option, f"it names port {port}, and the option port {settings.port}", "Leave one of them out.")
    return replace(settings, server=host, port=port or settings.port)


def _taken_apart(text: str, option: str) -> tuple[str, str, int | None]:
    """Return scheme ("" when there is none), name or address, and port of a domain controller."""
    if "@" in text:
        raise _wrong(option, "it holds an account", "Name the domain controller alone; the account is for username.")
    scheme, found, rest = text.rpartition("://")
    scheme = scheme.lower()
    if found and scheme not in _SCHEMES:
        shown = f"{scheme}:// is not LDAP" if scheme.isalnum() else "it is not of a form that there is"
        raise _wrong(option, shown, _FORMS)
    rest = rest.removesuffix("/") if found else rest
    if _is_address(rest):
        return scheme, rest, None
    match = _PLACE.fullmatch(rest)
    host, literal = ((match["host"] or "").removesuffix("."), match["literal"] or "") if match else ("", "")
    if not match or not (_is_address(literal) or _is_name(host) or _is_address(host)):
        raise _wrong(option, f"{text[:_SHOWN]!r} is neither a name nor an address", _FORMS)
    port = match["port"]
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) < 65536):
        raise _wrong(option, f"{port[:_SHOWN]!r} is not a port", _FORMS)
    return scheme, host or literal, int(port) if port else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    """Say whether it can be a DNS name; digits and dots alone would be taken for an address (inet_aton)."""
    name = text.removesuffix(".")
    return len(name) <= _LONGEST_NAME and bool(_NAME.fullmatch(name)) and not _DIGITS.fullmatch(name)


def _wrong(option: str, got: str, advice: str) -> InvalidInput:
    return InvalidInput("read the options", on=option, got=got, advice=advice)


@contextmanager
def job_in_directory(params: Mapping[str, t.Any], job: JobIn, open_it: OpenDirectory = open_directory) -> Iterator[Job]:
    """Connect, and yield the job that works there."""
    with open_it(settings_from(params), SystemClock()) as directory:
        yield job(directory)


def check_other_servers(server: str | None, others: Sequence[str] | None) -> None:
    """Refuse a list of other domain controllers that is none.

    Raises:
        InvalidInput: A name is empty, of no form that there is, or there twice, or is that of the server that is
            written to.
    """
    listed = [other.strip() for other in others or ()]
    hosts = [_taken_apart(other, "replicated_to")[1].casefold() for other in listed if other]
    wrong = "a name is empty" if "" in listed else "a name is there twice" if len(set(hosts)) < len(hosts) else ""
    if server and server.strip() and _taken_apart(server.strip(), "server")[1].casefold() in hosts:
        wrong = f"{server.strip()} is the server that is written to"
    if wrong:
        raise InvalidInput("read the options", on="replicated_to", got=wrong)
