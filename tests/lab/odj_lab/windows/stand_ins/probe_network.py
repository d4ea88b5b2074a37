# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions whose answer lies in the network: endpoint, account."""

from __future__ import annotations

import typing as t
import urllib.parse

from odj_lab.store import State
from odj_lab.windows.stand_ins.probing import Look, Probe, argument
from odj_lab.windows.stand_ins.table import Result
from odj_lab.windows.trouble import Refused

DEFAULT_TIMEOUT_MS = 5000
UNLISTED = {"addresses": ["203.0.113.1"], "connect": False}
REFUSED = "No connection could be made because the target machine actively refused it"
STATE_NOT_EXIST = 1
TUNNEL_OPEN, BAD_GATEWAY, GATEWAY_TIMEOUT = 200, 502, 504


def endpoint(look: Look, probe: Probe) -> Result:
    """Name, connection, proxy, TLS peer of each target, from the state's `network` and `proxies`."""
    timeout = int(probe.get("timeout_ms") or DEFAULT_TIMEOUT_MS)
    proxy = probe.get("proxy")
    targets = [_target(look, target, proxy, timeout) for target in argument(probe, "targets")]
    return {"targets": targets}


def _target(look: Look, target: dict[str, t.Any], proxy: str | None, timeout: int) -> Result:
    name, port = str(target["host"]), int(target["port"])
    known = look.state["network"].get(f"{name.lower()}:{port}", UNLISTED)
    answer: Result = {"host": name, "port": port, "addresses": [], "connected": False, "proxy_status": None}
    answer |= {"tls": None, "error": None, "ms": 1}
    if not proxy:
        answer["addresses"] = known.get("addresses", [])
    error = _through(look.state, proxy, answer, known) if proxy else _directly(known)
    if error:
        late = known.get("connect") == "timeout"
        return {**answer, "error": error, "ms": timeout if late else 1}
    answer["connected"] = True
    if target.get("tls") and look.full_language:
        answer["tls"] = _peer(look.state, proxy, known)
        if answer["tls"] is None:
            answer["error"] = _error("tls", "Authentication failed because the remote party has closed the connection.")
    return answer


def _error(stage: str, message: str) -> Result:
    return {"stage": stage, "message": message}


def _reach(known: dict[str, t.Any]) -> Result | None:
    if not known.get("addresses", ["?"]):
        return _error("dns", "No such host is known")
    if known["connect"] == "timeout":
        return _error("connect", "no connection in time")
    return None if known["connect"] else _error("connect", REFUSED)


def _directly(known: dict[str, t.Any]) -> Result | None:
    if not known.get("direct", True):
        return _error("connect", "no connection in time")
    return _reach(known)


def _proxy_entry(state: State, proxy: str) -> dict[str, t.Any]:
    wanted = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.lower()
    entries = state["proxies"].items()
    found = next((e for key, e in entries if key.lower().rpartition("//")[2].rstrip("/") == wanted), None)
    return found or {"connect": False}


def _through(state: State, proxy: str, answer: Result, known: dict[str, t.Any]) -> Result | None:
    entry = _proxy_entry(state, proxy)
    unreachable = _reach({"connect": True, **entry})
    if unreachable:
        return unreachable
    status = entry.get("status_of", {}).get(f"{answer['host'].lower()}:{answer['port']}") or entry.get("status")
    if status in (None, TUNNEL_OPEN):
        gone = {"timeout": GATEWAY_TIMEOUT, False: BAD_GATEWAY}
        status = gone.get(known["connect"], TUNNEL_OPEN) if known.get("via_proxy", True) else BAD_GATEWAY
    answer["proxy_status"] = status
    return None if status == TUNNEL_OPEN else _error("proxy", f"the proxy answered with status {status}")


def _peer(state: State, proxy: str | None, known: dict[str, t.Any]) -> Result | None:
    peer = known.get("tls")
    replaced = _proxy_entry(state, proxy).get("tls") if proxy else None  # a proxy that opens TLS shows its own issuer
    return {**peer, **(replaced or {})} if peer else None


def account(look: Look, probe: Probe) -> Result:
    """Whether a managed service account is usable here; only SYSTEM may ask the DC."""
    name = str(argument(probe, "name"))
    look.demand_full_language()
    if not look.as_system:
        raise Refused("NoCredentials", "the logon of this connection cannot ask a domain controller; run as SYSTEM")
    return {"status": 0, "state": account_state(look.state, name)}


def account_state(state: State, name: str) -> int:
    """Return MSA_INFO_STATE of an account on this server; 1 (does not exist) when the state has no word of it."""
    known = {key.casefold(): entry for key, entry in state["accounts"].items()}
    return int(known.get(name.casefold(), {}).get("state", STATE_NOT_EXIST))


KINDS = {"endpoint": endpoint, "account": account}
