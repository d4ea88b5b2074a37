# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw PowerShell that action plugins send: what win_reboot asks, and the removal of temporary directories."""

from __future__ import annotations

import json
import re

from odj_lab.windows import filesystem
from odj_lab.windows.boot import call_off, is_scheduled, schedule_reboot
from odj_lab.windows.machine import Machine, filetime
from odj_lab.windows.payload import Call
from odj_lab.windows.shells import Output
from odj_lab.windows.stand_ins import commands
from odj_lab.windows.stand_ins.table import TextStandIn, printed

SHUTDOWN = r"shutdown\.exe /r /t (\d+)"
REMOVE = (
    r"^(?:Set-StrictMode[^\n]*\n)?Remove-Item ('([^']+)'|\S+) -Force"  # quoted always by core 2.19, at need by 2.21
)
ALREADY_SCHEDULED, NONE_SCHEDULED = 1190, 1116


def boot_time(machine: Machine, call: Call) -> Output:
    """Print the boot time as a FILETIME."""
    return printed(str(filetime(machine.read()["boot_time"])))


def restart(machine: Machine, call: Call) -> Output:
    """Plan the reboot and print what shutdown.exe left, as win_reboot wraps it."""
    found = re.search(SHUTDOWN, call.name)
    with machine.edit("shutdown.exe /r") as state:
        scheduled = is_scheduled(state)
        if found and not scheduled:
            schedule_reboot(state, float(found[1]))
    stderr = f"A system shutdown has already been scheduled.({ALREADY_SCHEDULED})" if scheduled else ""
    rc = ALREADY_SCHEDULED if scheduled else 0
    return printed(json.dumps({"stdout": "", "stderr": stderr, "rc": rc}))


def abort(machine: Machine, call: Call) -> Output:
    """Take a planned reboot back."""
    with machine.edit("shutdown.exe /a") as state:
        planned = is_scheduled(state)
        call_off(state)
    return Output(rc=0 if planned else NONE_SCHEDULED)


def ready(machine: Machine, call: Call) -> Output:
    """Print the word that win_reboot waits for once the logon screen is there."""
    found = re.search(r"'(success-[0-9a-f-]+)'", call.name)
    return printed(found[1] if found else "")


def remove(machine: Machine, call: Call) -> Output:
    """Remove a path."""
    found = re.search(REMOVE, call.name)
    if found:
        path = found[2] or found[1]
        with machine.edit(f"remove {path}") as state:
            filesystem.remove(state, path)
    return Output()


def program(machine: Machine, call: Call) -> Output:
    """Run one of the programs of Windows that the lab knows."""
    text = re.split(r";\s*If \(-not \$\?\)", call.name)[0].strip()
    found = commands.find(text)
    if found is None:
        return Output(stderr=f"The lab has no stand-in for this raw command: {text}\r\n".encode(), rc=1)
    ran = found(machine, text)
    return Output(ran.stdout.encode(), ran.stderr.encode(), ran.rc)


STAND_INS = (
    TextStandIn("boot time", boot_time, "win_reboot, before and after", r"LastBootUpTime\.ToFileTime\(\)"),
    TextStandIn("shutdown.exe /r", restart, "win_reboot: plans the reboot", SHUTDOWN),
    TextStandIn("shutdown.exe /a", abort, "win_reboot: takes it back", r"shutdown\.exe /a"),
    TextStandIn("logon screen", ready, "win_reboot: ready again?", r"Winlogon\\AutoLogonChecked.*'success-"),
    TextStandIn("Remove-Item", remove, "removal of a temporary path", REMOVE),
    TextStandIn("whoami", program, "who is signed in", r"^\W*(C:\\Windows\\System32\\)?whoami"),
    TextStandIn(
        "sc.exe managedaccount", program, "flag of a service", r"^\W*(C:\\Windows\\System32\\)?sc\.exe q?managed"
    ),
)
