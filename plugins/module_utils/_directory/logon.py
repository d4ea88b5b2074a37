# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""As whom: what the user gave, checked before anything is contacted, and handed to a trusted connection only."""

from __future__ import annotations

import os
import typing as t
from contextlib import suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.kerberos import tickets, translated
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3


def check_account(settings: Settings) -> None:
    """Refuse what cannot be meant as an account.

    Raises:
        InvalidInput: Something is missing, or is not for this way to log on.

    """
    username = (settings.username or "").strip()
    if settings.auth_protocol == "simple":
        if not username or not settings.password:
            raise _refused(settings, "username or password is empty", "")
        return
    if "\\" in username or "=" in username:
        raise _refused(settings, f"{username} is no Kerberos name", "Write it as name@REALM.")
    if settings.password and settings.keytab:
        raise _refused(settings, "both password and keytab are set", "Leave one of them out.")
    if (settings.password or settings.keytab) and not username:
        raise _refused(settings, "username is empty", "Write the account as name@REALM.")
    if settings.keytab and not os.access(settings.keytab, os.R_OK):
        raise InvalidInput("read the keytab", on=settings.keytab, got="it is not there, or may not be read")


def log_on(settings: Settings, connection: t.Any, host: str) -> None:
    """Send the logon; the connection then has its result.

    Args:
        settings: As whom.
        connection: An ldap3 connection inside TLS to a server that is trusted.
        host: The domain controller's own DNS name, for which Kerberos gets a ticket.

    Raises:
        DirectoryError: There are no tickets, or Kerberos does not get on with the domain controller.
        LDAPException: The connection is gone.

    """
    if settings.auth_protocol == "kerberos":
        connection.authentication = ldap3.SASL
        connection.sasl_mechanism = ldap3.KERBEROS
        connection.sasl_credentials = (host, None, tickets(settings, host))
        with translated(f"log on as {settings.account}", host):
            connection.bind(read_server_info=False)
        return
    connection.authentication = ldap3.SIMPLE
    connection.user = settings.username
    # As bytes: ldap3 would refuse some machine passwords as text.
    connection.password = (settings.password or "").encode("utf-8")
    connection.bind(read_server_info=False)


def _refused(settings: Settings, got: str, advice: str) -> InvalidInput:
    return InvalidInput("log on to the directory", on=settings.where, got=got, advice=advice)
