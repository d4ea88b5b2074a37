# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Where a domain controller may be found: the one that the user names, or those that DNS has for the domain."""

from __future__ import annotations

import ipaddress
import sys
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError

try:
    import dns.exception
    import dns.resolver
except ImportError:
    HAS_DNS = False
else:
    HAS_DNS = True

# The records by which domain controllers announce themselves (MS-ADTS 6.3.2.3). The one with the PDC emulator's role
# comes first: when all writers of access lists meet on one domain controller, none overwrites what another wrote
# elsewhere and has not been replicated yet.
_RECORDS = ("_ldap._tcp.pdc._msdcs", "_ldap._tcp.dc._msdcs")


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
        raise _unknown(domain, settings, outside if names else "there are no such records")


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
        raise _unknown(settings.where, settings, str(problem)) from problem
    resolver.lifetime = float(settings.timeout)
    return resolver


def _targets(resolver: t.Any, record: str, settings: Settings) -> list[str]:
    """Return the names behind a record by priority and weight (RFC 2782), [] when there is no such record."""
    try:
        answer = resolver.resolve(record, "SRV")
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as problem:
        raise _unknown(record, settings, str(problem)) from problem
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


def _unknown(what: str, settings: Settings, reason: str) -> DirectoryError:
    servers = ", ".join(settings.dns_servers)
    return DirectoryError(
        "look up domain controllers",
        on=what,
        got=reason + (f" (DNS servers: {servers})" if servers else ""),
        advice="Check domain, and that these DNS servers know it (dns_servers names others); or name a domain "
        "controller with server.",
    )
