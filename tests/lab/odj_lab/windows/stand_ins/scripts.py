# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper scripts of Ansible's winrm connection and PowerShell shell plugins."""

from __future__ import annotations

import base64
import hashlib
import json

from odj_lab.windows import filesystem
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.shells import Output
from odj_lab.windows.stand_ins.table import TextStandIn, printed


def make_temporary_directory(machine: Machine, call: Call) -> Output:
    """Make a directory and print its path."""
    path = filesystem.normal(f"{call.arguments['Directory']}\\{call.arguments['Name']}")
    with machine.edit(f"make {path}") as state:
        filesystem.make_directory(state, path)
    return printed(path)


def expand_user(machine: Machine, call: Call) -> Output:
    """Print a path with `~` replaced."""
    path = call.arguments["Path"]
    home = filesystem.ENVIRONMENT["userprofile"]
    return printed(home + path[1:] if path == "~" or path.startswith("~\\") else path)


def put_file(machine: Machine, call: Call) -> Output:
    """Write a file that comes as lines of base64, print its SHA-1."""
    data = b"".join(base64.b64decode(line) for line in call.data.split())
    with machine.edit(f"receive {call.arguments['Path']}") as state:
        filesystem.put(state, call.arguments["Path"], data)
    return printed(json.dumps({"sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest()}))


def fetch_file(machine: Machine, call: Call) -> Output:
    """Print a part of a file as base64."""
    state, path = machine.read(), call.arguments["Path"]
    if filesystem.find(state, path) is None:
        if filesystem.is_directory(state, path):
            return printed("[DIR]")
        return Output(stderr=f"{path} does not exist\r\n".encode(), rc=1)
    offset = int(call.arguments["Offset"])
    part = filesystem.content(state, path)[offset : offset + int(call.arguments["BufferSize"])]
    return printed(base64.b64encode(part).decode())


STAND_INS = (
    TextStandIn("powershell_mkdtemp.ps1", make_temporary_directory, "temporary directory of a task"),
    TextStandIn("powershell_expand_user.ps1", expand_user, "home directory in a path"),
    TextStandIn("winrm_put_file.ps1", put_file, "file to the server"),
    TextStandIn("winrm_fetch_file.ps1", fetch_file, "file from the server"),
)
