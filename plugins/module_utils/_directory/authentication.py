# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Logging on to a domain controller: simple bind, or Kerberos from a password, a keytab or a cache.

Only a connection inside TLS to a server that is trusted is logged on to. SASL GSSAPI (RFC 4752) is spoken here with the
library gssapi, since ldap3 believes whatever the server answers; with the channel binding tls-server-end-point (RFC
5929), which a domain controller with LdapEnforceChannelBinding demands. Nothing of the tickets is written to disk here.
"""

from __future__ import annotations

import os
import sys
import typing as t
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import (
    SASL_IN_PROGRESS,
    Result,
    sasl_bind,
    simple_bind,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import PipelinedStrategy
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

_NO_LAYER = 1  # RFC 4752 3.3
_MOST_STEPS = 10  # of Kerberos: it has two
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
    for option in ("username", "password"):
        try:
            (getattr(settings, option) or "").encode()
        except UnicodeEncodeError:  # from an environment variable that is not UTF-8
            raise _refused(settings, f"{option} is not text in UTF-8", "Write it in UTF-8.") from None
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


def log_on(settings: Settings, strategy: PipelinedStrategy, host: str) -> Result:
    """Log on, and return what the domain controller says to it; success is code 0.

    Args:
        settings: As whom.
        strategy: Carries messages inside TLS to a server that is trusted.
        host: The domain controller's own DNS name, for which Kerberos gets a ticket.

    Raises:
        DirectoryError: There are no tickets, or Kerberos does not get on with the domain controller.
        LDAPException: The connection is gone.
    """
    if settings.auth_protocol == "kerberos":
        tried = f"log on as {settings.account}"
        with strategy.not_counted():  # what the Kerberos servers take is not the domain controller's time
            mine = tickets(settings, host)
        with translated(tried, host):
            return _by_kerberos(strategy, host, mine, tried)
    password = (settings.password or "").encode()
    message_of = partial(simple_bind, name=settings.username or "", password=password)
    return strategy.exchange("bindRequest", message_of).result


def _by_kerberos(strategy: PipelinedStrategy, host: str, mine: t.Any, tried: str) -> Result:
    """Do what RFC 4752 3.1 says, and take no security layer: TLS is there."""
    gssapi = library(host)
    context = gssapi.SecurityContext(
        name=gssapi.Name(f"ldap@{host}", gssapi.NameType.hostbased_service),
        creds=gssapi.Credentials(base=mine, usage="initiate"),
        mech=gssapi.MechType.kerberos,
        channel_bindings=channel_bindings(strategy.connection.socket.getpeercert(True), host),
    )

    def say(token: bytes | None) -> Result:
        return strategy.exchange("bindRequest", partial(sasl_bind, mechanism="GSSAPI", token=token or b"")).result

    with strategy.not_counted():
        token = context.step()
    answer = say(token)
    for __ in range(_MOST_STEPS):
        if context.complete or answer.code != SASL_IN_PROGRESS:
            break
        answer = say(context.step(answer.credentials))
    if answer.code not in (0, SASL_IN_PROGRESS):
        return answer
    offered = context.unwrap(answer.credentials).message if context.complete and answer.code else b""
    if len(offered) != 4 or not offered[0] & _NO_LAYER:
        got = "what the domain controller answers is not what Kerberos demands of it"
        raise DirectoryError(tried, on=host, got=got, advice="Is it a domain controller of Active Directory?")
    return say(context.wrap(bytes((_NO_LAYER, 0, 0, 0)), False).message)


def channel_bindings(certificate: bytes | None, host: str) -> t.Any:
    """Return the channel binding tls-server-end-point of a certificate (RFC 5929 4.1); None where it has none.

    Raises:
        DirectoryError: The library is not installed, or cannot read the certificate.
    """
    tried = "bind the logon to the TLS connection"
    try:
        from cryptography import exceptions, x509
        from cryptography.hazmat.primitives import hashes
    except ImportError as problem:
        got = f"the Python library cryptography is not installed for {sys.executable}"
        raise DirectoryError(tried, on=host, got=got, advice="Install it, or use auth_protocol simple.") from problem
    try:
        algorithm = x509.load_der_x509_certificate(certificate or b"").signature_hash_algorithm
    except (ValueError, exceptions.UnsupportedAlgorithm) as problem:
        raise DirectoryError(tried, on=host, got=f"the certificate cannot be read: {problem}") from problem
    if algorithm is None:  # signed without a hash, as by Ed25519: the RFC defines none
        return None
    weak = algorithm.name in ("md5", "sha1")
    digest = hashes.Hash(hashes.SHA256() if weak else algorithm)
    digest.update(certificate or b"")
    return library(host).raw.ChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())


def _refused(settings: Settings, got: str, advice: str) -> InvalidInput:
    return InvalidInput("log on to the directory", on=settings.where, got=got, advice=advice)


def library(on: str) -> t.Any:
    """Return the library gssapi, which only a logon by Kerberos needs.

    Raises:
        DirectoryError: It is not installed.
    """
    try:
        import gssapi
        import gssapi.raw
    except ImportError as problem:
        raise DirectoryError(
            "log on by Kerberos",
            on=on,
            got=f"the Python library gssapi is not installed for {sys.executable}",
            advice="Install it (with the libraries of MIT Kerberos), or use auth_protocol simple.",
        ) from problem
    return gssapi


def tickets(settings: Settings, on: str) -> t.Any:
    """Return GSSAPI credentials from the password, else from the keytab, else from the cache.

    Raises:
        DirectoryError: There are none to be had; says why.
    """
    gssapi = library(on)
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
    gss_error = library(on).exceptions.GSSError
    try:
        yield
    except gss_error as problem:
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
