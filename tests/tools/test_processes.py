# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands come to an end, with all that they have started, and what they printed is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import processes
import pytest
from processes import MARK, Failed, Shell, Stop, Stopped

LONG = 3600.0
# Starts two processes that outlive it, one of them in a session of its own.
ORPHANS = "setsid sleep 3600 >/dev/null 2>&1 & sleep 3600 >/dev/null 2>&1 & echo started"
Make = Callable[..., Shell]


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def shell(tmp_path: Path, stop: Stop) -> Iterator[Make]:
    shells = []

    def make(seconds: float = LONG) -> Shell:
        shells.append(Shell(f"{os.getpid()}.{tmp_path.name}", tmp_path / "log", stop, seconds))
        return shells[-1]

    yield make
    for made in shells:
        made.sweep()


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_what_it_printed_comes_back_and_is_logged(shell: Make, tmp_path: Path) -> None:
    both = "import sys; print('out', flush=True); print('error', file=sys.stderr)"
    assert shell().run(python(both), cwd=tmp_path) == "out\nerror\n"
    assert shell().run(python(both), cwd=tmp_path, answer=True) == "out\n"
    assert (tmp_path / "log").read_text(encoding="utf-8") == "out\nerror\nerror\nout\n"


def test_a_failure_tells_the_command_the_code_and_what_it_printed(shell: Make, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"(?s)^first\nsecond\n.*sys\.exit\(3\)\nended with exit code 3$"):
        shell().run(python("import sys; print('first'); print('second'); sys.exit(3)"), cwd=tmp_path)


def test_the_variables_are_those_of_this_process_and_those_that_are_given(shell: Make, tmp_path: Path) -> None:
    told = shell().run(["sh", "-c", 'echo "$PATH $MORE"'], cwd=tmp_path, env={"MORE": "x"})
    assert told == f"{os.environ['PATH']} x\n"


def test_who_takes_too_long_is_ended_and_what_it_printed_is_shown_as_text(shell: Make, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("so far so good\n", encoding="utf-8")
    with pytest.raises(Failed, match=r"^so far so good\nsleep was ended: it still ran after 0 s$"):
        shell(0.0).run(["sleep", "3600"], cwd=tmp_path)
    assert not processes.marked(f"{os.getpid()}.{tmp_path.name}")


def test_a_stop_ends_the_running_command(shell: Make, stop: Stop, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    made = shell()
    told: list[type[BaseException]] = []

    def run() -> None:
        try:
            made.run(["sh", "-c", f"echo > '{ready}'; exec sleep 3600"], cwd=tmp_path)
        except BaseException as error:
            told.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    ready.read_text(encoding="utf-8")
    stop.set()
    thread.join()
    assert told == [Stopped]
    assert not processes.marked(made.mark)
    with pytest.raises(Stopped):
        made.run(["true"], cwd=tmp_path)


def test_what_cleans_up_runs_even_after_a_stop(shell: Make, stop: Stop, tmp_path: Path) -> None:
    stop.set()
    assert shell(0.0).run(["echo", "wiped"], cwd=tmp_path, cleaning=True) == "wiped\n"


def test_orphans_are_found_and_ended(shell: Make, tmp_path: Path) -> None:
    made = shell()
    assert made.run(["sh", "-c", ORPHANS], cwd=tmp_path) == "started\n"
    assert made.sweep() == 2
    assert made.sweep() == 0


def test_who_names_the_directory_of_the_phase_belongs_to_it(shell: Make, tmp_path: Path) -> None:
    made = shell()
    made.own(tmp_path / "own")
    inside = str(tmp_path / "own" / "lab")
    daemon = subprocess.Popen(["sleep", "3600"], env={"LAB_HOME": inside})
    visitor = subprocess.Popen(["sleep", "3600"], env={"PWD": inside, "OTHER": str(tmp_path / "owner")})
    try:
        assert made.sweep() == 1
        assert daemon.wait() == -signal.SIGTERM
        assert visitor.poll() is None
    finally:
        for process in (daemon, visitor):
            process.kill()
            process.wait()


def test_children_that_lost_their_environment_are_found_by_descent(tmp_path: Path) -> None:
    mark = f"{os.getpid()}.{tmp_path.name}"
    parent = subprocess.Popen(
        ["sh", "-c", "env -i sleep 3600 & echo started; wait"],
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    assert parent.stdout.readline() == "started\n"
    found = processes.marked(mark)
    assert processes.end_marked(mark) >= len(found)
    parent.wait()
    assert parent.pid in found
    assert not any(Path(f"/proc/{pid}").exists() and _runs(pid) for pid in found)


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    mark = f"{os.getpid()}.{tmp_path.name}"
    deaf = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo started; while :; do sleep 3600; done"],
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert deaf.stdout
    assert deaf.stdout.readline() == "started\n"
    processes.end_marked(mark, grace=0.2)
    assert deaf.wait() == -9
    assert not processes.marked(mark)


def test_another_mark_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "3600"], env={**os.environ, MARK: f"{tmp_path.name}.2"})
    processes.end_marked(tmp_path.name)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_waiting_ends_with_a_stop_and_with_the_time(shell: Make, stop: Stop) -> None:
    with pytest.raises(Failed, match="still waited"):
        shell(0.0).pause(0.5)
    stop.set()
    with pytest.raises(Stopped):
        shell().pause(LONG)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
