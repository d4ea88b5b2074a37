# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets up what a job needs and does it; tests/tools/run calls this with the job and its words.

It uses nothing but Python itself, because it runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import typing as t
from collections.abc import Callable, Sequence
from pathlib import Path

import gate
import nightly
import places
import report
from cache import KEPT_DAYS, Cache
from processes import Failed
from scheduler import Phase, Run, State, choose
from workshop import COLLECTIONS, Workshop, processors

ROOT = Path(__file__).resolve().parents[2]


def main(job: str, words: Sequence[str]) -> int:
    """Do a job; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        cache = Cache(places.cache(os.environ))
        os.environ["ODJ_CACHE"] = str(cache.top)
        if job in ("test", "nightly"):
            return _table(cache, gate.phases if job == "test" else nightly.phases)
        if job == "newer-samba":
            return _newer_samba(cache, words)
        return _in_main_environment(cache, job, words)
    except Failed as failure:
        print(f"Stopped: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing is left running.", file=sys.stderr)
        return 130


def _stop(_number: int, _frame: object) -> None:
    """Stop at the first signal; those after it find the cleaning under way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(line, flush=True)


def _table(cache: Cache, phases: Callable[[Workshop], list[Phase]]) -> int:
    """Run a table of phases; the last line that it says is the count."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="odj-") as scratch:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{scratch}/hypothesis"
        shop = Workshop(ROOT, cache, Path(scratch))
        shop.copy_tree()
        chosen = choose(phases(shop), os.environ.get("ODJ_ONLY", ""), shop.phases())
        if not chosen:
            raise Failed(f"no phase has {os.environ['ODJ_ONLY']!r} in its name")
        run = _run(cache, chosen)
        lines = report.summary(run.outcomes.values(), shop.plays)
    states = {outcome.state for outcome in run.outcomes.values()}
    refused = State.SKIPPED in states and bool(os.environ.get("ODJ_NO_SKIPS"))
    if refused:
        _say("Failed: ODJ_NO_SKIPS is set, and a phase was skipped")
    _say(f"It took {time.monotonic() - begun:.0f} s on {processors()} processors")
    _say("\n".join(lines))
    return 1 if refused or State.FAILED in states else 0


def _run(cache: Cache, phases: Sequence[Phase]) -> Run:
    """Run phases. The output of all of them stays for a while when one fails."""
    for name in cache.tidy():
        _say(f"{name} is deleted: nobody has used it for {KEPT_DAYS} days")
    logs = cache.new_logs()
    run = Run(phases, processors(), logs, _say)
    try:
        run.carry_out()
    finally:
        if any(outcome.state is State.FAILED for outcome in run.outcomes.values()):
            _say(f"All that was printed is in {logs}")
        else:
            shutil.rmtree(logs, ignore_errors=True)
    return run


def _in_main_environment(cache: Cache, job: str, words: Sequence[str]) -> int:
    """Become the program of a job that runs in the main environment."""
    with tempfile.TemporaryDirectory(prefix="odj-") as scratch:
        shop = Workshop(ROOT, cache, Path(scratch))
        run = _run(cache, choose(shop.phases(), COLLECTIONS))
    if any(outcome.state is not State.DONE for outcome in run.outcomes.values()):
        return 1
    return _become(shop, job, words)


def _become(shop: Workshop, job: str, words: Sequence[str]) -> t.NoReturn:
    python, lab = shop.bin(shop.main) / "python", ROOT / "tests" / "lab"
    os.environ.update(
        ODJ_ROOT=str(ROOT),
        ODJ_LAB_PYTHON=str(python),
        ODJ_LAB_CACHE=str(shop.lab_cache),
        ANSIBLE_COLLECTIONS_PATH=str(shop.collections),
    )
    program: list[str | Path] = [lab / "lab"]
    if job == "demo":
        program = [python, ROOT / "tests" / "tools" / "demo.py"]
    elif job.startswith("bench-"):
        os.environ["PYTHONPATH"] = str(lab)
        program = [python, ROOT / "tests" / "bench" / f"{job.removeprefix('bench-')}.py"]
    os.execv(program[0], [*map(str, program), *words])


def _newer_samba(cache: Cache, words: Sequence[str]) -> int:
    """Make a root directory with a newer Samba."""
    place = Path(words[0]) if words else cache.top / "newer-samba"
    run = _run(cache, nightly.newer_samba(place, *words[1:]))
    if any(outcome.state is not State.DONE for outcome in run.outcomes.values()):
        return 1
    _say(f"{place}: {(place / 'made-of').read_text().strip()}. Use it with LAB_CHROOT={place}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
