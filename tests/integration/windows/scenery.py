# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the connector servers stand on: a lab of servers alone, and unmodified Ansible to ask them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hybridjoin.odj.tests.integration import nets
from odj_lab import warm_ansible
from odj_lab.settings import Lab
from odj_lab.store import State
from odj_lab.windows import ssh
from odj_lab.windows.machine import Machine

Json = dict[str, t.Any]
Start = t.Callable[[str, t.Sequence[str], t.Mapping[str, str]], tuple[int, str]]
Change = t.Callable[[str], t.ContextManager[State]]
NET = nets.net("servers")
SERVER = "odj01"
PATIENCE = 300  # seconds for what takes less than one
WAYS: dict[str, Json] = {
    "http-ntlm": {"ansible_port": 5985, "ansible_winrm_scheme": "http", "ansible_winrm_transport": "ntlm"},
    "https-basic": {"ansible_port": 5986, "ansible_winrm_scheme": "https", "ansible_winrm_transport": "basic"},
    "https-ntlm": {"ansible_port": 5986, "ansible_winrm_scheme": "https", "ansible_winrm_transport": "ntlm"},
}


@dataclass(frozen=True)
class Ran:
    """One ad-hoc task: the host's result, and what the run printed."""

    rc: int
    result: Json
    text: str


@dataclass
class Site:
    """The lab, and unmodified Ansible to ask it."""

    lab: Lab
    home: Path

    @property
    def machine(self) -> Machine:
        return Machine(self.lab, SERVER)

    def state(self) -> State:
        return self.machine.read()

    def executions(self) -> list[Json]:
        return self.machine.executions.entries()

    def ssh_variables(self) -> Json:
        """Return what makes Ansible come by ssh instead."""
        return {
            "ansible_connection": "ssh",
            "ansible_port": ssh.PORT,
            "ansible_user": ssh.login_name(),
            "ansible_shell_type": "powershell",
            "ansible_ssh_private_key_file": str(ssh.client_key(self.lab)),
            "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no",
            "ansible_control_path_dir": str(self.home / "cp"),
        }

    def until_listening(self, wanted: bool) -> None:
        """Wait until the server's port is open, or refuses."""
        limit = time.monotonic() + PATIENCE
        while listens() != wanted:
            if time.monotonic() > limit:
                raise AssertionError(f"the port should be {'open' if wanted else 'closed'} by now")
            time.sleep(0.02)

    def probe(self, *probes: Json, system: bool = False) -> Json:
        """Ask our probe module and return its answers."""
        numbered = [{"id": str(place), **probe} for place, probe in enumerate(probes)]
        become = ("--become", "--become-method", "runas", "--become-user", "SYSTEM") if system else ()
        ran = self.run("hybridjoin.odj.odj_server_probe", {"probes": numbered}, *become)
        if "answers" not in ran.result:
            raise AssertionError(ran.text)
        return t.cast(Json, ran.result["answers"])

    def value(self, probe: Json, *, system: bool = False) -> Json:
        """Ask one question and return the value of its answer."""
        answer = self.probe(probe, system=system)["0"]
        if not answer["ok"]:
            raise AssertionError(answer)
        return t.cast(Json, answer["value"])

    def run(
        self, module: str, arguments: Json | str | None = None, *flags: str, way: str = "https-ntlm", **more: t.Any
    ) -> Ran:
        """Run one ad-hoc task on the server, with an Ansible that is imported already."""
        return self._ran(warm_ansible.run, module, arguments, *flags, way=way, **more)

    def start(self, module: str, *flags: str, way: str, **more: t.Any) -> Ran:
        """Run one ad-hoc task on the server as a user does."""
        return self._ran(_start, module, None, *flags, way=way, **more)

    def _ran(
        self, start: Start, module: str, arguments: Json | str | None, *flags: str, way: str, **more: t.Any
    ) -> Ran:
        variables = {
            "ansible_connection": "winrm",
            "ansible_host": self.lab.server_address(SERVER),
            "ansible_user": "ansible",
            "ansible_password": self.lab.passwords["ansible"],
            "ansible_winrm_ca_trust_path": str(self.lab.ca_path),
            **WAYS.get(way, {}),
            **more,
        }
        passed = self.home / "variables.json"
        passed.write_text(json.dumps(variables), encoding="utf-8")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        command = [SERVER, "-i", f"{SERVER},", "-e", f"@{passed}", "-m", module, "-a", text, *flags]
        environment = {
            **os.environ,
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            "ANSIBLE_COLLECTIONS_PATH": collections_path(),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        code, output = start("ansible", command, environment)
        failed = {"failed": True} if "| FAILED! =>" in output else {}  # minimal output leaves the word out
        return Ran(code, {**_result(output), **failed}, output)


def _start(program: str, words: t.Sequence[str], environment: t.Mapping[str, str]) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name(program)), *words]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def collections_path() -> str:
    """Return where Ansible finds ansible.windows and this collection."""
    entries = [p for p in sys.path if (Path(p) / "ansible_collections" / "ansible" / "windows").is_dir()]
    ours = [p for p in sys.path if (Path(p) / "ansible_collections" / "hybridjoin" / "odj").is_dir()]
    return os.pathsep.join([os.environ.get("ANSIBLE_COLLECTIONS_PATH", ""), *ours, *entries]).strip(os.pathsep)


def _result(text: str) -> Json:
    start = text.find("=> {")
    return t.cast(Json, json.JSONDecoder().raw_decode(text[start + 3 :])[0]) if start >= 0 else {}


def listens() -> bool:
    """Say whether the server's HTTP port is open."""
    with socket.socket() as probe:
        return probe.connect_ex((f"{NET}.11", 5985)) == 0
