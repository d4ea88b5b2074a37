# SPDX-License-Identifier: GPL-3.0-or-later
"""win_user_right."""

from __future__ import annotations

from odj_lab.store import State
from odj_lab.windows import accounts
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure

# rights that exist in Windows; those that nobody holds have no entry in the state
KNOWN = {
    "SeBackupPrivilege",
    "SeBatchLogonRight",
    "SeDenyInteractiveLogonRight",
    "SeDenyNetworkLogonRight",
    "SeDenyServiceLogonRight",
    "SeInteractiveLogonRight",
    "SeNetworkLogonRight",
    "SeServiceLogonRight",
}


def win_user_right(machine: Machine, call: Call, options: Options) -> Result:
    """Add, remove or set who holds a right."""
    name, action = options["name"], options["action"]
    with machine.planned(f"win_user_right {name} {action}", check_mode=call.check_mode) as state:
        users = [_sid(machine, state, user) for user in options["users"]]
        if name not in KNOWN and name not in state["user_rights"]:
            raise ModuleFailure(f"the specified right {name} is not a valid right")
        before = list(state["user_rights"].get(name, []))
        add = [sid for sid in dict.fromkeys(users) if sid not in before and action != "remove"]
        gone = {"add": [], "remove": [s for s in before if s in users], "set": [s for s in before if s not in users]}
        after = [sid for sid in before if sid not in gone[action]] + add
        state["user_rights"][name] = after
        named = {sid: accounts.name_of(state, sid) for sid in {*before, *after, *users}}
        sid_names = state["sids"]
        sid_names.update({u: s for u, s in zip(options["users"], users, strict=True) if not accounts.SID.fullmatch(u)})
    result: Result = {
        "changed": bool(add or gone[action]),
        "added": [named[sid] for sid in add],
        "removed": [named[sid] for sid in gone[action]],
    }
    if call.diff:
        result["diff"] = {
            "before": {name: [named[sid] for sid in before]},
            "after": {name: [named[sid] for sid in after]},
        }
    return result


def _sid(machine: Machine, state: State, user: str) -> str:
    sid = accounts.sid_of(machine, state, user)
    if sid is None:
        raise ModuleFailure(f"Failed to translate the account '{user}' to a SID")
    return sid


STAND_INS = (ModuleStandIn("ansible.windows.win_user_right", win_user_right, "who holds a user right"),)
