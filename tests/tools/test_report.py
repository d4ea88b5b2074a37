# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted, and the lines that close a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import report
from processes import Failed, Shell
from scheduler import Outcome, Phase, Result, State

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="2" tests="4" time="3">
<testcase classname="tests.unit.test_a" name="test_one" time="0.500" />
<testcase classname="tests.unit.test_a" name="test_two[x]" time="2.000" />
<testcase classname="tests.unit.test_b.TestIt" name="test_three" time="0.000">
  <skipped type="pytest.skip" message="no pwsh on PATH">a.py:1: no pwsh on PATH</skipped></testcase>
<testcase classname="tests.unit.test_c" name="test_four" time="0.000">
  <skipped type="pytest.skip" message="no pwsh on PATH">c.py:1: no pwsh on PATH</skipped></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(REPORT, encoding="utf-8")
    return path


def test_tests_are_counted_with_the_reasons_of_those_left_out(junit: Path) -> None:
    result = report.count([junit, junit])
    assert (result.passed, dict(result.skipped)) == (4, {"no pwsh on PATH": 4})
    assert result.words() == "4 passed, 4 skipped"
    assert result.slowest[0] == (2.0, "tests.unit.test_a::test_two[x]")


def test_a_report_without_a_test_that_passed_is_a_failure(tmp_path: Path) -> None:
    empty = tmp_path / "empty.xml"
    empty.write_text("<testsuites><testsuite/></testsuites>", encoding="utf-8")
    for reports in ([empty], []):
        with pytest.raises(Failed, match="no test ran"):
            report.count(reports)


def test_the_modules_that_tests_ran_in_are_known(junit: Path) -> None:
    assert report.ran([junit]) == {"tests.unit.test_a", "tests.unit.test_b.TestIt", "tests.unit.test_c"}


def outcome(name: str, state: State, result: Result | None = None) -> Outcome:
    def work(_shell: Shell) -> Result:
        raise AssertionError("it is over")

    return Outcome(Phase(name, work, 1), state, 1.0, result or Result(passed=0))


def test_the_last_line_counts(junit: Path, tmp_path: Path) -> None:
    outcomes = [
        outcome("units", State.DONE, report.count([junit])),
        outcome("lint", State.DONE, Result()),
        outcome("sanity", State.FAILED),
        outcome("other", State.SKIPPED),
        outcome("stopped", State.STOPPED),
    ]
    lines = report.summary(outcomes, tmp_path / "none")
    assert lines[-1] == "3 passed, 1 failed, 3 skipped"
    assert re.fullmatch(r"\d+ passed, \d+ failed, \d+ skipped", lines[-1])
    assert "       2    no pwsh on PATH" in lines
    assert "     2.0 s  tests.unit.test_a::test_two[x]  (units)" in lines


def test_ten_slow_tests_are_named_and_quick_ones_are_not(tmp_path: Path) -> None:
    slow = Result(slowest=[(float(n), f"test_{n}") for n in range(20, 0, -1)])
    named = [line for line in report.summary([outcome("a", State.DONE, slow)], tmp_path / "none") if "test_" in line]
    assert [line.split()[2] for line in named] == [f"test_{n}" for n in range(20, 10, -1)]
    quick = Result(slowest=[(0.01, "test_quick")])
    assert report.summary([outcome("a", State.DONE, quick)], tmp_path / "none") == ["1 passed, 0 failed, 0 skipped"]


def test_plays_are_counted_by_version(tmp_path: Path) -> None:
    log = tmp_path / "plays"
    log.write_text("2.9.1 playbook\n2.9.1 play\n2.9.1 play\n2.16.19 playbook\n2.16.19 play\n", encoding="ascii")
    lines = report.summary([], log)
    assert lines[:2] == [
        "ansible-core 2.9.1: 1 playbook with 2 plays ran in the lab",
        "ansible-core 2.16.19: 1 playbook with 1 play ran in the lab",
    ]
