# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check and every test of the project; ``make test`` runs it.

ODJ_ONLY=text runs only the phases whose name holds the text.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from phases import Phase, PhaseFailed, PhaseSkipped, Tally, carry_out, count_tests, run

ROOT = Path(os.environ["ODJ_ROOT"])
CACHE = Path(os.environ["ODJ_CACHE"])
TOOLS = CACHE / "venv" / "tools" / "bin"
COLLECTIONS = CACHE / "collections"
CORES = ("2.19", "2.21")
LAB = {"ODJ_LAB_NAME": "test", "ODJ_LAB_NET": "127.0.78"}


class Tree:
    """A copy of the checkout where ansible-test wants it, below ansible_collections, with what we depend on beside."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.collection = top / "ansible_collections" / "hybridjoin" / "odj"
        self.collection.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            source, target = ROOT / name, self.collection / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        (top / "ansible_collections" / "ansible").symlink_to(COLLECTIONS / "ansible_collections" / "ansible")

    def python_files(self) -> list[Path]:
        return sorted(f for f in self.collection.rglob("*.py") if "output" not in f.parts)


def core_python(core: str) -> Path:
    python = CACHE / "venv" / f"core-{core}" / "bin" / "python"
    if not python.exists():
        needs = {"2.19": "3.11", "2.21": "3.12 or 3.13"}[core]
        raise PhaseSkipped(f"ansible-core {core} needs Python {needs}, which is not here")
    return python


def ansible_test(tree: Tree, core: str, *words: str) -> str:
    """Run ansible-test with a home and a search path of its own, so that nothing of the user's is read or written."""
    python = core_python(core)
    home = CACHE / "home"
    seed_pip(python, home / ".ansible" / "test" / "cache")
    real = {str(Path(os.path.realpath(p)).parent) for p in interpreters()}
    path = ":".join([str(python.parent), *sorted(real), "/usr/local/bin", "/usr/bin", "/bin"])
    return run(
        [python.parent / "ansible-test", *words, "--color", "no"],
        cwd=tree.collection,
        env={"HOME": str(home), "PATH": path, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def interpreters() -> list[Path]:
    made = sorted((CACHE / "venv").glob("*/bin/python"))
    return [p for p in made if p.exists()]


def seed_pip(python: Path, cache: Path) -> None:
    """Give ansible-test the pip it would fetch from a host of its own: the same version, from PyPI."""
    source = next(python.parent.parent.glob("lib/*/site-packages/ansible_test/_internal/python_requirements.py"))
    found = re.search(r"pip='([\d.]+)'", source.read_text(encoding="utf-8"))
    if not found:
        raise PhaseFailed("the version of pip that ansible-test wants could not be read")
    version = found[1]
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    run([python, "-m", "pip", "download", "-q", "--no-deps", f"pip=={version}", "-d", cache], cwd=cache)
    script.write_text(
        "import os, runpy, sys\n"
        "here = os.path.dirname(os.path.abspath(__file__))\n"
        "words = [w for w in sys.argv[1:] if w not in ('--no-setuptools', '--no-wheel')]\n"
        f"sys.path.insert(0, os.path.join(here, 'pip-{version}-py3-none-any.whl'))\n"
        "sys.argv = [sys.argv[0], 'install', '--no-index', '--find-links', here, *words]\n"
        "runpy.run_module('pip', run_name='__main__', alter_sys=True)\n",
        encoding="utf-8",
    )


# ---------------------------------------------------------------- phases


def ruff(tree: Tree) -> None:
    run([TOOLS / "ruff", "format", "--check", "--no-cache", "."], cwd=tree.collection)
    run([TOOLS / "ruff", "check", "--no-cache", "."], cwd=tree.collection)


def mypy(tree: Tree) -> None:
    def check(name: str, found: str, files: list[Path]) -> None:
        options: list[str | Path] = [
            "--config-file",
            tree.collection / "pyproject.toml",
            "--python-executable",
            sys.executable,
        ]
        run([TOOLS / "mypy", *options, "--cache-dir", CACHE / name, *files], cwd=tree.top, env={"MYPYPATH": found})

    tools, bench, lab = (tree.collection / "tests" / name for name in ("tools", "bench", "lab"))
    files = [f for f in tree.python_files() if not {tools, bench}.intersection(f.parents)]
    check("mypy", f"{tree.top}:{lab}", files)
    check("mypy-tools", f"{tools}:{lab}", sorted(tools.glob("*.py")))
    check("mypy-bench", f"{tree.top}:{bench}:{lab}", sorted(bench.glob("*.py")))


def pytest(tree: Tree, *paths: str, python: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    found = f"{tree.top}:{tree.collection}/tests/lab:{tree.collection}/tests"
    return run(
        [python or sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tree.collection, *paths],
        cwd=tree.collection,
        env={"PYTHONPATH": found, "ANSIBLE_COLLECTIONS_PATH": str(tree.top), **(env or {})},
    )


def powershell(tree: Tree) -> Mapping[str, int]:
    return count_tests(pytest(tree, "tests/powershell", python=TOOLS / "python"))


def rooms(tree: Tree) -> Mapping[str, int]:
    return count_tests(pytest(tree, "tests/unit/test_rooms.py"))


def no_ignores(tree: Tree) -> None:
    found = sorted((tree.collection / "tests").glob("sanity/ignore-*"))
    if found:
        raise PhaseFailed("sanity tests are switched off in " + ", ".join(f.name for f in found))


def sanity(tree: Tree, core: str) -> None:
    """Run ansible-test's own checks on a copy in which no test has left anything."""
    no_ignores(tree)
    clean = Tree(tree.top / f"sanity-{core}")
    ansible_test(clean, core, "sanity", "--local", "--python", "default")


def units(tree: Tree, core: str) -> Mapping[str, int]:
    version = run([core_python(core), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], cwd=ROOT).strip()
    return count_tests(ansible_test(tree, core, "units", "--local", "--python", version))


def ansible_lint(tree: Tree) -> None:
    run(
        [TOOLS / "ansible-lint", "--offline", "--nocolor"],
        cwd=tree.collection,
        env={"ANSIBLE_COLLECTIONS_PATH": str(tree.top), "PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(CACHE)},
    )


def docs(tree: Tree) -> None:
    env = {"ANSIBLE_COLLECTIONS_PATH": str(tree.top), "PATH": f"{TOOLS}:{os.environ['PATH']}"}
    words = ["lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", "."]
    run([TOOLS / "antsibull-docs", *words], cwd=tree.collection, env=env)
    run([TOOLS / "antsibull-changelog", "lint"], cwd=tree.collection, env=env)


def package(tree: Tree) -> None:
    """Build the collection, install it into an empty place, and ask for the documentation of everything in it."""
    bin_dir = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        run([bin_dir / "ansible-galaxy", "collection", "build", "--output-path", place], cwd=tree.collection)
        tarball = next(place.glob("hybridjoin-odj-*.tar.gz"))
        words: list[str | Path] = ["collection", "install", tarball, "-p", place / "empty", "--offline", "--no-deps"]
        run([bin_dir / "ansible-galaxy", *words], cwd=place)
        installed = place / "empty" / "ansible_collections" / "hybridjoin" / "odj"
        env = {"ANSIBLE_COLLECTIONS_PATH": f"{place / 'empty'}:{COLLECTIONS}", "ANSIBLE_LOCAL_TEMP": scratch}
        for name in sorted({f.stem for f in (installed / "plugins" / "modules").iterdir()}):
            run([bin_dir / "ansible-doc", "-t", "module", f"hybridjoin.odj.{name}"], cwd=place, env=env)
        for role in sorted((installed / "roles").iterdir()):
            output = run([bin_dir / "ansible-doc", "-t", "role", f"hybridjoin.odj.{role.name}"], cwd=place, env=env)
            if "ENTRY POINT" not in output:
                raise PhaseFailed(f"role {role.name} has no documented entry point")
        for playbook in sorted((installed / "playbooks").glob("*.yml")):
            words = [f"hybridjoin.odj.{playbook.stem}", "--syntax-check", "-i", "server,"]
            run([bin_dir / "ansible-playbook", *words], cwd=place, env=env)


def integration(tree: Tree) -> Mapping[str, int]:
    """Run the integration tests in a lab of their own; a test that was left out or skipped fails the phase."""
    lab = tree.collection / "tests" / "lab" / "lab"
    report = tree.top / "integration.xml"
    run([lab, "up"], cwd=tree.collection, env=LAB)
    try:
        output = pytest(tree, "tests/integration", f"--junit-xml={report}", env=LAB)
    finally:
        run([lab, "wipe"], cwd=tree.collection, env=LAB)
    ran = report.read_text(encoding="utf-8")
    for file in sorted((tree.collection / "tests" / "integration").rglob("test_*.py")):
        dotted = ".".join(file.relative_to(tree.collection).with_suffix("").parts)
        if f'classname="{dotted}' not in ran:
            raise PhaseFailed(f"{dotted} did not run\n{output}")
    counted = count_tests(output)
    if counted["skipped"]:
        raise PhaseFailed(f"integration tests were skipped\n{output}")
    return counted


def main() -> int:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="odj-test-") as scratch:
        tree = Tree(Path(scratch))
        per_core = [
            phase
            for core in CORES
            for phase in (
                Phase(f"ansible-test units, core {core}", partial(units, tree, core)),
                Phase(f"ansible-test sanity, core {core}", partial(sanity, tree, core)),
            )
        ]
        others = [
            Phase("ruff: format and lint", partial(ruff, tree)),
            Phase("rooms: imports, sizes, one gate", partial(rooms, tree)),
            Phase("mypy --strict", partial(mypy, tree)),
            Phase("PowerShell: syntax, cmdlets, constructs, contract", partial(powershell, tree)),
            Phase("ansible-lint, profile production", partial(ansible_lint, tree)),
            Phase("antsibull-docs and antsibull-changelog", partial(docs, tree)),
            Phase("build, install, ansible-doc, syntax of playbooks", partial(package, tree)),
        ]
        last = [Phase("integration tests in the lab", partial(integration, tree))]
        only = os.environ.get("ODJ_ONLY", "")
        tally = Tally()
        for lanes in ([per_core, others], [last]):
            carry_out([[p for p in lane if only in p.name] for lane in lanes], tally)
    print(f"make test took {time.monotonic() - begin:.0f} s")
    print(tally.line())
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
