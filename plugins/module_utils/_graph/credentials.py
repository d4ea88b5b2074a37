# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Ways to a token for Graph: a client secret, a certificate, or a token that somebody else has made."""

from __future__ import annotations

import logging
import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Credential, GraphError, explain_entra
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import NOT_ENTRA, Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

MSAL_ERROR: ImportError | None = None
try:
    import msal
    import requests
except ImportError as error:
    MSAL_ERROR = error

CRYPTOGRAPHY_ERROR: ImportError | None = None
try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError as error:
    CRYPTOGRAPHY_ERROR = error

# msal logs tracebacks of answers that are not JSON; without a handler they end up in the middle of a module's answer.
logging.getLogger("msal").addHandler(logging.NullHandler())

# What msal raises on answers that are not like Entra's: it takes their fields as they come.
_STRANGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.IGNORECASE)
# The characters of a bearer token: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class EntraLogin:
    """Which application logs on to Entra, where, with what; unused parts are empty.

    Attributes:
        authority_host: Address of Entra, without a trailing slash.
        graph_url: Address of Graph, without a trailing slash; the token is for it.
        tenant_id: Id or a domain name of the tenant.
        client_id: Id of the app registration.
        client_secret: Value of a secret.
        certificate_path: PEM with key and certificate, or PFX.
        certificate_password: Opens the key.
        access_token: A token made elsewhere.
    """

    authority_host: str
    graph_url: str
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    certificate_path: str = ""
    certificate_password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


class TokenCredential:
    """A ready access token; it cannot be renewed here."""

    def __init__(self, login: EntraLogin) -> None:
        self._token = login.access_token

    def validate(self) -> None:
        """Check that it can be a token."""
        if not _BEARER.fullmatch(self._token):
            raise InvalidInput(
                "use the access token",
                on="access_token",
                got="it holds characters that no token has" if self._token else "it is not set",
                advice="Give the bare token, without the word Bearer and without line ends.",
            )

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return the token."""
        if fresh:
            raise GraphError(
                "read from Graph",
                on="access_token",
                got="the token is refused: it is expired, revoked, or made for something else",
                advice="Give a new token, made for the scope <graph_url>/.default.",
                status=401,
            )
        return self._token


class SecretCredential:
    """A client secret of the app registration."""

    def __init__(self, login: EntraLogin) -> None:
        self._login = login
        self._app = _MsalApp(login, login.client_secret)

    def validate(self) -> None:
        """Check that tenant, application and secret are there."""
        _check_app(self._login)
        if not self._login.client_secret:
            raise InvalidInput(
                "sign in to Entra",
                on="client_secret",
                got="it is not set",
                advice="Give the secret's value, or set AZURE_SECRET or AZURE_CLIENT_SECRET.",
            )

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return a token."""
        return self._app.token(http, fresh=fresh)


class CertificateCredential:
    """A certificate whose public part is uploaded to the app registration."""

    def __init__(self, login: EntraLogin, clock: Clock) -> None:
        self._login = login
        self._clock = clock
        self._app: _MsalApp | None = None

    def validate(self) -> None:
        """Check tenant and application, open the file, and check that key and certificate belong together."""
        _check_app(self._login)
        if not self._login.certificate_path:
            raise InvalidInput(
                "sign in to Entra",
                on="certificate_path",
                got="it is not set",
                advice="Give a PEM or PFX file, or set AZURE_X509_CERTIFICATE_PATH or AZURE_CLIENT_CERTIFICATE_PATH.",
            )
        self._app = _MsalApp(self._login, self._proof())

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return a token."""
        if self._app is None:
            self.validate()
        return t.cast(_MsalApp, self._app).token(http, fresh=fresh)

    def _proof(self) -> Mapping[str, str]:
        password = self._login.certificate_password.encode() or None
        try:
            data = Path(self._login.certificate_path).read_bytes()
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
        return InvalidInput("use the certificate", on=self._login.certificate_path, got=got, advice=advice)


# In the order in which "auto" looks: source -> part of EntraLogin that says it is meant, and its maker.
SOURCES: dict[str, tuple[str, Callable[[EntraLogin, Clock], Credential]]] = {
    "token": ("access_token", lambda login, clock: TokenCredential(login)),
    "certificate": ("certificate_path", CertificateCredential),
    "secret": ("client_secret", lambda login, clock: SecretCredential(login)),
}


def choose_credential(source: str, login: EntraLogin, clock: Clock) -> Credential:
    """Return the credential of a source, checked; for "auto" the first whose option is set.

    Raises:
        InvalidInput: Nothing to sign in with, or it cannot work.
    """
    given = [name for name, (option, _make) in SOURCES.items() if getattr(login, option)]
    meant = given[:1] if source == "auto" else [source]
    if not meant:
        raise InvalidInput(
            "sign in to Entra",
            on=" or ".join(option for option, _make in reversed(SOURCES.values())),
            got="none of them is set",
            advice="Give one of them, or set AZURE_SECRET, AZURE_CLIENT_SECRET, AZURE_X509_CERTIFICATE_PATH, "
            "AZURE_CLIENT_CERTIFICATE_PATH or MSGRAPH_ACCESS_TOKEN to something that is not empty.",
        )
    credential = SOURCES[meant[0]][1](login, clock)
    credential.validate()
    return credential


def _check_app(login: EntraLogin) -> None:
    """Check tenant and application, which every way but a ready token needs.

    Raises:
        InvalidInput: Names the option that is missing or cannot be meant.
    """
    tenant, client = login.tenant_id, login.client_id
    if not (_GUID.fullmatch(tenant) or _DOMAIN.fullmatch(tenant)):
        raise InvalidInput(
            "sign in to Entra",
            on="tenant_id",
            got=f"{tenant!r} is neither a GUID nor a domain name" if tenant else "it is not set",
            advice="Give the directory id of the tenant, or set AZURE_TENANT or AZURE_TENANT_ID.",
        )
    if not _GUID.fullmatch(client):
        raise InvalidInput(
            "sign in to Entra",
            on="client_id",
            got=f"{client!r} is not a GUID" if client else "it is not set",
            advice="Give the application (client) id of the app registration, or set AZURE_CLIENT_ID.",
        )


class _MsalApp:
    """The application as msal knows it: gets tokens, and keeps the last.

    Args:
        login: Which application, and where.
        proof: What msal calls client_credential: a secret, or a dictionary with key and certificate.
    """

    def __init__(self, login: EntraLogin, proof: str | Mapping[str, str]) -> None:
        self._login = login
        self._proof = proof
        self._app: t.Any = None

    def token(self, http: Http, *, fresh: bool) -> str:
        """Return a token for Graph; one that msal holds already unless a fresh one is wanted.

        Raises:
            GraphError: Entra refuses or cannot be reached.
        """
        tried = "get a token from Entra"
        on = f"application {self._login.client_id} in tenant {self._login.tenant_id} at {self._login.authority_host}"
        try:
            answer = self._asked(http, fresh=fresh)
        except requests.exceptions.RequestException as error:
            raise http.failure(tried, on, error) from error
        except msal.exceptions.MsalServiceError as error:
            raise _refused(tried, on, str(error)) from error
        except _STRANGE as error:
            # msal puts Entra's own answer into the inner of two errors.
            text = f"{error.__context__ or error}"
            if "AADSTS" not in text:
                raise GraphError(tried, on=on, got="the answer is not one of Entra", advice=NOT_ENTRA) from error
            raise _refused(tried, on, text) from error
        if "access_token" not in answer:
            text = str(answer.get("error_description") or answer.get("error") or "no token in the answer")
            raise _refused(tried, on, text)
        token = answer["access_token"]
        if not isinstance(token, str) or not _BEARER.fullmatch(token):
            raise GraphError(tried, on=on, got="what came as a token cannot be one", advice=NOT_ENTRA)
        return token

    def _asked(self, http: Http, *, fresh: bool) -> dict[str, t.Any]:
        if self._app is None:
            self._app = msal.ConfidentialClientApplication(
                self._login.client_id,
                client_credential=self._proof,
                authority=f"{self._login.authority_host}/{self._login.tenant_id}",
                http_client=http,
                # Else msal asks login.microsoftonline.com about the host, and a wrong secret looks like a firewall.
                instance_discovery=False,
                # Else MSAL_FORCE_REGION in the environment sends the request elsewhere.
                azure_region=False,
            )
        if fresh:
            self._app.remove_tokens_for_client()
        answer = self._app.acquire_token_for_client([f"{self._login.graph_url}/.default"])
        return t.cast("dict[str, t.Any]", answer)


def _refused(tried: str, on: str, text: str) -> GraphError:
    meant = explain_entra(text)
    return GraphError(tried, on=on, got=meant.sentence, advice=meant.advice, code=meant.code)


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
