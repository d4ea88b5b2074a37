# SPDX-License-Identifier: GPL-3.0-or-later
"""The few programs of Windows itself that the lab knows, for win_command and raw."""

from __future__ import annotations

import re
import typing as t

from odj_lab.windows.machine import Machine
from odj_lab.windows.programs import ProgramResult
from odj_lab.windows.stand_ins import services

Program = t.Callable[[Machine, str], ProgramResult]
NO_SUCH_SERVICE = 1060


def whoami(machine: Machine, command_line: str) -> ProgramResult:
    """Print who is signed in."""
    return ProgramResult(0, f"{machine.name.lower()}\\ansible\r\n")


def managed_account(machine: Machine, command_line: str) -> ProgramResult:
    """`sc.exe managedaccount NAME true|false` and `sc.exe qmanagedaccount NAME`."""
    words = [word.strip('"') for word in command_line.split()[1:]]
    with machine.edit(f"sc {' '.join(words)}") as state:
        name = services.find(state, words[1])
        if name is None:
            text = "The specified service does not exist as an installed service."
            return ProgramResult(NO_SUCH_SERVICE, f"[SC] OpenService FAILED {NO_SUCH_SERVICE}:\r\n\r\n{text}\r\n")
        record = state["services"][name]
        if words[0].lower() == "managedaccount":
            record["managed_account"] = words[2].lower() == "true"
            return ProgramResult(0, "[SC] ChangeServiceConfig2 SUCCESS\r\n")
        shown = "TRUE" if record["managed_account"] else "FALSE"
    return ProgramResult(0, f"[SC] QueryServiceConfig2 SUCCESS\r\n\r\n        ACCOUNT MANAGED : {shown}\r\n")


PROGRAMS: tuple[tuple[str, Program], ...] = (
    (r'^"?(C:\\Windows\\System32\\)?whoami(\.exe)?"?\s*$', whoami),
    (r'^"?(C:\\Windows\\System32\\)?sc(\.exe)?"?\s+(managedaccount|qmanagedaccount)\s', managed_account),
)


def find(command_line: str) -> Program | None:
    """Return the program that a command line starts, or None."""
    return next((run for pattern, run in PROGRAMS if re.search(pattern, command_line, re.IGNORECASE)), None)
