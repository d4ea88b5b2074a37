# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector's service: whether its account may log on, and what a start or stop means."""

from __future__ import annotations

from odj_lab.product import builds, host, layout
from odj_lab.settings import Lab
from odj_lab.store import State

LOGON_FAILURE = 1069
LOGON_RIGHT = "SeServiceLogonRight"


def on_service(lab: Lab, server: str, name: str, action: str) -> None:
    """Correct a service that somebody has just started: without the right to log on it does not run."""
    if name.lower() != layout.SERVICE.lower() or action not in ("start", "restart"):
        return
    store = host.store(lab, server)
    entry = host.service(store.read(), layout.SERVICE)
    if entry is None or may_log_on(store.read()):
        return
    with store.edit(f"logon failure of {layout.SERVICE}") as state:
        entry = state["services"][host.key_of(state["services"], layout.SERVICE)]
        entry.update(state="Stopped", process_id=0, exit_code=LOGON_FAILURE)


def may_log_on(state: State) -> bool:
    """Return whether the account of the connector's service may log on as a service."""
    entry = host.service(state, layout.SERVICE) or {}
    if entry.get("start_name", "LocalSystem").lower() == "localsystem":
        return True
    account = host.product(state).get("account") or {}
    return account.get("sid") in state["user_rights"].get(LOGON_RIGHT, [])


def after_install(state: State) -> None:
    """Start what an installer starts: a legacy connector at once, an updated one only when it had been signed in.

    That an updated connector stays stopped until the sign-in, and runs again after an upgrade, are choices of the lab.
    """
    product = host.product(state)
    entry = host.service(state, layout.SERVICE)
    if entry is not None and (builds.is_legacy(product["build"]) or (product.get("account") and may_log_on(state))):
        host.start_service(entry)
