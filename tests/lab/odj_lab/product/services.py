# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector's service: whether its account may log on, and what a start or stop means."""

from __future__ import annotations

from odj_lab.product import accounts, builds, host, layout
from odj_lab.settings import Lab
from odj_lab.store import State

LOGON_FAILURE = 1069
LOGON_RIGHT = "SeServiceLogonRight"
DENIED_RIGHT = "SeDenyServiceLogonRight"


def on_service(lab: Lab, server: str, name: str, action: str) -> None:
    """Correct a service that somebody has just started: without the right to log on it does not run."""
    if name.lower() != layout.SERVICE.lower() or action not in ("start", "restart"):
        return
    store = host.store(lab, server)
    state = store.read()
    if host.service(state, layout.SERVICE) is None or may_log_on(state, _service_sid(lab, server, state)):
        return
    with store.edit(f"logon failure of {layout.SERVICE}") as state:
        entry = state["services"][host.key_of(state["services"], layout.SERVICE)]
        entry.update(state="Stopped", process_id=0, exit_code=LOGON_FAILURE)


def may_log_on(state: State, sid: str | None) -> bool:
    """Return whether an account may log on as a service; None is LocalSystem, which always may."""
    if sid is None:
        return True
    rights = state["user_rights"]
    return sid in rights.get(LOGON_RIGHT, []) and sid not in rights.get(DENIED_RIGHT, [])


def after_install(state: State) -> None:
    """Start what an installer starts: a legacy connector at once, an updated one only when it had been signed in.

    That an updated connector stays stopped until the sign-in, and runs again after an upgrade, are choices of the lab.
    """
    product = host.product(state)
    entry = host.service(state, layout.SERVICE)
    account = product.get("account") or {}
    ran = bool(account) and may_log_on(state, account.get("sid"))
    if entry is not None and (builds.is_legacy(product["build"]) or ran):
        host.start_service(entry)


def _service_sid(lab: Lab, server: str, state: State) -> str | None:
    """Return the SID of the account that the connector's service runs as; None for LocalSystem."""
    name = (host.service(state, layout.SERVICE) or {})["start_name"]
    if name.lower() == "localsystem":
        return None
    return state["sids"].get(name) or accounts.sid_of(lab.domain_of(server), name) or "unknown"
