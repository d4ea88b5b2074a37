# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's cloud knows: one JSON document that tests read and change.

Keys of the document:
    tenant: id and domain of the tenant.
    clock_offset: Seconds that the cloud's clock is ahead of this computer's.
    token_lifetime: Seconds.
    apps: By client id: display_name, secrets ({value, expires}), certificates (PEM), permissions (application).
    tokens: By SHA-256 of the token: client_id, expires. Delete an entry to revoke a token.
    page_size: Rows of one page.
    next_link: Given out instead of the true link to the next page; absent for the true one.
    connectors: id, displayName, lastConnectionDateTime, version; state_override (a state; null or absent: computed).
    device_configurations, autopilot_profiles: As Graph shows them, assignments included.
    faults: latency_ms, and rules (see faults.py).
"""

from __future__ import annotations

import datetime
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from odj_lab.files import write_private
from odj_lab.processes import LabError
from odj_lab.settings import Domain, Lab
from odj_lab.store import JsonLog, JsonStore, State

CLIENT_ID = "0d100000-0000-4000-8000-00000000a995"
GROUP_ID = "0d100000-0000-4000-8000-00000000960b"
DOMAIN_JOIN = "#microsoft.graph.windowsDomainJoinConfiguration"
AUTOPILOT_HYBRID = "#microsoft.graph.activeDirectoryWindowsAutopilotDeploymentProfile"


class BadState(LabError):
    """The document does not hold what the description says; the text names the place."""

    def __init__(self, place: str, row: object, text: str) -> None:
        name = row.get("displayName") or row.get("id") if isinstance(row, dict) else None
        super().__init__(f"The state of the lab's cloud is spoilt: {place}{f' ({name})' if name else ''} {text}.")


def store(lab: Lab) -> JsonStore:
    """Return the cloud's document."""
    return JsonStore(lab.cloud_dir / "state.json")


def requests_log(lab: Lab) -> JsonLog:
    """Return the log of all requests: kind (discovery, token, read, write), method, path, status, fault, client."""
    return JsonLog(lab.cloud_dir / "requests.jsonl")


def create_state(lab: Lab) -> State:
    """Return a first state: one app that may read, no connectors, a domain join profile for each domain."""
    created = graph_time(time.time())
    return {
        "tenant": {"id": lab.tenant_id, "domain": f"{lab.domains[0].netbios.lower()}-lab.test"},
        "clock_offset": 0,
        "token_lifetime": 3599,
        "apps": {
            CLIENT_ID: {
                "display_name": "Connector fleet automation",
                "secrets": [{"value": lab.passwords["graph-app"], "expires": time.time() + 180 * 86400}],
                "certificates": [_ensure_app_certificate(lab)],
                "permissions": ["DeviceManagementConfiguration.Read.All", "DeviceManagementServiceConfig.Read.All"],
            }
        },
        "tokens": {},
        "page_size": 2,
        "connectors": [],
        "device_configurations": [domain_join_profile(domain) for domain in lab.domains],
        "autopilot_profiles": [
            {
                "@odata.type": AUTOPILOT_HYBRID,
                "id": "0d100000-0000-4000-8000-0000000a9001",
                "displayName": "Autopilot hybrid: lab PCs",
                "description": "",
                "createdDateTime": created,
                "lastModifiedDateTime": created,
                "roleScopeTagIds": ["0"],
                "hybridAzureADJoinSkipConnectivityCheck": True,
                "preprovisioningAllowed": False,
                "assignments": _assigned(),
            }
        ],
        "faults": {"latency_ms": 0, "rules": []},
    }


def domain_join_profile(domain: Domain) -> State:
    """Return the domain join profile of a domain; the Autopilot profile is for all of them."""
    created = graph_time(time.time())
    return {
        "@odata.type": DOMAIN_JOIN,
        "id": f"0d100000-0000-4000-8000-0000000d100{domain.place + 1}",
        "displayName": f"Hybrid join: {domain.netbios.title()} PCs",
        "description": "",
        "version": 1,
        "createdDateTime": created,
        "lastModifiedDateTime": created,
        "roleScopeTagIds": ["0"],
        "activeDirectoryDomainName": domain.name,
        "organizationalUnit": domain.organizational_units[0],
        "computerNameStaticPrefix": "LAB-",
        "computerNameSuffixRandomCharCount": 5,
        "assignments": _assigned(),
    }


def add_domain_join_profile(domain: Domain) -> None:
    """Give a domain that came later its profile, unless Intune has it."""
    made = domain_join_profile(domain)
    with store(domain.lab).edit(f"profile of {domain.name}") as state:
        if made["id"] not in [each["id"] for each in state["device_configurations"]]:
            state["device_configurations"].append(made)


def _assigned() -> list[State]:
    target = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUP_ID}
    return [{"id": GROUP_ID, "target": target}]


def now(state: State) -> float:
    """Return the cloud's time (Unix seconds)."""
    return time.time() + float(state["clock_offset"])


def graph_time(seconds: float) -> str:
    """Return a time as Graph writes it: seven fractional digits and Z."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def _ensure_app_certificate(lab: Lab) -> str:
    """Return the certificate of the app registration; key and certificate lie in graph-app.pem of the lab's PKI."""
    path = lab.pki_dir / "graph-app.pem"
    if path.exists():
        text = path.read_text(encoding="ascii")
        return text[text.index("-----BEGIN CERTIFICATE-----") :]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Connector fleet automation")])
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
    write_private(path, key_pem + certificate_pem)
    return certificate_pem.decode()
