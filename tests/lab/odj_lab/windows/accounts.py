# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of accounts and their SIDs, as a server of the lab translates them."""

from __future__ import annotations

import re

from odj_lab.store import State
from odj_lab.windows.machine import Machine
from odj_lab.windows.programs import sid_in_directory

WELL_KNOWN = {
    "NT AUTHORITY\\SYSTEM": "S-1-5-18",
    "NT AUTHORITY\\LOCAL SERVICE": "S-1-5-19",
    "NT AUTHORITY\\NETWORK SERVICE": "S-1-5-20",
    "NT SERVICE\\ALL SERVICES": "S-1-5-80-0",
    "BUILTIN\\Administrators": "S-1-5-32-544",
    "BUILTIN\\Users": "S-1-5-32-545",
    "BUILTIN\\Backup Operators": "S-1-5-32-551",
}
SHORT = {"localsystem": "S-1-5-18", "system": "S-1-5-18", "administrators": "S-1-5-32-544", "users": "S-1-5-32-545"}
SID = re.compile(r"S-1(-\d+)+", re.IGNORECASE)


def sid_of(machine: Machine, state: State, account: str) -> str | None:
    """Return the SID of an account: a SID, a well-known name, one in the state's `sids`, or the directory's."""
    if SID.fullmatch(account):
        return account.upper()
    wanted = account.casefold()
    known = {name.casefold(): sid for name, sid in {**WELL_KNOWN, **state["sids"]}.items()}
    return known.get(wanted) or SHORT.get(wanted) or sid_in_directory(machine, account)


def name_of(state: State, sid: str) -> str:
    """Return the name of a SID, or the SID itself when nobody knows it."""
    known: dict[str, str] = {s: name for name, s in {**WELL_KNOWN, **state["sids"]}.items()}
    return known.get(sid, sid)
