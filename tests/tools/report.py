# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells in the end: tests counted from pytest's reports, the slowest of them, plays, the closing line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from processes import Failed
from scheduler import Outcome, Result, State

SLOWEST = 10
"""How many tests are named for their time ..."""
SLOW_SECONDS = 0.1
"""... and what is too quick to be named."""


def count(reports: Iterable[Path]) -> Result:
    """Count the tests in pytest's JUnit reports.

    Raises:
        Failed: No test passed.

    """
    passed, skipped = 0, Counter[str]()
    times = []
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest has just written it
            times.append((float(case.get("time", "0")), f"{case.get('classname')}::{case.get('name')}"))
            left_out = case.find("skipped")
            if left_out is None:
                passed += 1
            else:
                skipped[re.sub(r"^Skipped: ", "", left_out.get("message") or "no reason")] += 1
    if not passed:
        raise Failed("no test ran")
    return Result(passed, skipped, sorted(times, reverse=True)[:SLOWEST])


def ran(reports: Iterable[Path]) -> set[str]:
    """Return the dotted names of the modules that tests ran in."""
    cases = [case for report in reports for case in ElementTree.parse(report).getroot().iter("testcase")]  # noqa: S314
    return {case.get("classname", "") for case in cases}


def count_plays(log: Path) -> dict[str, tuple[int, int]]:
    """Return by version of Ansible how many playbooks and plays ran; callbacks/count_plays.py has written them down."""
    playbooks, plays = Counter[str](), Counter[str]()
    if log.exists():
        for text in log.read_text(encoding="ascii").splitlines():
            version, __, what = text.partition(" ")
            (playbooks if what == "playbook" else plays)[version] += 1
    return {version: (playbooks[version], plays[version]) for version in sorted(playbooks, key=_numbers)}


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def summary(outcomes: Iterable[Outcome], plays: Path) -> list[str]:
    """Return the lines that close a run; the last one counts."""
    done = list(outcomes)
    lines = []
    times = [time for outcome in done for time in _times(outcome) if time[0] >= SLOW_SECONDS]
    if times:
        lines.append("The slowest tests:")
        lines += [f"  {seconds:6.1f} s  {name}" for seconds, name in sorted(times, reverse=True)[:SLOWEST]]
    inside = sum((Counter(outcome.result.skipped) for outcome in done), Counter[str]())
    if inside:
        lines.append("Tests that were left out:")
        lines += [f"  {number:6}    {reason}" for reason, number in inside.most_common()]
    for version, (playbooks, played) in count_plays(plays).items():
        told = f"{_number(playbooks, 'playbook')} with {_number(played, 'play')}"
        lines.append(f"ansible-core {version}: {told} ran in the lab")
    passed = sum(outcome.result.passed for outcome in done)
    failed = sum(outcome.state is State.FAILED for outcome in done)
    skipped = sum(outcome.state is State.SKIPPED for outcome in done) + sum(inside.values())
    return [*lines, f"{passed} passed, {failed} failed, {skipped} skipped"]


def _times(outcome: Outcome) -> list[tuple[float, str]]:
    return [(seconds, f"{name}  ({outcome.phase.name})") for seconds, name in outcome.result.slowest]
