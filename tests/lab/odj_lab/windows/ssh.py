# SPDX-License-Identifier: GPL-3.0-or-later
"""The same server by ssh: an sshd of its own on port 22022 whose forced command answers like the WS-Man side.

It needs OpenSSH's sshd and knows one key (`ssh/client` in the lab's home); the login name is the one of the account
that runs the lab. It ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from odj_lab import processes
from odj_lab.settings import Lab
from odj_lab.windows.machine import Machine

PORT = 22022
PATIENCE = 300  # seconds for what takes a fraction of one
SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/sbin"


def sshd_path() -> str | None:
    """Return where sshd is installed, or None."""
    return shutil.which("sshd") or shutil.which("sshd", path=SYSTEM_PATH)


def login_name() -> str:
    """Return the name to sign in with."""
    return getpass.getuser()


def client_key(lab: Lab) -> Path:
    """Return the private key that clients of this lab use, made when missing."""
    return _key(lab.home / "ssh" / "client")


def records_dir(lab: Lab) -> Path:
    """Return the directory of the files that name each sshd."""
    return lab.home / "run"


def stop_leftovers(lab: Lab) -> None:
    """End what a killed daemon has left listening."""
    for path in records_dir(lab).glob("sshd-*.pid"):
        if process := processes.recorded(path):
            processes.stop(process)
        path.unlink(missing_ok=True)


def _key(path: Path) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hybridjoin.odj lab", "-f", str(path)], check=True
        )
    return path


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text(encoding="ascii").split()] if path.exists() else []


class SshDaemon:
    """One sshd for one server."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Start sshd and return when it listens; without sshd on this system do nothing.

        Raises:
            OSError: It does not come up; the log beside its configuration says why.

        """
        program = sshd_path()
        if not program or self._process:
            return
        config = self._configure()
        together = shutil.which("setpriv")  # so that sshd ends with us, whatever happens
        prefix = [together, "--pdeathsig", "TERM"] if together else []
        self._process = subprocess.Popen(
            [*prefix, program, "-D", "-f", str(config), "-E", str(config.with_name("sshd.log"))],
            stdin=subprocess.DEVNULL,
        )
        processes.record(records_dir(self._machine.lab) / f"sshd-{self._machine.name}.pid", self._process.pid)
        self._wait(config)

    def close(self) -> None:
        """End sshd and the sessions that it serves."""
        if self._process:
            for session in _children(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(session, signal.SIGTERM)
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def _wait(self, config: Path) -> None:
        address = self._machine.lab.server_address(self._machine.name), PORT
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit and self._process and self._process.poll() is None:
            try:
                socket.create_connection(address, 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.close()
        raise OSError(f"sshd of {self._machine.name} does not listen on {address[0]}:{PORT}, see {config.parent}")

    def _configure(self) -> Path:
        lab, name = self._machine.lab, self._machine.name
        directory = lab.server_dir(name) / "ssh"
        host_key = _key(directory / "host")
        public = client_key(lab).with_suffix(".pub").read_text(encoding="utf-8").strip()
        paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
        words = ["env", f"PYTHONPATH={paths}", sys.executable, "-m", "odj_lab.windows.ssh_command", str(lab.home), name]
        command = shlex.join(words).replace('"', '\\"')
        keys = directory / "authorized_keys"
        keys.write_text(f'restrict,command="{command}" {public}\n', encoding="utf-8")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        lines = [
            f"ListenAddress {lab.server_address(name)}:{PORT}",
            f'HostKey "{host_key}"',
            f'AuthorizedKeysFile "{keys}"',
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin forced-commands-only",
            f"AllowUsers {login_name()}",
            "PrintMotd no",
        ]
        config = directory / "sshd_config"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return config
