# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Logging on to a domain controller: simple bind, or Kerberos from a password, a keytab or a cache.

Only a connection inside TLS to a server that is trusted is logged on to. ldap3 speaks SASL GSSAPI (RFC 4752) and sends
the channel binding tls-server-end-point (RFC 5929), which a domain controller with LdapEnforceChannelBinding demands.
Nothing of the tickets is written to disk here.
"""

from __future__ import annotations

import os
import sys
import typing as t
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    import ldap3
try:
    import gssapi
    import gssapi.raw
except ImportError as error:
    GSSAPI_IMPORT_ERROR: ImportError | None = error
else:
    GSSAPI_IMPORT_ERROR = None

_NO_TICKET = "There are no tickets: run kinit, or set ccache, keytab or password."
_NO_KEY = "The keytab has no key of that account: check username, or export the keytab anew."
_NONE_THERE = ("no kerberos credentials available", "no credentials cache", "no suitable keys")
# What MIT Kerberos says -> what to do; the first that is contained counts.
_KERBEROS_ADVICE = (
    ("preauthentication failed", "The password, or the key in the keytab, is wrong or not the newest."),
    ("password incorrect", "The password, or the key in the keytab, is wrong or not the newest."),
    ("integrity check failed", "The password, or the key in the keytab, is wrong or not the newest."),
    ("password has expired", "The password has expired, or must be changed before the first logon: set a new one."),
    ("have been revoked", "The account is disabled, expired or locked out."),
    ("client '", "There is no such account: check username (name@REALM)."),
    ("client not found", "There is no such account: check username (name@REALM)."),
    ("not found in kerberos database", "The realm has no such service: in krb5.conf, rdns = false and "
     "dns_canonicalize_hostname = false keep DNS from changing the name, and domain_realm says which realm it is in."),
    ("skew too great", "The clocks of this computer and of the domain controller differ: set them by NTP."),
    ("ticket expired", "The tickets have expired: get new ones (kinit), or use password or keytab."),
    ("credentials cache", "The tickets cannot be used: check ccache, or set keytab or password."),
    ("key table", "The keytab cannot be used: check that it is there, and that it may be read."),
    ("keytab", "The keytab cannot be used: check that it is there, and that it may be read."),
    ("default realm", "Write the account as name@REALM, or set default_realm in krb5.conf."),
    ("encryption type", "The account has no key of a kind that both sides allow: set its password anew, so that it "
     "gets AES keys."),
    ("kdc", "No domain controller answers for that realm: write the realm as krb5.conf and DNS have it, in capital "
     "letters, and check that port 88 can be reached."),
    ("realm", "Check the realm in username, and krb5.conf."),
    ("token", "The domain controller refused the channel binding, or the ticket: something between may end the TLS "
     "connection and begin another one."),
)  # fmt: skip


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


def tickets(settings: Settings, on: str) -> t.Any:
    """Return GSSAPI credentials from the password, else from the keytab, else from the cache.

    Raises:
        DirectoryError: There are none to be had; says why.
    """
    if GSSAPI_IMPORT_ERROR is not None:
        raise DirectoryError(
            "log on by Kerberos",
            on=on,
            got=f"the Python library gssapi is not installed for {sys.executable}",
            advice="Install it (with the libraries of MIT Kerberos), or use auth_protocol simple.",
        ) from GSSAPI_IMPORT_ERROR
    who = (settings.username or "").strip()
    tried = "get Kerberos tickets" + (f" for {who}" if who else "")
    with translated(tried, on, none_there=_NO_KEY if settings.keytab else _NO_TICKET):
        name = gssapi.Name(who, gssapi.NameType.kerberos_principal) if who else None
        if name and settings.password:
            password = settings.password.encode("utf-8")
            return gssapi.raw.acquire_cred_with_password(name, password, usage="initiate").creds
        return gssapi.Credentials(name=name, usage="initiate", store=_store(settings))


def _store(settings: Settings) -> dict[str | bytes, str | bytes] | None:
    """Say where the credentials lie (credential store of MIT Kerberos); None for the default cache."""
    if settings.keytab:
        return {"client_keytab": f"FILE:{settings.keytab}", "ccache": f"MEMORY:{uuid.uuid4()}"}
    return {"ccache": settings.ccache} if settings.ccache else None


@contextmanager
def translated(tried: str, on: str, *, none_there: str = _NO_TICKET) -> Iterator[None]:
    """Turn what GSSAPI says into an error that says what to do; ``none_there`` is for when it finds no credentials.

    Raises:
        DirectoryError: GSSAPI failed.
    """
    try:
        yield
    except gssapi.exceptions.GSSError as problem:
        reason = _kerberos_reason(problem)
        raise DirectoryError(tried, on=on, got=reason, advice=advice_for(reason, none_there)) from problem


def advice_for(reason: str, none_there: str) -> str:
    """Return what to do about something that MIT Kerberos says."""
    if any(words in reason.casefold() for words in _NONE_THERE):
        return none_there
    return next((advice for words, advice in _KERBEROS_ADVICE if words in reason.casefold()), "Check krb5.conf.")


def _kerberos_reason(problem: t.Any) -> str:
    """Return the words of Kerberos itself, or those of GSSAPI where it has none or calls it a success."""
    minor = " ".join(problem.get_all_statuses(problem.min_code, False)) if problem.min_code else ""
    return minor if minor not in ("", "Success") else " ".join(problem.get_all_statuses(problem.maj_code, True))
