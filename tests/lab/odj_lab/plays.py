# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks against a lab with the unmodified ansible-playbook, as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from odj_lab.settings import Lab


@dataclass(frozen=True, slots=True)
class Play:
    """How a playbook ended: exit code, all it printed, and the recap as host -> counter -> number."""

    code: int
    output: str
    recap: dict[str, dict[str, int]]

    def changed(self) -> dict[str, int]:
        """Return how many tasks changed something, by host."""
        return {host: counts["changed"] for host, counts in self.recap.items()}


def run(
    lab: Lab,
    playbook: str | Path,
    *words: str,
    variables: Mapping[str, object] | None = None,
    on_line: Callable[[str], None] = lambda __: None,
) -> Play:
    """Run a playbook with the lab's inventory; ``on_line`` is called with each line as it comes."""
    extra = ["-e", json.dumps(variables)] if variables else []
    command = [Path(sys.executable).with_name("ansible-playbook"), playbook, "-i", lab.home / "inventory.yml", *words]
    environment = {
        **os.environ,
        "ANSIBLE_LOCAL_TEMP": str(lab.home / "ansible"),
        "ANSIBLE_HOME": str(lab.home / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    lines = []
    with subprocess.Popen(
        [*map(str, command), *extra],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            on_line(line.rstrip("\n"))
    output = "".join(lines)
    return Play(process.returncode, output, recap_of(output))


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """Read the recap at the end of what ansible-playbook printed."""
    found = re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.MULTILINE)
    return {host: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in found}
