# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""From settings to a connection that is encrypted and trusted; nobody has logged on to it yet."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import refuse_failure, unreachable
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.tls import VerifiedTls, tls_context

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3
    from ldap3.core.exceptions import LDAPException


def connect(settings: Settings) -> t.Any:
    """Return an ldap3 connection that is not open yet.

    Raises:
        InvalidInput: The authority cannot be read.

    """
    use_ssl = settings.tls_mode == "ldaps"
    server = ldap3.Server(
        settings.server,
        settings.port or (636 if use_ssl else 389),
        use_ssl=use_ssl,
        get_info=ldap3.NONE,
        connect_timeout=settings.timeout,
    )
    context = tls_context(settings.ca_path, verify=settings.validate_certs)
    server.tls = VerifiedTls(context, settings.server_name or settings.server)
    return ldap3.Connection(
        server,
        settings.username,
        settings.password.encode("utf-8"),  # as bytes: ldap3 would refuse some machine passwords as text
        authentication=ldap3.SIMPLE,
        auto_referrals=False,
        check_names=False,
        receive_timeout=settings.timeout,
    )


def secure(settings: Settings, connection: t.Any) -> None:
    """Open the connection, and put TLS around it.

    Raises:
        DirectoryError: The server cannot be reached or trusted, or does not go over to TLS.

    """
    where = f"{connection.server.host}:{connection.server.port}"
    try:
        connection.open(read_server_info=False)
        started = settings.tls_mode == "ldaps" or connection.server.tls.start_tls(connection)
    except (LDAPException, OSError) as problem:
        raise unreachable("connect to the directory", where, connection.last_error or str(problem)) from problem
    if not started:
        refuse_failure("start TLS", where, connection.result)
