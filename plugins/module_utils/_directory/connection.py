# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""From settings to a connection that is encrypted, trusted and to a domain controller that can be written to.

Nobody has logged on to it yet.
"""

from __future__ import annotations

import typing as t
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import (
    ROOT_ATTRIBUTES,
    Entry,
    Settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import (
    DirectoryError,
    refuse_failure,
    unreachable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.location import Place, places
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.progress import LOGGER
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.tls import VerifiedTls, tls_context

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3
    from ldap3.core.exceptions import LDAPException

TRIES = 5  # domain controllers that are tried, of those that DNS has
_READ_ONLY = "1.2.840.113556.1.4.1920"  # LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID, MS-ADTS 3.1.1.3.4.3.6


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


def reach(settings: Settings) -> Reached:
    """Return the first domain controller that can be reached, is trusted, and can be written to.

    Raises:
        InvalidInput: The authority cannot be read.
        DirectoryError: There is none; says of each that was tried why not.

    """
    problems: list[DirectoryError] = []
    for place in islice(places(settings), TRIES):
        try:
            return _reach(settings, place)
        except DirectoryError as problem:
            LOGGER.info("%s is passed over: %s", place.name, problem)
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    got = "; ".join(str(problem) for problem in problems)
    raise DirectoryError("reach a domain controller", on=settings.where, got=got)


def _reach(settings: Settings, place: Place) -> Reached:
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
    context = tls_context(settings.ca_path, verify=settings.validate_certs)
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
