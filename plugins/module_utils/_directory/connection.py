# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Finding a domain controller, and a connection to it that is encrypted and trusted.

The domain controller is the one that the user names, or one that DNS has for the domain. It can be written to. Nobody
has logged on to the connection yet.
"""

from __future__ import annotations

import ipaddress
import ssl
import sys
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ROOT_ATTRIBUTES,
    Entry,
    Settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import (
    DirectoryError,
    refuse_failure,
    unreachable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import LOGGER
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

try:
    import dns.exception
    import dns.resolver
except ImportError:
    HAS_DNS = False
else:
    HAS_DNS = True
with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3
    from ldap3.core.exceptions import LDAPException

TRIES = 5  # domain controllers that are tried, of those that DNS has
_READ_ONLY = "1.2.840.113556.1.4.1920"  # LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID, MS-ADTS 3.1.1.3.4.3.6
# The records by which domain controllers announce themselves (MS-ADTS 6.3.2.3). The one with the PDC emulator's role
# comes first: when all writers of access lists meet on one domain controller, none overwrites what another wrote
# elsewhere and has not been replicated yet.
_RECORDS = ("_ldap._tcp.pdc._msdcs", "_ldap._tcp.dc._msdcs")


@dataclass(frozen=True, slots=True)
class Reached:
    """A domain controller that answers.

    Attributes:
        name: What it is called.
        connection: An ldap3 connection inside TLS.
        root: What it says of itself.
    """

    name: str
    connection: t.Any
    root: Entry


def connect(settings: Settings) -> Reached:
    """Return the first domain controller that can be reached, is trusted, and can be written to.

    Raises:
        InvalidInput: The authority cannot be read.
        DirectoryError: There is none; says of each that was tried why not.
    """
    problems: list[DirectoryError] = []
    for place in islice(places(settings), TRIES):
        try:
            return _connect_to(settings, place)
        except DirectoryError as problem:
            LOGGER.info("%s is passed over: %s", place.name, problem)
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    got = "; ".join(str(problem) for problem in problems)
    raise DirectoryError("reach a domain controller", on=settings.where, got=got)


def _connect_to(settings: Settings, place: Place) -> Reached:
    connection = _connection(settings, place)
    where = f"{place.name}:{connection.server.port}"
    try:
        _secure(settings, connection, where)
        root = _root(connection, where)
        if _READ_ONLY in root.texts("supportedCapabilities"):
            raise DirectoryError(
                "use the domain controller",
                on=where,
                got="it is a read-only one",
                advice="Name one that can be written to, or have one looked up with domain.",
            )
    except BaseException:
        close(connection)
        raise
    return Reached(place.name, connection, root)


def close(connection: t.Any) -> None:
    """End a connection; says nothing when that fails."""
    with suppress(LDAPException, OSError):
        connection.unbind()


def _connection(settings: Settings, place: Place) -> t.Any:
    use_ssl = settings.tls_mode == "ldaps"
    server = ldap3.Server(
        place.address,
        settings.port or (636 if use_ssl else 389),
        use_ssl=use_ssl,
        get_info=ldap3.NONE,
        connect_timeout=settings.timeout,
    )
    context = _tls_context(settings.ca_path, verify=settings.validate_certs)
    server.tls = VerifiedTls(context, settings.server_name or place.name)
    return ldap3.Connection(server, auto_referrals=False, check_names=False, receive_timeout=settings.timeout)


def _secure(settings: Settings, connection: t.Any, where: str) -> None:
    """Open the connection, and put TLS around it."""
    try:
        connection.open(read_server_info=False)
        started = settings.tls_mode == "ldaps" or connection.server.tls.start_tls(connection)
    except (LDAPException, OSError) as problem:
        raise unreachable("connect to the directory", where, connection.last_error or str(problem)) from problem
    if not started:
        refuse_failure("start TLS", where, connection.result)


def _root(connection: t.Any, where: str) -> Entry:
    """Read the rootDSE, which everybody may (MS-ADTS 3.1.1.3.2)."""
    tried = "ask the server what it is"
    try:
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=list(ROOT_ATTRIBUTES))
    except LDAPException as problem:
        raise unreachable(tried, where, connection.last_error or str(problem)) from problem
    refuse_failure(tried, where, connection.result)
    found = [item["raw_attributes"] for item in connection.response if item["type"] == "searchResEntry"]
    return Entry("", {name.lower(): tuple(values) for values_of in found for name, values in values_of.items()})


@dataclass(frozen=True, slots=True)
class Place:
    """One domain controller to try.

    Attributes:
        name: What it is called; the name that its certificate has to carry, unless the user gives another.
        address: Where to connect to: an address, or the name once more when the system is to resolve it.
    """

    name: str
    address: str


def places(settings: Settings) -> Iterator[Place]:
    """Yield the domain controllers to try, in the order in which to try them.

    Names outside of the domain are left out: whoever can forge an answer of DNS could have a certificate for a name of
    his own, and would be sent the password.

    Raises:
        DirectoryError: DNS cannot be asked, or knows no domain controller of the domain.
    """
    if settings.server:
        yield Place(settings.server, _address(settings, settings.server))
        return
    domain = (settings.domain or "").rstrip(".").lower()
    resolver = _resolver(settings)
    names: dict[str, bool] = {}  # whether it is in the domain
    for record in _RECORDS:
        for name in _targets(resolver, f"{record}.{domain}", settings):
            if name not in names:
                names[name] = name.endswith(f".{domain}")
                if names[name]:
                    yield Place(name, _address(settings, name))
    if not any(names.values()):
        outside = f"what it has is not in the domain: {', '.join(names)}"
        raise _not_located(domain, settings, outside if names else "there are no such records")


def _resolver(settings: Settings) -> t.Any:
    if not HAS_DNS:
        raise DirectoryError(
            "look up domain controllers",
            on=settings.where,
            got=f"the Python library dnspython is not installed for {sys.executable}",
            advice="Install it, or name a domain controller with server.",
        )
    try:
        resolver = dns.resolver.Resolver(configure=not settings.dns_servers)
        if settings.dns_servers:
            resolver.nameservers = list(settings.dns_servers)
    except (dns.exception.DNSException, OSError, ValueError) as problem:
        raise _not_located(settings.where, settings, str(problem)) from problem
    resolver.lifetime = float(settings.timeout)
    return resolver


def _targets(resolver: t.Any, record: str, settings: Settings) -> list[str]:
    """Return the names behind a record by priority and weight (RFC 2782), [] when there is no such record."""
    try:
        answer = resolver.resolve(record, "SRV")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as problem:
        raise _not_located(record, settings, str(problem)) from problem
    ordered = answer.rrset.processing_order() if answer.rrset else []
    return [item.target.to_text(omit_final_dot=True).lower() for item in ordered if item.target.to_text() != "."]


def _address(settings: Settings, name: str) -> str:
    """Return what to connect to: the address that the given DNS servers have; without such, the system resolves it."""
    if not settings.dns_servers or _is_address(name):
        return name
    resolver = _resolver(settings)
    for kind in ("A", "AAAA"):
        with suppress(dns.exception.DNSException):
            return str(resolver.resolve(name, kind)[0])
    return name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _not_located(what: str, settings: Settings, reason: str) -> DirectoryError:
    servers = ", ".join(settings.dns_servers)
    return DirectoryError(
        "look up domain controllers",
        on=what,
        got=reason + (f" (DNS servers: {servers})" if servers else ""),
        advice="Check domain, and that these DNS servers know it (dns_servers names others); or name a domain "
        "controller with server.",
    )


@dataclass(frozen=True, slots=True)
class VerifiedTls:
    """What an ldap3 server asks its ``tls`` for: a wrapped socket, at once or after StartTLS.

    ldap3's own class checks names by itself after the handshake, in a way that newer Python versions do not carry any
    more; here the standard library's context does it.

    Attributes:
        context: With or without verification.
        server_name: The name (or address) that the certificate has to carry.
    """

    context: ssl.SSLContext
    server_name: str

    def wrap_socket(self, connection: t.Any, do_handshake: bool = False) -> None:
        """Put TLS around the socket of an ldap3 connection."""
        connection.socket = self.context.wrap_socket(
            connection.socket, server_hostname=self.server_name, do_handshake_on_connect=do_handshake
        )

    def start_tls(self, connection: t.Any) -> bool:
        """Ask the server to go over to TLS (RFC 4511 4.14) and do it; False when the server does not want to."""
        connection.extended("1.3.6.1.4.1.1466.20037")
        if connection.result["result"] != 0:
            return False
        self.wrap_socket(connection, do_handshake=True)
        connection.tls_started = True
        return True


def _tls_context(ca_path: str | None, *, verify: bool) -> ssl.SSLContext:
    """Return a client context that trusts this authority (or those of the system).

    Raises:
        InvalidInput: The file cannot be read, or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else str(error)
        raise InvalidInput(
            "read the certificate authority", on=ca_path or "", got=str(reason), advice="ca_path is to be a PEM file."
        ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
