# SPDX-License-Identifier: GPL-3.0-or-later
"""The forced command of a server's sshd: `python -m odj_lab.windows.ssh_command HOME SERVER`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from odj_lab.settings import Lab
from odj_lab.windows.executor import execute, report
from odj_lab.windows.machine import Machine, fault
from odj_lab.windows.payload import wants_input


def main(home: str, server: str) -> int:
    """Answer one ssh session and return its exit code."""
    machine = Machine(Lab.load(Path(home)), server)
    latency = fault(machine.read(), "latency")
    if latency:
        time.sleep(latency["ms"] / 1000)
    line = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    ran = execute(machine, line, sys.stdin.buffer.read() if wants_input(line) else b"")
    for stream, text in ((sys.stdout.buffer, ran.output.stdout), (sys.stderr.buffer, ran.output.stderr)):
        stream.write(text)
        stream.flush()
    report(machine, ran, {"ssh": 1})
    return ran.output.rc


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
