# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the modules stand on: playbooks that unmodified Ansible runs, and what each task of them did."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from odj_lab import plays
from odj_lab.product import accounts, builds, host, layout, programs, sign_in
from odj_lab.settings import Domain, Lab
from odj_lab.store import JsonStore, State

Json = dict[str, t.Any]
PROBE, CHANGE = "hybridjoin.odj.odj_server_probe", "hybridjoin.odj.odj_server_change"
SET_UP = r"C:\Windows\Temp\setup.exe"
OLD, NEW = "6.2501.2000.5", builds.NEWEST
KEPT = ("files", "directories", "registry", "services", "certificates", "user_rights", "product", "boot_time")


@dataclass(frozen=True)
class Step:
    """One task on one host: its result, the host's state right after it, and the names of what ran there for it."""

    outcome: str
    result: Json
    state: State
    ran: tuple[str, ...]

    @property
    def changed(self) -> bool:
        assert self.outcome == "ok", self.result.get("msg")
        return bool(self.result["changed"])

    @property
    def message(self) -> str:
        """What a failed task says."""
        assert self.outcome == "failed", self.result
        return str(self.result["msg"])

    @property
    def diff(self) -> tuple[str, str]:
        """The texts before and after of the only entry of the diff."""
        (entry,) = self.result["diff"]
        return entry["before"], entry["after"]

    @property
    def conditions(self) -> list[str]:
        """The kinds of the side conditions of the plan."""
        return [one["kind"] for one in self.result["plan"]["side_conditions"]]


def task(module: str, **options: t.Any) -> Json:
    """Return a task of the collection; it may fail."""
    return {"name": module, f"hybridjoin.odj.{module}": options, "diff": True, "ignore_errors": True}


def check(one: Json) -> Json:
    """Return a task in check mode."""
    return {**one, "check_mode": True}


def thrice(module: str, **options: t.Any) -> list[Json]:
    """Return a task in check mode, for real, and again."""
    one = task(module, **options)
    return [check(one), one, one]


def present(**options: t.Any) -> Json:
    """Return the options that install the newest build, with others where given."""
    return {"version": NEW, "checksum": builds.checksum(NEW), **options}


def unchanged(before: State, after: State) -> bool:
    """Say whether nothing differs that a module could change."""
    return all(before.get(key) == after.get(key) for key in KEPT)


@dataclass
class Stage:
    """A lab with the three servers of its first domain, and a place for playbooks."""

    lab: Lab
    scratch: Path
    output: str = field(default="", init=False)

    @property
    def domain(self) -> Domain:
        return self.lab.domains[0]

    def run(self, plays_of: list[Json], *words: str, **variables: object) -> dict[str, list[Step]]:
        """Run a playbook and return its steps by host; the exit code does not count, since tasks may fail."""
        playbook, record = self.scratch / "play.yml", self.scratch / "record.jsonl"
        playbook.write_text(json.dumps(plays_of), encoding="utf-8")
        record.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            others = os.environ.get("ANSIBLE_CALLBACK_PLUGINS", "")
            recorder = str(Path(__file__).with_name("recorder"))
            patch.setenv("ANSIBLE_CALLBACK_PLUGINS", os.pathsep.join(filter(None, [recorder, others])))
            patch.setenv("ODJ_RECORD", str(record))
            patch.setenv("ODJ_RECORD_SERVERS", str(self.lab.home / "servers"))
            self.output = plays.run(self.lab, playbook, *words, variables=variables, warm=True).output
        assert record.exists(), self.output
        return _steps(record)

    def tasks(self, server: str, tasks: list[Json], **variables: object) -> list[Step]:
        """Run tasks on one server and return their steps."""
        steps = self.run([{"hosts": server, "gather_facts": False, "tasks": tasks}], **variables)[server]
        assert len(steps) == len(tasks), self.output
        return steps

    def store(self, server: str = "odj01") -> JsonStore:
        return host.store(self.lab, server)

    def state(self, server: str = "odj01") -> State:
        return self.store(server).read()

    @contextmanager
    def change(self, server: str = "odj01") -> Iterator[State]:
        with self.store(server).edit("a scene is set") as state:
            yield state

    def put(self, path: str, content: bytes, server: str = "odj01") -> None:
        """Put a file on a server."""
        with self.change(server) as state:
            host.put_file(state, path, content)

    def install(self, build: str = NEW, server: str = "odj01") -> None:
        """Have a build installed as a person would have done it long ago."""
        self.put(SET_UP, builds.make_bootstrapper(build), server)
        assert programs.execute(self.lab, server, f"{SET_UP} /quiet").rc == 0
        with self.change(server) as state:
            del state["files"][SET_UP]


class Person:
    """Somebody who may sign in at connector servers.

    Attributes:
        made: The service accounts that this has made.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.made: list[accounts.ServiceAccount] = []

    def signs_in(self, server: str = "odj01") -> str:
        """Sign in and return the name of the service account as Windows writes it."""
        account = sign_in.sign_in(self._lab, server)
        self.made.append(account)
        return f"{self._lab.domain_of(server).netbios}\\{account['name']}$"


def _steps(record: Path) -> dict[str, list[Step]]:
    steps: dict[str, list[Step]] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        ran = tuple(entry["executions"])
        steps.setdefault(entry["host"], []).append(Step(entry["outcome"], entry["result"], entry["state"], ran))
    return steps


def content(state: State, path: str = layout.WIZARD_CONFIG) -> bytes | None:
    """Return what a file of a server holds."""
    return host.read_file(state, path)


def ssh_variables(lab: Lab) -> Json:
    """Return what makes Ansible come by ssh instead, with no connection kept for later."""
    from odj_lab.windows import ssh

    return {
        "ansible_connection": "ssh",
        "ansible_port": ssh.PORT,
        "ansible_user": ssh.login_name(),
        "ansible_shell_type": "powershell",
        "ansible_ssh_private_key_file": str(ssh.client_key(lab)),
        "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no",
        "ansible_ssh_args": "-o ControlMaster=no",
    }
