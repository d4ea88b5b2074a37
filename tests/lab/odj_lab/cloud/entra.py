# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's side: the discovery document and the token endpoint for applications."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from odj_lab.cloud.answers import Answer, Request, entra_error
from odj_lab.cloud.state import now, store
from odj_lab.settings import Lab
from odj_lab.store import State

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
}
Refusal = tuple[int, str, int, str]
BAD_ASSERTION: Refusal = (
    401,
    "invalid_client",
    700027,
    "The certificate with identifier used to sign the client assertion is not registered on application.",
)


def discovery(state: State, request: Request, tenant: str) -> Answer:
    """Answer the OpenID configuration of a tenant."""
    if refusal := _unknown_tenant(state, tenant):
        return entra_error(*refusal, now(state))
    base = f"{request.base_url}/{tenant}"
    return Answer(
        200,
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
        },
    )


def token(lab: Lab, state: State, request: Request, tenant: str) -> Answer:
    """Answer the token endpoint: client credentials with a secret or a signed assertion, scope of this Graph."""
    client_id = request.form.get("client_id", "")
    refusal = _unknown_tenant(state, tenant) or _refused(state, request, client_id)
    if refusal:
        return entra_error(*refusal, now(state))
    value = f"lab-{secrets.token_urlsafe(32)}"
    with store(lab).edit("issue a token") as fresh:
        fresh["tokens"][fingerprint(value)] = {
            "client_id": client_id,
            "expires": now(fresh) + fresh["token_lifetime"],
        }
    lifetime = state["token_lifetime"]
    return Answer(
        200, {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": value}
    )


def fingerprint(value: str) -> str:
    """Return under which key a token stands in the state."""
    return hashlib.sha256(value.encode()).hexdigest()


def _unknown_tenant(state: State, tenant: str) -> Refusal | None:
    if tenant.lower() in {state["tenant"]["id"], state["tenant"]["domain"]}:
        return None
    return 400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found."


def _refused(state: State, request: Request, client_id: str) -> Refusal | None:
    app = state["apps"].get(client_id.lower())
    if app is None:
        text = f"Application with identifier '{client_id}' was not found in the directory."
        return 400, "unauthorized_client", 700016, text
    if request.form.get("grant_type") != "client_credentials":
        return 400, "unsupported_grant_type", 70003, "The lab knows the grant client_credentials only."
    proof = _wrong_assertion if "client_assertion" in request.form else _wrong_secret
    return proof(state, app, request, client_id) or _wrong_scope(request)


def _wrong_scope(request: Request) -> Refusal | None:
    scope = request.form.get("scope", "")
    resource, slash, rest = scope.rpartition("/")
    if rest != ".default" or not slash:
        return 400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid."
    if urlsplit(resource).netloc != urlsplit(request.base_url).netloc:
        return 400, "invalid_resource", 500011, f"The resource principal named {resource} was not found in the tenant."
    return None


def _wrong_secret(state: State, app: State, request: Request, client_id: str) -> Refusal | None:
    given = request.form.get("client_secret", "").encode()
    for secret in app["secrets"]:
        if hmac.compare_digest(given, secret["value"].encode()):
            if now(state) < secret["expires"]:
                return None
            return 401, "invalid_client", 7000222, f"The provided client secret keys for app '{client_id}' are expired."
    return 401, "invalid_client", 7000215, "Invalid client secret provided."


def _wrong_assertion(state: State, app: State, request: Request, client_id: str) -> Refusal | None:
    if request.form.get("client_assertion_type") != ASSERTION_TYPE:
        return 400, "invalid_request", 900144, "The request body must contain the parameter 'client_assertion_type'."
    try:
        claims = _claims(app, request.form["client_assertion"])
    except (ValueError, KeyError, InvalidSignature):
        return BAD_ASSERTION
    endpoint = f"{request.base_url}{request.path}"
    if claims.get("aud") != endpoint or not claims.get("iss") == claims.get("sub") == client_id:
        return 401, "invalid_client", 700021, "Client assertion application identifier or audience does not match."
    if not float(claims.get("nbf", 0)) - 300 <= now(state) <= float(claims.get("exp", 0)):
        return 401, "invalid_client", 700024, "Client assertion is not within its valid time range."
    return None


def _claims(app: State, assertion: str) -> State:
    """Return the claims of an assertion that a registered certificate has signed."""
    head, body, signature = assertion.split(".")
    header: State = json.loads(_decoded(head))
    named = [certificate for certificate in map(_load, app["certificates"]) if _is_named(certificate, header)]
    key = named[0].public_key() if named else None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the header names no certificate of the app")
    key.verify(_decoded(signature), f"{head}.{body}".encode(), PADDINGS[header["alg"]], hashes.SHA256())
    claims: State = json.loads(_decoded(body))
    return claims


def _is_named(certificate: x509.Certificate, header: State) -> bool:
    der = certificate.public_bytes(serialization.Encoding.DER)
    names = {"x5t": hashlib.sha1(der, usedforsecurity=False).digest(), "x5t#S256": hashlib.sha256(der).digest()}
    given = {name: _decoded(header[name]) for name in names if name in header}
    return bool(given) and all(names[name] == value for name, value in given.items())


def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
