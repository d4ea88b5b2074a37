# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Sign-in with a certificate: a PEM file with key and certificate, or a PFX file."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import SignIn, validate_app
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.entra import EntraApp
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

CRYPTOGRAPHY_ERROR: ImportError | None = None
try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError as error:
    CRYPTOGRAPHY_ERROR = error


class CertificateCredential:
    """A certificate whose public part is uploaded to the app registration."""

    def __init__(self, sign_in: SignIn, clock: Clock) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._app: EntraApp | None = None

    def validate(self) -> None:
        """Check tenant and application, open the file, and check that key and certificate belong together."""
        validate_app(self._sign_in)
        if not self._sign_in.certificate_path:
            raise InvalidInput(
                "sign in to Entra",
                on="certificate_path",
                got="it is not set",
                advice="Give a PEM or PFX file, or set AZURE_X509_CERTIFICATE_PATH or AZURE_CLIENT_CERTIFICATE_PATH.",
            )
        self._app = EntraApp(self._sign_in, self._proof())

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return a token."""
        if self._app is None:
            self.validate()
        return t.cast(EntraApp, self._app).token(http, fresh=fresh)

    def _proof(self) -> Mapping[str, str]:
        password = self._sign_in.certificate_password.encode() or None
        try:
            data = Path(self._sign_in.certificate_path).read_bytes()
            key, certificates = (_from_pem if b"-----BEGIN" in data else _from_pfx)(data, password)
        except OSError as error:
            raise self._unfit(error.strerror or str(error), "Check path and rights on the controller.") from error
        except (ValueError, TypeError) as error:
            advice = "Check certificate_password, and that the file holds the private key and the certificate."
            raise self._unfit(str(error), advice) from error
        return {
            "private_key": self._checked(key, certificates)
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode(),
            "public_certificate": "".join(
                certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in certificates
            ),
        }

    def _checked(self, key: PrivateKeyTypes, certificates: list[x509.Certificate]) -> rsa.RSAPrivateKey:
        if not isinstance(key, rsa.RSAPrivateKey):
            raise self._unfit("its key is not an RSA key", "Entra takes certificates with RSA keys for applications.")
        if not certificates or certificates[0].public_key() != key.public_key():
            advice = "Put the certificate of this key first."
            raise self._unfit("the first certificate in it does not belong to the key in it", advice)
        end = certificates[0].not_valid_after_utc
        if end <= self._clock.now():
            advice = "Make a new certificate and upload its public part to the app registration."
            raise self._unfit(f"the certificate has expired on {end:%Y-%m-%d}", advice)
        return key

    def _unfit(self, got: str, advice: str) -> InvalidInput:
        return InvalidInput("use the certificate", on=self._sign_in.certificate_path, got=got, advice=advice)


def _from_pem(data: bytes, password: bytes | None) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    certificates = x509.load_pem_x509_certificates(data)
    start = data.find(b"-----BEGIN")
    # The key may stand after the certificates, and the loader looks at the first block only.
    while start >= 0 and b"PRIVATE KEY" not in data[start : data.find(b"\n", start)]:
        start = data.find(b"-----BEGIN", start + 1)
    if start < 0:
        raise ValueError("it holds no private key")
    encrypted = b"ENCRYPTED" in data[start : start + 200]
    key = serialization.load_pem_private_key(data[start:], password if encrypted else None)
    return key, certificates


def _from_pfx(data: bytes, password: bytes | None) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    key, certificate, others = pkcs12.load_key_and_certificates(data, password)
    if key is None or certificate is None:
        raise ValueError("it holds no private key with its certificate")
    return key, [certificate, *others]
