# SPDX-License-Identifier: GPL-3.0-or-later
"""When phases begin, what happens when one does not succeed, and what is said."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import processes
import pytest
import scheduler
from processes import Failed, Shell
from scheduler import NOTHING, Phase, Result, Run, Skipped, State, choose, priorities

Say = Callable[[str], None]


def passes(_shell: Shell) -> Result:
    return Result()


def phase(name: str, *needs: str, usual: float = 1, load: float = 1, work: Callable[[Shell], Result] = passes) -> Phase:
    return Phase(name, work, usual, needs, load)


def carry_out(phases: list[Phase], logs: Path, processors: int = 2, say: Say = lambda _line: None) -> Run:
    run = Run(phases, processors, logs, say)
    run.carry_out()
    return run


def states(run: Run) -> dict[str, str]:
    return {name: outcome.state.value for name, outcome in run.outcomes.items()}


def test_a_phase_begins_when_what_it_needs_is_done(tmp_path: Path) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[Shell], Result]:
        return lambda _shell: order.append(name) or Result()  # type: ignore[func-returns-value]

    phases = [phase("c", "a", "b", work=note("c")), phase("b", "a", work=note("b")), phase("a", work=note("a"))]
    carry_out(phases, tmp_path)
    assert order == ["a", "b", "c"]


def test_the_longest_way_to_the_end_goes_first(tmp_path: Path) -> None:
    phases = [
        phase("short", usual=5),
        phase("begin", usual=1),
        phase("long", "begin", usual=9),
        phase("middle", usual=7),
    ]
    assert priorities(phases) == {"short": 5, "begin": 10, "long": 9, "middle": 7}
    assert list(carry_out(phases, tmp_path, processors=1).outcomes) == ["begin", "long", "middle", "short"]


def test_no_more_run_at_once_than_there_are_processors(tmp_path: Path) -> None:
    lock, running, most = threading.Lock(), [0.0], [0.0]
    together = threading.Barrier(2)

    def work(load: float) -> Callable[[Shell], Result]:
        def take(_shell: Shell) -> Result:
            with lock:
                running[0] += load
                most[0] = max(most[0], running[0])
            if load == 1:
                together.wait()  # two of these run side by side, or the test never ends
            with lock:
                running[0] -= load
            return Result()

        return take

    loads = [1, 1, 1, 1, 1.5, 1000]
    run = carry_out([phase(f"{n}", load=load, work=work(load)) for n, load in enumerate(loads)], tmp_path)
    assert set(states(run).values()) == {"done"}
    assert most == [1000]  # what is larger than the computer runs alone, and nothing beside it
    assert running == [0]


def test_a_failure_stops_only_what_needs_it(tmp_path: Path) -> None:
    def fail(_shell: Shell) -> Result:
        raise Failed("broken\nfor good")

    said: list[str] = []
    run = carry_out([phase("a", work=fail), phase("b", "a"), phase("c", "b"), phase("d")], tmp_path, say=said.append)
    assert states(run) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "done"}
    assert "    broken\n    for good" in "\n".join(said)
    assert "skipped: a did not succeed" in "\n".join(said)


def test_a_phase_that_cannot_run_here_hands_on_its_reason(tmp_path: Path) -> None:
    def skip(_shell: Shell) -> Result:
        raise Skipped("there is no such Python")

    run = carry_out([phase("a", work=skip), phase("b", "a")], tmp_path)
    assert [outcome.text for outcome in run.outcomes.values()] == ["there is no such Python"] * 2


def test_a_mistake_in_the_gate_itself_is_a_failure(tmp_path: Path) -> None:
    def wrong(_shell: Shell) -> Result:
        raise ZeroDivisionError("oops")

    outcome = carry_out([phase("a", work=wrong)], tmp_path).outcomes["a"]
    assert (outcome.state, outcome.text) == (State.FAILED, "ZeroDivisionError: oops")


def test_the_end_of_a_long_output_is_shown(tmp_path: Path) -> None:
    def fail(shell: Shell) -> Result:
        shell.run(["sh", "-c", "seq 1000; exit 1"], cwd=tmp_path)
        return Result()

    said: list[str] = []
    carry_out([phase("a", work=fail)], tmp_path, say=said.append)
    shown = [line.strip() for line in said[1:]]
    assert shown[-3:] == ["1000", "sh -c seq 1000; exit 1", "ended with exit code 1"]
    assert len(shown) == 60
    assert len((tmp_path / "a.log").read_text(encoding="utf-8").splitlines()) == 1000


def test_nothing_is_said_of_what_was_there_already(tmp_path: Path) -> None:
    said: list[str] = []
    carry_out([phase("a", work=lambda _shell: NOTHING), phase("b")], tmp_path, say=said.append)
    assert len(said) == 1


def test_what_runs_is_named_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "NEWS_SECONDS", 0.01)
    named = threading.Event()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "running: " in line:
            named.set()

    def wait(_shell: Shell) -> Result:
        assert named.wait()
        return Result()

    carry_out([phase("a long one", work=wait)], tmp_path, say=say)
    assert "running: a long one (0 s)" in said[0]


def test_a_stop_ends_all_and_leaves_nothing_running(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    os.mkfifo(begun)

    def work(shell: Shell) -> Result:
        try:
            shell.run(["sh", "-c", f"setsid sleep 3600 & echo > '{begun}'; wait"], cwd=tmp_path)
        finally:
            shell.run(["touch", "cleaned"], cwd=tmp_path, cleaning=True)
        return Result()

    def interrupt(_shell: Shell) -> Result:
        begun.read_text(encoding="utf-8")
        return Result()

    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 1:
            raise KeyboardInterrupt

    run = Run([phase("long", work=work), phase("interrupt", work=interrupt)], 2, tmp_path, say)
    with pytest.raises(KeyboardInterrupt):
        run.carry_out()
    assert not processes.marked(f"{os.getpid()}.long")
    assert (tmp_path / "cleaned").exists()
    assert [line.split()[0] for line in said] == ["interrupt", "long"]


def test_no_phase_is_ended_before_ten_times_its_usual_time() -> None:
    assert phase("a", usual=1).limit == scheduler.LEAST_SECONDS
    assert phase("a", usual=400).limit == 4000


def test_a_choice_takes_along_what_it_needs() -> None:
    phases = [phase("environment"), phase("units, 1", "environment"), phase("units, 2", "environment"), phase("lint")]
    assert [chosen.name for chosen in choose(phases, "units, 2")] == ["environment", "units, 2"]
    assert choose(phases, "") == phases
    assert [chosen.name for chosen in choose(phases[1:2], "", phases[:1] + phases[3:])] == ["environment", "units, 1"]
    assert choose(phases, "nonsense") == []


def test_the_time_of_a_phase_is_told(tmp_path: Path) -> None:
    begin = time.monotonic()
    outcome = carry_out([phase("a")], tmp_path).outcomes["a"]
    assert 0 <= outcome.seconds <= time.monotonic() - begin
    assert scheduler.line(outcome).startswith("a ")
    assert scheduler.line(outcome).endswith(" s  1 passed")
