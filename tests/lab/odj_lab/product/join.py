# SPDX-License-Identifier: GPL-3.0-or-later
"""A device joins: Intune picks a connector, and that creates the computer in the directory as its service account."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from odj_lab.cloud import connectors
from odj_lab.processes import LabError
from odj_lab.product import accounts, heartbeat, host, layout, provision
from odj_lab.settings import Lab
from odj_lab.store import State

SUCCESS, FAILURE = 30130, 30132
INFORMATION, ERROR = 4, 2
NO_RIGHT_TEXT = (
    "Failed to get the ODJ Blob. The ODJ connector does not have sufficient privileges to complete the operation"
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Joined:
    r"""How a join ended.

    Attributes:
        server: The connector server that served it.
        account: The account that created the computer, as DOMAIN\name$.
        dn: DN of the computer; "" when it failed.
        error: Why it failed; "" when it did not.

    """

    server: str
    account: str
    dn: str = ""
    error: str = ""


def enrol(
    lab: Lab, name: str, say: Say = lambda __: None, *, profile: str = "", unit: str | None = None, via: str = ""
) -> Joined:
    """Join one device and return how that ended.

    Args:
        lab: The lab.
        name: Name of the computer, at most 15 characters.
        say: Called with each line of what happens.
        profile: Display name of the domain join profile; the first one when empty.
        unit: DN of another OU than the profile's; "" is the Computers container.
        via: ``net`` (Samba's offline domain join), ``ldap``, or the first of them that this computer has.

    Raises:
        LabError: No join was tried: bad name, no such profile, no healthy connector, name taken.

    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,14}", name):
        raise LabError(f"{name} is not a computer name: 1 to 15 letters, digits and hyphens.")
    chosen = _profile(lab, profile)
    unit = (chosen["organizationalUnit"] or "") if unit is None else unit
    say(f"profile {chosen['displayName']}: domain {chosen['activeDirectoryDomainName']}, OU {unit or '(default)'}")
    server, state = _connector(lab, chosen["activeDirectoryDomainName"], say)
    account = host.product(state)["account"]
    result = _serve(lab, server, account, name, unit, via)
    say(
        f"joined: {result.dn}\ncreated by {result.account} through the connector on {server}"
        if result.dn
        else f"failed on {server} as {result.account}: {result.error}"
    )
    return result


def _profile(lab: Lab, name: str) -> State:
    profiles = connectors.profiles(lab)
    for profile in profiles:
        if name in ("", profile["displayName"]):
            return profile
    known = ", ".join(str(profile["displayName"]) for profile in profiles) or "none"
    raise LabError(f"Intune has no domain join profile {name or 'at all'} (there are: {known}).")


def _connector(lab: Lab, domain: str, say: Say) -> tuple[str, State]:
    """Pick among the active connectors of a domain; one that does not answer is passed over, as Intune does."""
    active = {entry["id"]: entry["displayName"] for entry in connectors.listed(lab) if entry["state"] == "active"}
    states = {server: host.store(lab, server).read() for server in lab.servers}
    candidates = [
        (server, state)
        for server, state in states.items()
        if host.product(state).get("connector_id") in active and state["domain"].lower() == domain.lower()
    ]
    random.shuffle(candidates)
    for server, state in candidates:
        if heartbeat.is_healthy(state):
            return server, state
        say(f"the connector on {server} does not answer; Intune asks another one")
    raise LabError(f"No healthy connector of domain {domain}: the device waits until it gives up.")


def _serve(lab: Lab, server: str, account: accounts.ServiceAccount, name: str, unit: str, via: str) -> Joined:
    domain = lab.domain_of(server)
    login = f"{domain.netbios}\\{account['name']}$"
    dn = f"CN={name},{unit or domain.computers_container}"
    order = provision.Order(name, unit, account["name"], accounts.password(domain, account["name"]))
    try:
        provision.ways()[via or provision.best_way()](domain, order)
    except provision.Refused as error:
        text = f"{NO_RIGHT_TEXT}. Failed to call NetProvisionComputerAccount machineName={name}" if error.denied else ""
        code = "0x00000800" if error.denied else "0x0FFFFFFF"
        _log(lab, server, account, FAILURE, name, code, text or str(error))
        return Joined(server, login, error=str(error))
    _log(lab, server, account, SUCCESS, name, "0x00000000", "Successful")
    return Joined(server, login, dn=dn)


def _log(
    lab: Lab, server: str, account: accounts.ServiceAccount, event_id: int, device: str, code: str, text: str
) -> None:
    kind = "Success" if event_id == SUCCESS else "Failure"
    lines = (
        f"EventType: RequestOfflineDomainJoinBlob_{kind}",
        "ElapsedMilliseconds: 400",
        f"DeviceId: {uuid.uuid4()}",
        f"DeviceName: {device}",
        f"DiagnosticCode: {code}",
        f"DiagnosticText: {text}",
    )
    with host.store(lab, server).edit(f"join of {device}") as state:
        for channel in layout.CHANNELS:
            host.log_event(
                state,
                channel,
                event_id,
                level=INFORMATION if event_id == SUCCESS else ERROR,
                user_sid=account["sid"],
                provider=layout.PROVIDER,
                text="\n".join(lines),
            )
