# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import datetime
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credentials import (
    CertificateCredential,
    EntraLogin,
    SecretCredential,
    TokenCredential,
    choose_credential,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON, StandingClock

GUID = "0d100000-0000-4000-8000-00000000a995"
BARE = EntraLogin("https://login.example.test", "https://graph.example.test", tenant_id=GUID, client_id=GUID)
PASSWORD = b"opens it"
PKCS8 = serialization.PrivateFormat.PKCS8
Key: t.TypeAlias = "rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: Key, until: datetime.datetime = NOON + datetime.timedelta(days=1)) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOON - datetime.timedelta(days=2)).not_valid_after(until)
    return builder.sign(key, hashes.SHA256())


def pem(*parts: Key | x509.Certificate, password: bytes | None = None) -> bytes:
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    blocks = [
        part.public_bytes(serialization.Encoding.PEM)
        if isinstance(part, x509.Certificate)
        else part.private_bytes(serialization.Encoding.PEM, PKCS8, sealed)
        for part in parts
    ]
    return b"".join(blocks)


def check(path: Path, data: bytes, password: str = "") -> None:
    path.write_bytes(data)
    signing_in = dataclasses.replace(BARE, certificate_path=str(path), certificate_password=password)
    CertificateCredential(signing_in, StandingClock()).validate()


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"client_secret": "s"}, SecretCredential),
        ({"access_token": "t", "client_secret": "s"}, TokenCredential),
    ],
)
def test_auto_takes_the_first_that_is_set(options: dict[str, str], kind: type) -> None:
    assert isinstance(choose_credential("auto", dataclasses.replace(BARE, **options), StandingClock()), kind)


def test_auto_prefers_a_certificate_to_a_secret(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    (tmp_path / "app.pem").write_bytes(pem(key, certificate(key)))
    both = dataclasses.replace(BARE, client_secret="s", certificate_path=str(tmp_path / "app.pem"))
    assert isinstance(choose_credential("auto", both, StandingClock()), CertificateCredential)
    assert isinstance(choose_credential("secret", both, StandingClock()), SecretCredential)


def test_nothing_to_sign_in_with_names_the_options() -> None:
    with pytest.raises(InvalidInput, match="client_secret or certificate_path or access_token"):
        choose_credential("auto", BARE, StandingClock())


@pytest.mark.parametrize(
    ("source", "change", "named"),
    [
        ("secret", {}, "client_secret"),
        ("certificate", {}, "certificate_path"),
        ("token", {}, "access_token"),
        ("secret", {"client_secret": "s", "tenant_id": "common"}, "tenant_id"),
        ("secret", {"client_secret": "s", "tenant_id": "contoso.test/other"}, "tenant_id"),
        ("secret", {"client_secret": "s", "tenant_id": ""}, "tenant_id"),
        ("secret", {"client_secret": "s", "client_id": "my-app"}, "client_id"),
    ],
)
def test_what_cannot_work_is_refused_by_the_name_of_the_option(source: str, change: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose_credential(source, dataclasses.replace(BARE, **change), StandingClock())
    assert caught.value.on == named


@pytest.mark.parametrize("token", ["Bearer abc", "abc\n", "a b", "ab\r\nX-Other: 1"])
def test_a_token_with_more_than_a_token_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose_credential("token", dataclasses.replace(BARE, access_token=token), StandingClock())
    assert token not in str(caught.value)


def test_secrets_stay_out_of_the_text_of_a_sign_in() -> None:
    full = dataclasses.replace(BARE, client_secret="pearl", certificate_password="amber", access_token="onyx")
    assert not any(word in repr(full) for word in ("pearl", "amber", "onyx"))


def test_key_and_certificate_are_taken_in_either_order(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    check(tmp_path / "a.pem", pem(key, certificate(key)))
    check(tmp_path / "b.pem", pem(certificate(key), key))


def test_an_encrypted_key_opens_with_its_password_only(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    data = pem(certificate(key), key, password=PASSWORD)
    check(tmp_path / "a.pem", data, PASSWORD.decode())
    for wrong in ("", "no"):
        with pytest.raises(InvalidInput, match="certificate_password"):
            check(tmp_path / "a.pem", data, wrong)


def test_a_pfx_opens_with_its_password_only(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    sealed = serialization.BestAvailableEncryption(PASSWORD)
    data = pkcs12.serialize_key_and_certificates(b"app", key, certificate(key), None, sealed)
    check(tmp_path / "a.pfx", data, PASSWORD.decode())
    with pytest.raises(InvalidInput, match="certificate_password"):
        check(tmp_path / "a.pfx", data, "no")


def test_files_that_cannot_sign_are_refused(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    yesterday = NOON - datetime.timedelta(days=1)
    unfit = {
        "no private key": pem(certificate(key)),
        "certificate_password": pem(key),
        "does not belong": pem(key, certificate(curve)),
        "not an RSA key": pem(curve, certificate(curve)),
        "expired on 2026-11-23": pem(key, certificate(key, yesterday)),
        "holds the private key and the certificate": b"MZ\x90",
    }
    for reason, data in unfit.items():
        with pytest.raises(InvalidInput, match=reason):
            check(tmp_path / "a.pem", data)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.pem")
    with pytest.raises(InvalidInput, match="No such file") as caught:
        choose_credential("certificate", dataclasses.replace(BARE, certificate_path=gone), StandingClock())
    assert caught.value.on == gone
