# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom, as far as it can be tried without a domain (see tests/integration/directory/test_access.py)."""

from __future__ import annotations

import datetime
import sys
import types
import typing as t
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import authentication
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.authentication import (
    advice_for,
    channel_bindings,
    check_account,
    log_on,
    tickets,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import Answer, Result
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import PipelinedStrategy
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    settings_from,
)

KERBEROS: dict[str, t.Any] = {"auth_protocol": "kerberos"}
SOMEBODY: dict[str, t.Any] = {**KERBEROS, "username": "x@CONTOSO.TEST"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "empty"),
        ({"username": "x"}, "empty"),
        ({"username": " ", "password": "secret-word"}, "empty"),
        ({**KERBEROS, "username": "CONTOSO\\x", "password": "secret-word"}, "name@REALM"),
        ({**KERBEROS, "username": "CN=x,DC=y", "password": "secret-word"}, "name@REALM"),
        ({**KERBEROS, "password": "secret-word"}, "username is empty"),
        ({**KERBEROS, "keytab": "/x"}, "username is empty"),
        ({**SOMEBODY, "keytab": "/x", "password": "secret-word"}, "both"),
        ({**SOMEBODY, "keytab": "/nowhere/x.keytab"}, "/nowhere/x.keytab"),
    ],
)
def test_what_cannot_be_meant(settings: dict[str, t.Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        check_account(Settings("dc1", **settings))
    assert "secret-word" not in str(caught.value)


def test_what_can_be_meant(tmp_path: Path) -> None:
    keytab = tmp_path / "x.keytab"
    keytab.touch()
    ways: list[dict[str, t.Any]] = [{"username": "x", "password": "y"}, KERBEROS, SOMEBODY]
    for more in (*ways, {**SOMEBODY, "keytab": str(keytab)}):
        check_account(Settings("dc1", **more))


def test_without_the_library_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gssapi", None)
    with pytest.raises(DirectoryError, match="gssapi is not installed"):
        tickets(Settings("dc1", **SOMEBODY), "dc1")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Clock skew too great", "NTP"),
        ("Client's credentials have been revoked", "locked out"),
        ("Password has expired", "set a new one"),
        ("Ticket expired", "kinit"),
        ("KDC has no support for encryption type", "AES"),
        ("Cannot contact any KDC for realm 'CONTOSO.TEST'", "port 88"),
        ("Configuration file does not specify default realm", "default_realm"),
        ("A token was invalid", "channel binding"),
        ("Client 'y@X' not found in Kerberos database", "no such account"),
        ("Server ldap/dc1@X not found in Kerberos database", "domain_realm"),
        ("No Kerberos credentials available", "none"),
        ("something new", "krb5.conf"),
    ],
)
def test_what_kerberos_says_is_translated(reason: str, advice: str) -> None:
    assert advice in advice_for(reason, "none")


def given(**options: t.Any) -> dict[str, t.Any]:
    return {**{name: option.get("default") for name, option in DIRECTORY_OPTIONS.items()}, **options}


def test_a_server_or_a_domain_is_needed() -> None:
    with pytest.raises(InvalidInput, match="domain"):
        settings_from(given())
    assert settings_from(given(domain="contoso.test")).where == "contoso.test"
    assert settings_from(given(server="dc1", domain="contoso.test")).where == "dc1"


def test_who_is_meant_is_told_without_a_name_too() -> None:
    assert settings_from(given(server="dc1", username="x")).account == "x"
    assert "Kerberos" in settings_from(given(server="dc1", **KERBEROS)).account


class Mechanism:
    """Stands for the library gssapi: two steps, then a message about layers; what it is told is what it was given."""

    def __init__(self, steps: int, offered: bytes) -> None:
        self.steps, self.offered = steps, offered
        self.heard: list[bytes] = []
        self.complete = False

    def SecurityContext(self, **given: t.Any) -> Mechanism:
        assert given["channel_bindings"] == "bound"
        return self

    def step(self, token: bytes | None = None) -> bytes | None:
        self.heard += [] if token is None else [token]
        self.steps -= 1
        self.complete = self.steps <= 0
        return None if self.complete else b"mine"

    def unwrap(self, token: bytes) -> types.SimpleNamespace:
        self.heard.append(token)
        return types.SimpleNamespace(message=self.offered)

    def wrap(self, message: bytes, encrypt: bool) -> types.SimpleNamespace:
        assert (message, encrypt) == (b"\1\0\0\0", False)
        return types.SimpleNamespace(message=b"no layer")

    def library(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(
            SecurityContext=self.SecurityContext,
            Name=lambda name, kind: name,
            NameType=types.SimpleNamespace(hostbased_service=0),
            MechType=types.SimpleNamespace(kerberos=0),
            Credentials=lambda **given: "credentials",
            exceptions=types.SimpleNamespace(GSSError=RuntimeError),
        )


class Server:
    """Answers each message of a logon with the next of these."""

    connection = types.SimpleNamespace(socket=types.SimpleNamespace(getpeercert=lambda der: b"certificate"))

    def __init__(self, *answers: Result) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    def exchange(self, message_type: str, message_of: Callable[[int], bytes]) -> Answer:
        assert message_type == "bindRequest"
        self.sent.append(message_of(1))
        return Answer(result=self.answers.pop(0))

    def not_counted(self) -> AbstractContextManager[None]:
        return nullcontext()


ON, DONE, NO = Result(14, "", credentials=b"theirs"), Result(0, ""), Result(49, "80090346: data 80090346")


@pytest.fixture
def by_kerberos(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mechanism, Server], Result]:
    def run(mechanism: Mechanism, server: Server) -> Result:
        monkeypatch.setattr(authentication, "library", lambda on: mechanism.library())
        monkeypatch.setattr(authentication, "tickets", lambda settings, host: "tickets")
        monkeypatch.setattr(authentication, "channel_bindings", lambda certificate, host: "bound")
        return log_on(Settings("dc1", **SOMEBODY), t.cast(PipelinedStrategy, server), "dc1.contoso.test")

    return run


ByKerberos = Callable[[Mechanism, Server], Result]


@pytest.mark.parametrize("layers", [b"\1\0\0\0", b"\7\0\x10\0"])
def test_a_logon_by_kerberos_takes_no_security_layer_whatever_is_offered_beside(
    by_kerberos: ByKerberos, layers: bytes
) -> None:
    mechanism, server = Mechanism(2, layers), Server(ON, ON, DONE)
    assert by_kerberos(mechanism, server) == DONE
    assert mechanism.heard == [b"theirs", b"theirs"]
    assert [b"mine" in sent or b"no layer" in sent for sent in server.sent] == [True, False, True]


@pytest.mark.parametrize("before", [[], [ON], [ON, ON]])
def test_a_refusal_at_any_step_of_kerberos_is_what_the_domain_controller_says(
    by_kerberos: ByKerberos, before: list[Result]
) -> None:
    assert by_kerberos(Mechanism(2, b"\7\0\x10\0"), Server(*before, NO)) == NO


@pytest.mark.parametrize(
    ("steps", "offered", "answers"),
    [
        (2, b"\7\0\x10\0", [DONE]),  # a success before Kerberos is through
        (2, b"\7\0\x10\0", [ON, DONE]),
        (99, b"\7\0\x10\0", [ON] * 20),  # and one that never is
        (2, b"\2\0\x10\0", [ON, ON]),  # a security layer is demanded
        (2, b"", [ON, ON]),
        (2, b"\1\0\0", [ON, ON]),
        (2, b"\1\0\0\0\0", [ON, ON]),
    ],
)
def test_a_logon_by_kerberos_that_is_not_one_is_refused(
    by_kerberos: ByKerberos, steps: int, offered: bytes, answers: list[Result]
) -> None:
    with pytest.raises(DirectoryError, match="not what Kerberos demands"):
        by_kerberos(Mechanism(steps, offered), Server(*answers))


@pytest.mark.parametrize("option", ["username", "password"])
@pytest.mark.parametrize("auth_protocol", ["simple", "kerberos"])
def test_what_is_not_utf_8_is_refused_and_not_shown(option: str, auth_protocol: str) -> None:
    """An environment variable in another encoding arrives like this."""
    given: dict[str, t.Any] = {"username": "x@CONTOSO.TEST", "password": "secret-word", option: "secret-word\udce4"}
    with pytest.raises(InvalidInput, match=f"{option} is not text in UTF-8") as caught:
        check_account(Settings("dc1", auth_protocol=auth_protocol, **given))
    assert "secret-word" not in str(caught.value)


def test_the_binding_to_a_certificate_without_a_hash_is_none(tmp_path: Path) -> None:
    """RFC 5929 4.1 leaves it undefined for a signature such as that of Ed25519."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dc1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    der = builder.sign(key, None).public_bytes(serialization.Encoding.DER)
    assert channel_bindings(der, "dc1") is None
    with pytest.raises(DirectoryError, match="certificate cannot be read"):
        channel_bindings(der[:-9], "dc1")
