# SPDX-License-Identifier: GPL-3.0-or-later
"""win_service and win_service_info."""

from __future__ import annotations

import secrets
import typing as t

from odj_lab.store import State
from odj_lab.windows import accounts, programs
from odj_lab.windows.first_state import service
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, NotSimulated

Record = dict[str, t.Any]
STATES = {
    "Running": "started",
    "Stopped": "stopped",
    "Paused": "paused",
    "Start Pending": "start_pending",
    "Stop Pending": "stop_pending",
}
START_MODES = {"Auto": "auto", "Manual": "manual", "Disabled": "disabled", "Boot": "boot", "System": "system"}
SYSTEM = "S-1-5-18"
# options that change what the lab does not keep: refused when they are given, not ignored
NOT_KEPT = (
    "dependencies",
    "error_control",
    "failure_actions",
    "failure_actions_on_non_crash_failure",
    "failure_command",
    "failure_reboot_msg",
    "failure_reset_period_sec",
    "load_order_group",
    "pre_shutdown_timeout_ms",
    "required_privileges",
    "service_type",
    "sid_info",
)
SETTABLE = ("description", "display_name", "path", "start_mode", "state", "username", "password")


def find(state: State, name: str) -> str | None:
    """Return a service's name as the state writes it, by name or display name."""
    wanted = name.casefold()
    for key, record in state["services"].items():
        if wanted in (key.casefold(), record["display_name"].casefold()):
            return str(key)
    return None


def start_mode(record: Record) -> str:
    """Return the start mode in the words of win_service."""
    return "delayed" if record["delayed"] and record["start_mode"] == "Auto" else START_MODES[record["start_mode"]]


def win_service(machine: Machine, call: Call, options: Options) -> Result:
    """Create, change, start, stop or remove a service."""
    _check(options)
    with machine.planned(f"win_service {options['name']}", check_mode=call.check_mode) as state:
        name = find(state, options["name"])
        if options["state"] == "absent":
            return _removed(state, name)
        if name is None and not any(options[key] is not None for key in SETTABLE):
            return {"changed": False, "exists": False}
        changed = name is None
        name = name or _created(state, options)
        record = state["services"][name]
        changed = _configure(machine, state, record, options) or changed
        actions = _actions(record, options["state"])
        for action in actions:
            _perform(record, action)
    if not call.check_mode:
        _tell(machine, name, actions, account_changed=bool(options["username"]) and changed)
        record = machine.read()["services"][name]
    return {"changed": changed or bool(actions), **_shown(machine, name, record)}


def _check(options: Options) -> None:
    given = [key for key in NOT_KEPT if options[key] is not None]
    if given or options["desktop_interact"]:
        raise NotSimulated(f"the option {(given or ['desktop_interact'])[0]} of win_service")
    if options["password"] is not None and options["username"] is None:
        raise ModuleFailure("missing parameter(s) required by 'password': username")


def _removed(state: State, name: str | None) -> Result:
    if name is not None:
        del state["services"][name]
    return {"changed": name is not None, "exists": False}


def _created(state: State, options: Options) -> str:
    name = str(options["name"])
    if not options["path"]:
        raise ModuleFailure(f"Service '{name}' is not installed, need to set 'path' to create a new service")
    state["services"][name] = service(name, path=options["path"], exit_code=1077)
    return name


def _configure(machine: Machine, state: State, record: Record, options: Options) -> bool:
    before = dict(record)
    wanted = options["start_mode"]
    if wanted and wanted != start_mode(record):
        record["delayed"] = wanted == "delayed"
        record["start_mode"] = {"manual": "Manual", "disabled": "Disabled"}.get(wanted, "Auto")
    for key in ("display_name", "path", "description"):
        if options[key]:
            record[key] = options[key]
    if options["username"]:
        _set_account(machine, state, record, options["username"])
    return record != before or bool(options["password"] and options["update_password"] == "always")


def _set_account(machine: Machine, state: State, record: Record, username: str) -> None:
    wanted = accounts.sid_of(machine, state, username)
    if wanted is None:
        raise ModuleFailure("Some or all identity references could not be translated.")
    if wanted == accounts.sid_of(machine, state, record["start_name"]):
        return
    record["start_name"] = "LocalSystem" if wanted == SYSTEM else username
    # the service control manager sets the flag when the account is set without a password (None: never set)
    record["managed_account"] = username.endswith("$") or None


def _actions(record: Record, wanted: str | None) -> tuple[str, ...]:
    running = record["state"] == "Running"
    if wanted == "restarted":
        return ("stop", "start") if running else ("start",)
    if wanted == "started" and not running:
        return ("start",)
    if wanted == "stopped" and record["state"] != "Stopped":
        return ("stop",)
    if wanted == "paused" and record["state"] != "Paused":
        raise ModuleFailure("failed to pause service: The service does not support pausing")
    return ()


def _perform(record: Record, action: str) -> None:
    if action == "stop":
        record.update(state="Stopped", process_id=0, exit_code=0)
        return
    if record["start_mode"] == "Disabled":
        raise _cannot_start(record)
    record.update(state="Running", process_id=1000 + secrets.randbelow(60000), exit_code=0)


def _tell(machine: Machine, name: str, actions: tuple[str, ...], *, account_changed: bool) -> None:
    if account_changed:
        programs.tell_service(machine, name, "account")
    for action in actions:
        programs.tell_service(machine, name, action)
    record = machine.read()["services"][name]
    if "start" in actions and record["state"] != "Running":
        raise _cannot_start(record)


def _cannot_start(record: Record) -> ModuleFailure:
    shown = record["display_name"]
    return ModuleFailure(
        f"Unhandled exception while executing module: Service '{shown}' cannot be started due to the following "
        f"error: Cannot start service on computer '.'."
    )


def _shown(machine: Machine, name: str, record: Record) -> Result:
    state = STATES[record["state"]].replace("_", "")
    return {
        "exists": True,
        "name": name,
        "display_name": record["display_name"],
        "description": record.get("description"),
        "state": {"started": "running"}.get(state, state),
        "start_mode": start_mode(record),
        "path": record["path"],
        "username": record["start_name"],
        "desktop_interact": False,
        "dependencies": [],
        "depended_by": [],
        "can_pause_and_continue": False,
    }


def win_service_info(machine: Machine, call: Call, options: Options) -> Result:
    """Describe one service or all."""
    state, wanted = machine.read(), options["name"]
    names = [find(state, wanted)] if wanted else list(state["services"])
    found = [_info(name, state["services"][name]) for name in names if name is not None]
    return {"changed": False, "exists": bool(found), "services": found}


def _info(name: str, record: Record) -> Result:
    return {
        "name": name,
        "display_name": record["display_name"],
        "description": record.get("description"),
        "state": STATES[record["state"]],
        "start_mode": start_mode(record),
        "path": record["path"],
        "username": record["start_name"],
        "process_id": record["process_id"],
        "win32_exit_code": record["exit_code"],
        "service_exit_code": record["service_exit_code"],
        "controls_accepted": ["stop", "shutdown"] if record["state"] == "Running" else [],
        "dependencies": [],
        "dependency_of": [],
        "service_type": "win32_own_process",
    }


STAND_INS = (
    ModuleStandIn(
        "ansible.windows.win_service", win_service, "a service's account, start mode and state; tells the product"
    ),
    ModuleStandIn("ansible.windows.win_service_info", win_service_info, "what win_service_info returns, in part"),
)
