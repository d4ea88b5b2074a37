# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as Automation Platform runs it: sent to a worker by ansible-runner, its events coming back.

The private data directory is laid out as AWX 24.6.1 does it (awx/main/tasks/jobs.py): options of the command line in a
file, answers of a survey as unsafe YAML, the inventory as a program that prints it, a copy of the project.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from odj_lab import inventory
from odj_lab.settings import Lab

pytestmark = pytest.mark.each_core

PROGRAMS = Path(sys.executable).parent
# A job template names a file of the project, so the collection's playbook is imported.
PLAYBOOK = """\
---
- name: Look at the fleet
  import_playbook: hybridjoin.odj.preflight
"""
EXTRA_VARIABLES = """\
---
awx_job_id: 1
odj_hosts: !unsafe odj_connector_servers
"""


class Job(t.NamedTuple):
    """What came back of a job: its exit code and state as runner writes them, and its events."""

    code: str
    status: str
    events: list[dict[str, t.Any]]

    def results(self) -> list[dict[str, t.Any]]:
        """Return the data of the tasks that ended well."""
        return [event["event_data"] for event in self.events if event["event"] == "runner_on_ok"]


def lay_out(lab: Lab, place: Path) -> None:
    """Write the private data directory of a job."""
    for folder in ("env", "inventory", "project"):
        (place / folder).mkdir(parents=True)
    words: list[str | Path] = [PROGRAMS / "ansible-inventory", "-i", inventory.path(lab), "--list"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    hosts = place / "inventory" / "hosts"
    hosts.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(json.loads(listed))!r})\n", encoding="utf-8")
    hosts.chmod(stat.S_IRWXU)
    (place / "project" / "look.yml").write_text(PLAYBOOK, encoding="utf-8")
    (place / "env" / "extravars").write_text(EXTRA_VARIABLES, encoding="utf-8")
    (place / "env" / "cmdline").write_text("-u root --diff", encoding="utf-8")
    (place / "env" / "settings").write_text(json.dumps({"suppress_ansible_output": True}), encoding="utf-8")


def carry_out(place: Path, scratch: Path) -> Job:
    """Send a job to a worker and take in what comes back, each by a process of its own, as on two machines."""
    came_back = scratch / "came-back"
    came_back.mkdir()
    variables = {**os.environ, "ANSIBLE_HOME": str(scratch / "ansible"), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    def runner(*words: str | Path, read: Path | None = None, write: Path) -> None:
        with Path(read or os.devnull).open("rb") as source, write.open("wb") as target:
            command: list[str | Path] = [PROGRAMS / "ansible-runner", *words]
            subprocess.run(command, stdin=source, stdout=target, cwd=scratch, env=variables, check=True)

    job, answer = scratch / "job", scratch / "answer"
    runner("transmit", place, "-p", "look.yml", "-i", "1", write=job)
    runner("worker", "--private-data-dir", scratch / "worker", read=job, write=answer)
    runner("process", came_back, "-i", "1", read=answer, write=scratch / "said")
    artifacts = came_back / "artifacts" / "1"
    files = sorted((artifacts / "job_events").glob("*.json"), key=lambda file: int(file.name.partition("-")[0]))
    events = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    code, status = ((artifacts / name).read_text(encoding="utf-8") for name in ("rc", "status"))
    return Job(code, status, events)


@pytest.fixture(scope="module")
def job(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Job:
    scratch = tmp_path_factory.mktemp("runner")
    inventory.write(lab)
    lay_out(lab, scratch / "private")
    return carry_out(scratch / "private", scratch)


def test_the_job_succeeds_and_changes_nothing(job: Job) -> None:
    assert (job.code, job.status) == ("0", "successful")
    recap = job.events[-1]["event_data"]
    assert recap["ok"]
    assert not any(recap[counter] for counter in ("changed", "dark", "failures"))


def test_each_server_tells_its_prerequisites_in_an_event(job: Job) -> None:
    told = {data["host"]: data["res"] for data in job.results() if data["task_action"] == "hybridjoin.odj.odj_prereqs"}
    assert sorted(told) == sorted(job.events[-1]["event_data"]["processed"])
    assert all(answer["prerequisites"] for answer in told.values())


def test_no_event_tells_a_password(lab: Lab, job: Job) -> None:
    told = json.dumps(job.events)
    assert not [account for account, password in lab.passwords.items() if password in told]
