# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Finding a domain controller, and a connection to it that is encrypted and trusted.

The domain controller is the one that the user names, or one that DNS has for the domain. It can be written to. Nobody
has logged on to the connection yet.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import sys
import typing as t
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import read_object, start_tls
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
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import PipelinedStrategy
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import LOGGER, Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3
    from ldap3.core.exceptions import LDAPException

_LEAST = 0.001  # seconds to connect in: 0 would mean not to wait at all
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
        strategy: Carries messages to it, inside TLS; until somebody has logged on, for a limited time.
        root: What it says of itself.
    """

    name: str
    strategy: PipelinedStrategy
    root: Entry


def connect(settings: Settings, clock: Clock) -> Reached:
    """Return the first domain controller that can be reached, is trusted, and can be written to.

    Each one has ``settings.timeout`` seconds for everything up to the end of the logon.

    Raises:
        InvalidInput: The authority cannot be read.
        DirectoryError: There is none; says of each that was tried why not.
    """
    context = _tls_context(settings.ca_path, verify=settings.validate_certs)
    problems: list[DirectoryError] = []
    try:
        for place in islice(places(settings), TRIES):
            try:
                return _connect_to(settings, place, context, clock)
            except DirectoryError as problem:
                LOGGER.info("%s is passed over: %s", place.name, problem)
                problems.append(problem)
    except DirectoryError as problem:  # DNS does not answer any more: what the first ones said counts as well
        problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    got = "; ".join(str(problem) for problem in problems)
    raise DirectoryError("reach a domain controller", on=settings.where, got=got)


def _connect_to(settings: Settings, place: Place, context: ssl.SSLContext, clock: Clock) -> Reached:
    port = settings.port or (636 if settings.tls_mode == "ldaps" else 389)
    where = f"{place.name}:{port}"
    until = clock.monotonic() + settings.timeout
    tried = "connect to the directory"
    try:
        strategy = connection_on(_opened(place.address, port, until, clock), clock, settings.timeout)
    except (OSError, ValueError) as problem:
        raise unreachable(tried, where, str(problem)) from problem
    strategy.until = until
    try:
        if settings.tls_mode == "start_tls":
            started = strategy.exchange("extendedReq", start_tls).result
            refuse_failure("start TLS", where, started.code, started.text)
        strategy.wrap(context, settings.server_name or place.name)
        tried = "ask the server what it is"
        root = _root(strategy, where, tried)
    except (LDAPException, OSError, ValueError) as problem:
        strategy.end()
        raise unreachable(tried, where, str(problem)) from problem
    except BaseException:
        strategy.end()
        raise
    return Reached(place.name, strategy, root)


def _opened(address: str, port: int, until: float, clock: Clock) -> socket.socket:
    """Return a socket that is connected; what time there is is shared by the addresses that the name has.

    Raises:
        OSError: The name has no address, or nobody answers on any of them in time.
        ValueError: It cannot be a name.
    """
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    reason = OSError("the name has no address")
    for number, (family, kind, protocol, __, place) in enumerate(found):
        left = max(until - clock.monotonic(), _LEAST)
        with ExitStack() as stack:
            try:
                opened = stack.enter_context(socket.socket(family, kind, protocol))
                opened.settimeout(left / (len(found) - number))
                opened.connect(place)
            except OSError as problem:  # also when this computer has no IPv6: another address may do
                reason = problem
            else:
                stack.pop_all()
                return opened
    raise reason


def connection_on(place: socket.socket, clock: Clock, timeout: float) -> PipelinedStrategy:
    """Return what carries messages over a socket that is connected; each answer has that many seconds.

    ldap3 opens its connections itself otherwise: without a limit for all of it, and after a look at the server's name
    that makes other things of it.
    """
    connection = ldap3.Connection(
        ldap3.Server("connected-already", get_info=ldap3.NONE),
        auto_referrals=False,
        check_names=False,
        receive_timeout=timeout,
    )
    strategy = connection.strategy = PipelinedStrategy(connection, clock)
    connection.socket, connection.closed, connection.listening = place, False, True
    for name in ("send", "post_send_single_response", "post_send_search"):
        setattr(connection, name, getattr(strategy, name))
    return strategy


def _root(strategy: PipelinedStrategy, where: str, tried: str) -> Entry:
    """Read the rootDSE, which everybody may (MS-ADTS 3.1.1.3.2)."""
    answer = strategy.exchange("searchRequest", lambda number: read_object(number, "", ROOT_ATTRIBUTES, dacl=False))
    refuse_failure(tried, where, answer.result.code, answer.result.text)
    root = Entry("", {name: values for entry in answer.entries for name, values in entry.values.items()})
    if _READ_ONLY in root.texts("supportedCapabilities"):
        raise DirectoryError(
            "use the domain controller",
            on=where,
            got="it is a read-only one",
            advice="Name one that can be written to, or have one looked up with domain.",
        )
    return root


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


def _dns(settings: Settings) -> t.Any:
    """Return the library dnspython, which most tasks do without: importing it takes a tenth of a second.

    Raises:
        DirectoryError: It is not installed.
    """
    try:
        import dns.exception
        import dns.resolver
    except ImportError as problem:
        raise DirectoryError(
            "look up domain controllers",
            on=settings.where,
            got=f"the Python library dnspython is not installed for {sys.executable}",
            advice="Install it, or name a domain controller with server.",
        ) from problem
    return dns


def _resolver(settings: Settings) -> t.Any:
    dns = _dns(settings)
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
    dns = _dns(settings)
    try:
        answer = resolver.resolve(record, "SRV")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as problem:
        raise _not_located(record, settings, str(problem)) from problem
    ordered = answer.rrset.processing_order() if answer.rrset else []
    return [item.target.to_text(omit_final_dot=True).lower() for item in ordered if item.target.to_text() != "."]


def _address(settings: Settings, name: str) -> str:
    """Return what to connect to: the address that the given DNS servers have; without such, the system resolves it."""
    if not settings.dns_servers or _is_address(name):
        return name
    dns, resolver = _dns(settings), _resolver(settings)
    for kind in ("A", "AAAA"):
        with suppress(dns.exception.DNSException, OSError):
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
