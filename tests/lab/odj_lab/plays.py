# SPDX-License-Identifier: GPL-3.0-or-later
"""Running playbooks against a lab with the unmodified ansible-playbook, as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from odj_lab import warm_ansible
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
    warm: bool = False,
) -> Play:
    """Run a playbook with the lab's inventory.

    Args:
        lab: The lab.
        playbook: Its path, or its name in a collection.
        words: Further words of the command.
        variables: Given with ``-e``.
        on_line: Called with each line as it comes.
        warm: Fork an Ansible that is imported already, in place of starting ansible-playbook by its name.

    """
    extra = ["-e", json.dumps(variables)] if variables else []
    command = [str(word) for word in (playbook, "-i", lab.home / "inventory.yml", *words, *extra)]
    environment = {
        **os.environ,
        "ANSIBLE_LOCAL_TEMP": str(lab.home / "ansible"),
        "ANSIBLE_HOME": str(lab.home / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    start = warm_ansible.run if warm else _start
    code, output = start("ansible-playbook", command, environment, on_line)
    return Play(code, output, recap_of(output))


def _start(
    program: str, words: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], None]
) -> tuple[int, str]:
    lines = []
    with subprocess.Popen(
        [str(Path(sys.executable).with_name(program)), *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            on_line(line.rstrip("\n"))
    return process.returncode, "".join(lines)


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """Read the recap at the end of what ansible-playbook printed."""
    found = re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.MULTILINE)
    return {host: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in found}
