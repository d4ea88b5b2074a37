# SPDX-License-Identifier: GPL-3.0-or-later
"""Real msal against the lab's Entra over https."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, GraphError, read_connectors
from odj_lab.cloud import CLIENT_ID
from odj_lab.cloud.entra import ASSERTION_TYPE
from odj_lab.cloud.state import requests_log, store
from odj_lab.settings import Lab

Opened = Callable[..., Graph]
SECRET = "pearl-in-the-shell"
PATIENCE = 120  # seconds; answers take milliseconds


def seen(lab: Lab) -> list[tuple[str, int]]:
    return [(entry["kind"], entry["status"]) for entry in requests_log(lab).entries()]


def test_a_secret_costs_one_discovery_and_one_token_and_leaves_no_trace(lab: Lab, opened: Opened) -> None:
    graph = opened()
    read_connectors(graph)
    read_connectors(graph)
    assert graph.operations() == {"discovery": 1, "token": 1, "read": 2}
    assert seen(lab) == [("discovery", 200), ("token", 200), ("read", 200), ("read", 200)]
    assert SECRET not in requests_log(lab).path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("other", "code", "advice"),
    [
        ({"client_secret": "wrong"}, "AADSTS7000215", "not its id"),
        ({"client_id": "0d100000-0000-4000-8000-00000000dead"}, "AADSTS700016", "client_id"),
        ({"tenant_id": "fabrikam.test"}, "AADSTS90002", "tenant_id"),
        ({"graph_url": "https://graph.example.test"}, "AADSTS500011", "graph_url"),
    ],
)
def test_what_entra_refuses_is_told_with_its_code_and_what_to_do(
    lab: Lab, opened: Opened, other: dict[str, str], code: str, advice: str
) -> None:
    with pytest.raises(GraphError) as caught:
        read_connectors(opened(**other))
    assert caught.value.code == code
    assert code in caught.value.got
    assert advice in caught.value.advice
    assert SECRET not in str(caught.value)
    assert "read" not in dict(seen(lab))


def test_an_expired_secret_says_so(lab: Lab, opened: Opened) -> None:
    with store(lab).edit("the secret expires") as state:
        state["apps"][CLIENT_ID]["secrets"][0]["expires"] = time.time() - 1
    with pytest.raises(GraphError, match=r"AADSTS7000222.*has expired"):
        read_connectors(opened())


def test_a_second_secret_works_beside_an_expired_one(lab: Lab, opened: Opened) -> None:
    with store(lab).edit("roll the secret") as state:
        state["apps"][CLIENT_ID]["secrets"][0]["expires"] = 0
        state["apps"][CLIENT_ID]["secrets"].append({"value": "fresh", "expires": time.time() + 60})
    assert read_connectors(opened(client_secret="fresh")) == []


def test_the_certificate_of_the_app_opens_as_pem_and_as_pfx(opened: Opened, app_pem: Path, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(app_pem.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(app_pem.read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey)
    sealed = serialization.BestAvailableEncryption(b"opens it")
    pfx = tmp_path / "app.pfx"
    pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"app", key, certificate, None, sealed))
    for other in (
        {"certificate_path": str(app_pem)},
        {"certificate_path": str(pfx), "certificate_password": "opens it"},
    ):
        graph = opened(**other, client_secret=None)
        assert read_connectors(graph) == []
        assert graph.operations()["token"] == 1


def test_a_certificate_that_the_app_does_not_know_is_refused(lab: Lab, opened: Opened, app_pem: Path) -> None:
    with store(lab).edit("forget the certificate") as state:
        state["apps"][CLIENT_ID]["certificates"] = []
    with pytest.raises(GraphError, match=r"AADSTS700027.*Upload this certificate"):
        read_connectors(opened(certificate_path=str(app_pem)))


def test_a_clock_that_is_wrong_is_named(lab: Lab, opened: Opened, app_pem: Path) -> None:
    with store(lab).edit("Entra is an hour ahead") as state:
        state["clock_offset"] = 3600
    with pytest.raises(GraphError, match=r"AADSTS700024.*clock"):
        read_connectors(opened(certificate_path=str(app_pem)))


def assertion(lab: Lab, app_pem: Path, key: rsa.RSAPrivateKey, **changed: object) -> dict[str, str]:
    """Return the form of a token request whose assertion names the app's certificate and is signed by a key."""
    certificate = x509.load_pem_x509_certificate(app_pem.read_bytes())
    endpoint = f"{lab.cloud_url}/{lab.tenant_id}/oauth2/v2.0/token"
    claims = {"aud": endpoint, "iss": CLIENT_ID, "sub": CLIENT_ID, "exp": time.time() + 60, **changed}
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "RS256", "x5t#S256": thumbprint}, claims)
    ]
    signature = key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
    return {
        "client_id": CLIENT_ID,
        "grant_type": "client_credentials",
        "scope": f"{lab.cloud_url}/.default",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": ".".join([*parts, base64.urlsafe_b64encode(signature).decode().rstrip("=")]),
    }


@pytest.mark.parametrize(
    ("changed", "status"),
    [({}, 200), ({"aud": "https://else"}, 401), ({"sub": "else"}, 401), ({"exp": 1}, 401)],
)
def test_the_lab_checks_every_claim_of_an_assertion(
    lab: Lab, app_pem: Path, changed: dict[str, object], status: int
) -> None:
    key = serialization.load_pem_private_key(app_pem.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    form = assertion(lab, app_pem, key, **changed)
    answer = requests.post(
        f"{lab.cloud_url}/{lab.tenant_id}/oauth2/v2.0/token", data=form, verify=str(lab.ca_path), timeout=PATIENCE
    )
    assert answer.status_code == status


def test_the_lab_checks_the_signature_of_an_assertion(lab: Lab, app_pem: Path) -> None:
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = requests.post(
        f"{lab.cloud_url}/{lab.tenant_id}/oauth2/v2.0/token",
        data=assertion(lab, app_pem, forger),
        verify=str(lab.ca_path),
        timeout=PATIENCE,
    )
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [700027])


def test_a_token_made_elsewhere_needs_no_sign_in_and_cannot_be_renewed(lab: Lab, opened: Opened) -> None:
    form = {
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "grant_type": "client_credentials",
        "scope": f"{lab.cloud_url}/.default",
    }
    url = f"{lab.cloud_url}/{lab.tenant_id}/oauth2/v2.0/token"
    token = requests.post(url, data=form, verify=str(lab.ca_path), timeout=PATIENCE).json()["access_token"]
    graph = opened(access_token=token, client_secret=None, tenant_id=None, client_id=None)
    assert read_connectors(graph) == []
    assert graph.operations() == {"discovery": 0, "token": 0, "read": 1}
    with store(lab).edit("revoke") as state:
        state["tokens"] = {}
    with pytest.raises(GraphError, match="Give a new token"):
        read_connectors(graph)


def test_the_environment_does_not_beat_what_the_user_says(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    (tmp_path / ".netrc").write_text("default login somebody password something\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert read_connectors(opened()) == []


def test_the_environment_is_used_where_the_user_says_nothing(
    lab: Lab, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.ca_path))
    assert read_connectors(opened(ca_path=None)) == []


def test_an_authority_that_nobody_trusts_leads_to_ca_path(opened: Opened) -> None:
    with pytest.raises(GraphError, match=r"CERTIFICATE_VERIFY_FAILED.*ca_path"):
        read_connectors(opened(ca_path=None))


def test_a_proxy_that_is_not_there_is_named(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphError, match=r"refused.*HTTPS_PROXY"):
        read_connectors(opened(proxy="http://127.0.0.1:9"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(GraphError, match=r"refused.*HTTPS_PROXY"):
        read_connectors(opened())
