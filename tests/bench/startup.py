# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the time of one task on the controller goes before it does anything; ``make bench-startup``.

Each task is refused for its options before anything is opened, so all of its time is start-up. Shown are what one more
such task costs a play (the difference of a play with many of them and a play with one), and what the program that
Ansible makes of the module costs alone, by what it imports (self times of ``python -X importtime``, which slows it
down: they tell shares). Processor seconds, and the least of ODJ_BENCH_RUNS runs, which other work disturbs least.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import zipfile
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path

ROOT = Path(os.environ["ODJ_ROOT"])
RUNS = int(os.environ.get("ODJ_BENCH_RUNS") or 5)
MANY = 5  # tasks of the long play
UNITS = {"organizational_units": ["OU=Autopilot,DC=contoso,DC=com"]}
# Refused by the module itself, not by Ansible's look at the arguments.
TASKS: dict[str, dict[str, object]] = {
    "odj_organizational_unit_info": {**UNITS, "server": "dc1:x"},
    "odj_ou_delegate": {**UNITS, "accounts": ["gmsaODJ$"], "server": "dc1:x"},
    "odj_msa": {"name": "msaODJ1", "server": "dc1:x"},
    "odj_connector_info": {},
}
_IMPORT = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")
_PAYLOAD = re.compile(r'ZIPDATA = ?"""([^"]+)"""|zip_data=[\'"]([^\'"]+)|ZIPDATA = ?[\'"]([^\'"]+)')
# What imports are counted under; the first that fits.
_OWNERS = (
    ("ours", "ansible_collections"),
    ("ansible", "ansible"),
    ("ldap3", "ldap3"),
    ("ldap3", "pyasn1"),
    ("dns", "dns"),
    ("gssapi", "gssapi"),
    ("msal", "msal"),
    ("msal", "jwt"),
    ("requests", "requests"),
    ("requests", "urllib3"),
    ("cryptography", "cryptography"),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="odj-startup-") as scratch:
        tree = Path(scratch) / "ansible_collections" / "hybridjoin"
        tree.mkdir(parents=True)
        (tree / "odj").symlink_to(ROOT)
        bench = Bench(Path(scratch))
        print(f"processor seconds, the least of {RUNS} runs")
        for module, options in TASKS.items():
            bench.show(module, options)
    return 0


class Bench:
    """Runs plays below a directory of its own."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        given = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
        self._environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": f"{scratch}:{given}",
            "ANSIBLE_REMOTE_TMP": str(scratch / "remote"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "PYTHONPATH": "",
        }

    def show(self, module: str, options: dict[str, object]) -> None:
        one, many = (least(partial(self._play, module, options, count)) for count in (1, MANY))
        program = self._program(module, options)
        alone = least(partial(self._run, [sys.executable, str(program)]))
        bare = least(partial(self._run, [sys.executable, "-c", "pass"]))
        files, size = contents(program)
        print(f"\n{module}: {(many - one) / (MANY - 1):.2f} for one more task of a play")
        print(f"  the program alone {alone:.2f}, an empty one {bare:.2f}; {files} files, {size / 1024:.0f} kB")
        print(f"  imports: {', '.join(f'{name} {share:.2f}' for name, share in self._imports(program))}")

    def _play(self, module: str, options: dict[str, object], count: int, **environment: str) -> None:
        task = {f"hybridjoin.odj.{module}": options, "ignore_errors": True}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [task] * count}
        file = self._scratch / "play.yml"
        file.write_text(json.dumps([play]), encoding="utf-8")
        words = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local"]
        interpreter = f"ansible_python_interpreter={sys.executable}"
        said = self._run([*words, "-e", interpreter, str(file)], **environment)
        if f"ignored={count}" not in said or '"tried"' not in said:
            raise SystemExit(said)

    def _program(self, module: str, options: dict[str, object]) -> Path:
        """Return the file that Ansible makes of the module and its arguments."""
        kept = self._scratch / "kept" / module
        self._play(module, options, 1, ANSIBLE_KEEP_REMOTE_FILES="1", ANSIBLE_REMOTE_TMP=str(kept))
        (program,) = kept.rglob("AnsiballZ_*.py")
        return program

    def _imports(self, program: Path) -> list[tuple[str, float]]:
        def once() -> Counter[str]:
            said = self._run([sys.executable, "-X", "importtime", str(program)])
            shares: Counter[str] = Counter()
            for microseconds, name in _IMPORT.findall(said):
                top = name.partition(".")[0]
                shares[next((owner for owner, start in _OWNERS if top == start), "standard library")] += int(
                    microseconds
                )
            return shares

        runs = [once() for __ in range(RUNS)]
        names = sorted({name for run in runs for name in run}, key=lambda name: -runs[0][name])
        return [(name, min(run[name] for run in runs) / 1e6) for name in names]

    def _run(self, words: Sequence[str], **environment: str) -> str:
        done = subprocess.run(
            words, env={**self._environment, **environment}, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def least(work: Callable[[], object]) -> float:
    """Return the fewest processor seconds that it takes; it is done once before, to warm up."""
    work()
    times = []
    for __ in range(RUNS):
        start = spent()
        work()
        times.append(spent() - start)
    return min(times)


def spent() -> float:
    """Return the processor seconds of all programs that have ended, theirs too."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def contents(program: Path) -> tuple[int, int]:
    """Return how many files the zip in the program holds, and its bytes."""
    found = _PAYLOAD.search(program.read_text(encoding="utf-8"))
    if not found:
        return 0, program.stat().st_size
    data = b64decode(next(filter(None, found.groups())))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return len(archive.namelist()), len(data)


if __name__ == "__main__":
    sys.exit(main())
