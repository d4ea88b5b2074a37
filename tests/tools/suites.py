# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests: units on every version, whole plays in labs of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import nets
import report
from dependants import dependants
from processes import Failed, Shell
from scheduler import Result
from tree import Tree
from versions import CORES, Core
from workshop import Workshop

NETS = (78, *range(100, 150))
PLAYS = ("tests/integration/playbooks/test_site.py", "tests/integration/platform")
"""Where one play of each kind is (``each_core``): site to the sign-in and beyond, no change at all, preflight."""


def pytest(
    shop: Workshop,
    shell: Shell,
    python: Path,
    words: Sequence[str | Path],
    env: Mapping[str, str | Path] | None = None,
) -> Path:
    """Run pytest in the copy of the checkout; return its report."""
    tree, reports = shop.tree, shop.scratch / "reports"
    reports.mkdir(exist_ok=True)
    junit = reports / f"{shell.log.stem}.xml"
    places = ("tests", "tests/lab", "tests/tools")
    found = ":".join(map(str, [tree.top, *(tree.collection / place for place in places)]))
    options: list[str | Path] = ["-p", "no:cacheprovider", "--rootdir", tree.collection, f"--junit-xml={junit}"]
    variables: dict[str, str | Path] = {
        "HOME": shop.scratch,
        "PYTHONPATH": found,
        "ANSIBLE_COLLECTIONS_PATH": tree.top,
        **(env or {}),
    }
    shell.run([python, "-m", "pytest", *options, *words], cwd=tree.collection, env=variables)
    return junit


def powershell(shop: Workshop, shell: Shell) -> Result:
    """Look at the text of the two scripts, and run them where there is a pwsh."""
    # The tests run in a copy of the checkout, which has nothing beside it.
    beside = shop.root.parent / "shared" / "tools" / "pwsh" / "pwsh"
    env = {} if os.environ.get("ODJ_PWSH") or not beside.exists() else {"ODJ_PWSH": beside}
    return report.count([pytest(shop, shell, shop.bin("tools") / "python", ["tests/powershell"], env)])


def rooms(shop: Workshop, shell: Shell) -> Result:
    """See that each room imports only what it may."""
    return report.count([pytest(shop, shell, shop.bin(shop.main) / "python", ["tests/unit/test_rooms.py"])])


def tools(shop: Workshop, shell: Shell) -> Result:
    """Test what runs the tests."""
    return report.count([pytest(shop, shell, shop.bin("tools") / "python", ["tests/tools"])])


def units_by_ansible_test(shop: Workshop, core: Core, shell: Shell) -> Result:
    """Run all unit tests as ansible-test runs them."""
    python = shop.python_of(core)
    assert python
    tree = shop.tree.twin(shop.scratch / f"units-{core.version}")
    words = ["units", "--local", "--python", python.version, "--num-workers", "1"]
    shop.ansible_test(core).run(shell, tree, *words)
    return report.count((tree.collection / "tests" / "output" / "junit").glob("*.xml"))


def units_by_pytest(shop: Workshop, core: Core, shell: Shell) -> Result:
    """Run those unit tests that no other phase has shown to pass: all on a new Python, else Ansible's dependants."""
    python = shop.python_of(core)
    earlier = CORES[: CORES.index(core)]
    new_python = python not in [shop.python_of(other) for other in earlier]
    chosen: list[str | Path] = ["tests/unit"] if new_python else [*dependants(shop.tree)]
    if earlier:
        chosen += ["-m", "not once"]
    return report.count([pytest(shop, shell, shop.bin(core) / "python", chosen)])


def integration(
    shop: Workshop,
    core: Core,
    paths: Sequence[str],
    shell: Shell,
    *,
    workers: int = 1,
    only: str = "",
    **variables: str,
) -> Result:
    """Run integration tests on a core; one that was left out or skipped fails the phase.

    The tests bring labs up and take them away, one for each worker; of those that a killed worker leaves, the processes
    are ended with the phase and the files are gone with the run.
    """
    home = shop.scratch / f"l{CORES.index(core)}"  # short, because Unix sockets live below it
    shell.own(home)
    spread: list[str | Path] = ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
    with nets.Reservation(NETS) as net:
        names: dict[str, str | Path] = {
            "TMPDIR": home,
            "ODJ_LAB_NAME": "t",
            "ODJ_LAB_HOME": home,
            "ODJ_LAB_NET": net,
            "ODJ_LAB_PYTHON": shop.bin(shop.main) / "python",
            "ODJ_LAB_CACHE": shop.lab_cache,
            "ANSIBLE_CALLBACK_PLUGINS": shop.tree.collection / "tests" / "tools" / "callbacks",
            "ODJ_PLAYS": shop.plays,
            **variables,
        }
        words = [*spread, *(["-m", only] if only else []), "--basetemp", home / "p", *paths]
        junit = pytest(shop, shell, shop.bin(core) / "python", words, names)
        shell.sweep()
    seen = report.ran([junit])
    for file in _test_files(shop.tree, paths):
        dotted = ".".join(file.relative_to(shop.tree.collection).with_suffix("").parts)
        if not any(name == dotted or name.startswith(f"{dotted}.") for name in seen):
            raise Failed(f"{dotted} did not run")
    result = report.count([junit])
    if result.skipped:
        raise Failed(f"integration tests were skipped: {', '.join(result.skipped)}")
    return result


def _test_files(tree: Tree, paths: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        place = tree.collection / path
        yield from [place] if place.is_file() else sorted(place.rglob("test_*.py"))
