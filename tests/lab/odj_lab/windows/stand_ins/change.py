# SPDX-License-Identifier: GPL-3.0-or-later
"""hybridjoin.odj.odj_server_change: the three operations as odj_server_change.yml says."""

from __future__ import annotations

import base64
import binascii
import re

from odj_lab.store import State
from odj_lab.windows import filesystem, registry
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.files import digest
from odj_lab.windows.stand_ins.probe_network import account_state
from odj_lab.windows.stand_ins.probing import FULL
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, Refused, WindowsError

CAN_INSTALL, INSTALLED = 4, 5
FENCE = r"HKLM\SOFTWARE\hybridjoin.odj"


def odj_server_change(machine: Machine, call: Call, options: Options) -> Result:
    """Carry out one operation."""
    name = options["operation"]
    operations = {
        "replace_file": _replace_file,
        "use_service_account": _use_account,
        "release_service_account": _release_account,
    }
    try:
        with machine.planned(f"odj_server_change {name}", check_mode=call.check_mode) as state:
            if state["language_mode"] != FULL:
                raise Refused("LanguageMode", "this change needs full language mode")
            if options["fence"]:
                _demand_fence(state, options["fence"], check_mode=call.check_mode)
            return operations[name](state, call, options)
    except WindowsError as error:
        raise ModuleFailure(str(error), error=error.answer()) from error


def _demand(options: Options, *names: str) -> None:
    for name in names:
        if not options[name]:
            raise Refused("BadArgument", f"{name} is needed")


def _demand_fence(state: State, fence: Options, *, check_mode: bool) -> None:
    run, epoch = fence["run"], fence["epoch"]
    if not run or epoch < 1:
        raise Refused("BadArgument", "a fence has a run and an epoch of 1 or more")
    seen, other = ((registry.value(state, FENCE, name) or {}).get("data") for name in ("Epoch", "Run"))
    if epoch < (seen or 0) or (epoch == seen and run != other):
        raise Refused("Fenced", f"the run {other} (epoch {seen}) has begun to work on this server; nothing was changed")
    if not check_mode:
        registry.put(state, FENCE, "Run", "String", run)
        registry.put(state, FENCE, "Epoch", "QWord", epoch)


def _replace_file(state: State, call: Call, options: Options) -> Result:
    _demand(options, "path", "expected_sha256", "backup_path")
    if options["content"] is None:
        raise Refused("BadArgument", "content is needed")
    path, backup = options["path"], options["backup_path"]
    if filesystem.parent(backup).casefold() != filesystem.parent(path).casefold():
        raise Refused("BadArgument", "backup_path must be in the same directory as path")
    try:
        data = base64.b64decode(options["content"], validate=True)
    except binascii.Error as error:
        raise Refused("BadArgument", "content is not base64") from error
    before = filesystem.content(state, path)
    sddl = (filesystem.entry(state, path) or {})["sddl"]
    hashes = {"before_sha256": digest(before, "sha256"), "after_sha256": digest(before, "sha256")}
    answer: Result = {"changed": False, "stale": False, "backup_path": backup, **hashes}
    answer |= {"sddl_before": sddl, "sddl_after": sddl, "backups_removed": [], "backups_not_removed": []}
    if hashes["before_sha256"] != options["expected_sha256"]:
        return {**answer, "stale": True}
    if call.check_mode:
        return {**answer, "changed": True}
    if filesystem.find(state, backup):
        raise Refused("BackupExists", f"{backup} is already there")
    filesystem.put(state, backup, before)
    filesystem.put(state, path, data)
    removed = _old_backups(state, path, options["keep_backups"])
    for old in removed:
        filesystem.remove(state, old)
    return {**answer, "changed": True, "after_sha256": digest(data, "sha256"), "backups_removed": removed}


def _old_backups(state: State, path: str, keep: int) -> list[str]:
    pattern = re.compile(re.escape(path) + r"\.[0-9]{8}T[0-9]{6}Z\.bak", re.IGNORECASE)
    found = sorted(name for name in state["files"] if pattern.fullmatch(name))
    return found[: len(found) - keep] if keep > 0 else []


def _account(state: State, call: Call, options: Options) -> int:
    _demand(options, "name")
    if not call.is_system:
        text = "the query for the account needs a logon that can ask a domain controller; run as SYSTEM"
        raise Refused("NoCredentials", text)
    return account_state(state, options["name"])


def _use_account(state: State, call: Call, options: Options) -> Result:
    before = _account(state, call, options)
    answer = {"changed": before != INSTALLED, "state_before": before, "state_after": before}
    if before == INSTALLED or call.check_mode:
        return answer
    if before != CAN_INSTALL:
        text = f"the account is in state {before} on this server; it must exist and be linked to this computer (4 or 5)"
        raise Refused("NotUsable", text)
    return {**answer, "state_after": _write(state, options["name"], INSTALLED)}


def _release_account(state: State, call: Call, options: Options) -> Result:
    before = _account(state, call, options)
    answer = {"changed": before == INSTALLED, "state_before": before, "state_after": before}
    if before != INSTALLED or call.check_mode:
        return answer
    return {**answer, "state_after": _write(state, options["name"], CAN_INSTALL)}


def _write(state: State, name: str, value: int) -> int:
    key = next((k for k in state["accounts"] if k.casefold() == name.casefold()), name)
    state["accounts"].setdefault(key, {})["state"] = value
    return value


STAND_INS = (
    ModuleStandIn("hybridjoin.odj.odj_server_change", odj_server_change, "replaces a file; account in and out of use"),
)
