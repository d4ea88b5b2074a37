# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked without running a test: the source, the documentation, the package."""

from __future__ import annotations

import json
import os
from pathlib import Path

from processes import Failed, Shell
from scheduler import Result
from versions import Core
from workshop import Workshop

CHECKED = Result()


def _tool(shop: Workshop, name: str) -> Path:
    return shop.bin("tools") / name


def ruff(shop: Workshop, shell: Shell) -> Result:
    """Format and lint."""
    shell.run([_tool(shop, "ruff"), "format", "--check", "--no-cache", "."], cwd=shop.tree.collection)
    shell.run([_tool(shop, "ruff"), "check", "--no-cache", "."], cwd=shop.tree.collection)
    return CHECKED


def mypy(shop: Workshop, core: Core, shell: Shell) -> Result:
    """Check types, with the libraries of one core's environment; what is no part of the collection by itself."""
    tree = shop.tree

    def check(name: str, found: str, files: list[Path]) -> None:
        options: list[str | Path] = ["--config-file", tree.collection / "pyproject.toml"]
        options += ["--python-executable", shop.bin(core) / "python", "--cache-dir", shop.cache.top / name]
        shell.run([_tool(shop, "mypy"), *options, *files], cwd=tree.top, env={"MYPYPATH": found})

    tools, bench, lab = (tree.collection / "tests" / name for name in ("tools", "bench", "lab"))
    files = [f for f in tree.python_files() if not {tools, bench}.intersection(f.parents)]
    check("mypy", f"{tree.top}:{lab}", files)
    check("mypy-tools", f"{tools}:{lab}", sorted(tools.rglob("*.py")))
    check("mypy-bench", f"{tree.top}:{bench}:{lab}", sorted(bench.glob("*.py")))
    return CHECKED


def ansible_lint(shop: Workshop, shell: Shell) -> Result:
    """Run ansible-lint with its strictest profile."""
    shell.run([_tool(shop, "ansible-lint"), "--offline", "--nocolor"], cwd=shop.tree.collection, env=_tools(shop))
    return CHECKED


def docs(shop: Workshop, shell: Shell) -> Result:
    """Check the documentation of everything, and the changelog."""
    words = ["lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", "."]
    shell.run([_tool(shop, "antsibull-docs"), *words], cwd=shop.tree.collection, env=_tools(shop))
    shell.run([_tool(shop, "antsibull-changelog"), "lint"], cwd=shop.tree.collection, env=_tools(shop))
    return CHECKED


def sanity(shop: Workshop, core: Core, shell: Shell) -> Result:
    """Run ansible-test's own checks on a copy in which no test has left anything."""
    if ignored := sorted((shop.tree.collection / "tests").glob("sanity/ignore-*")):
        raise Failed("sanity tests are switched off in " + ", ".join(f.name for f in ignored))
    clean = shop.tree.twin(shop.scratch / f"sanity-{core.version}")
    shop.ansible_test(core).run(shell, clean, "sanity", "--local", "--python", "default")
    return CHECKED


def build(shop: Workshop, shell: Shell) -> Result:
    """Build the package."""
    words: list[str | Path] = ["collection", "build", "--output-path", shop.scratch / "package"]
    shell.run([shop.bin(shop.main) / "ansible-galaxy", *words], cwd=shop.tree.collection, env=_own_home(shop))
    _package(shop)
    return CHECKED


def _package(shop: Workshop) -> Path:
    return next((shop.scratch / "package").glob("hybridjoin-odj-*.tar.gz"))


def install(shop: Workshop, shell: Shell) -> Result:
    """Install the package into an empty place, and ask for the documentation of everything in it."""
    programs, place = shop.bin(shop.main), shop.scratch / "installed"
    words: list[str | Path] = ["collection", "install", _package(shop), "-p", place, "--offline", "--no-deps"]
    shell.run([programs / "ansible-galaxy", *words], cwd=shop.scratch, env=_own_home(shop))
    installed = place / "ansible_collections" / "hybridjoin" / "odj"
    env = {**_own_home(shop), "ANSIBLE_COLLECTIONS_PATH": f"{place}:{shop.collections}"}

    def documented(kind: str, names: list[str]) -> dict[str, object]:
        full = [f"hybridjoin.odj.{name}" for name in names]
        command: list[str | Path] = [programs / "ansible-doc", "--json", "-t", kind, *full]
        said = json.loads(shell.run(command, cwd=shop.scratch, env=env, answer=True))
        if lacking := sorted(set(full) - set(said)):
            raise Failed(f"ansible-doc knows nothing of {', '.join(lacking)}")
        return dict(said)

    for kind, folder in (("module", "modules"), ("filter", "filter"), ("lookup", "lookup")):
        documented(kind, sorted({f.stem for f in (installed / "plugins" / folder).iterdir()}))
    for name, role in documented("role", sorted(r.name for r in (installed / "roles").iterdir())).items():
        if not isinstance(role, dict) or not role.get("entry_points"):
            raise Failed(f"role {name} has no documented entry point")
    for playbook in sorted((installed / "playbooks").glob("*.yml")):
        words = [f"hybridjoin.odj.{playbook.stem}", "--syntax-check", "-i", "server,"]
        shell.run([programs / "ansible-playbook", *words], cwd=shop.scratch, env=env)
    return CHECKED


def importer(shop: Workshop, shell: Shell) -> Result:
    """Import the package as Galaxy and Automation Hub do; what they call an error or a warning fails."""
    place = shop.scratch / "importer"
    place.mkdir()
    said = shell.run([_tool(shop, "python"), "-m", "galaxy_importer.main", _package(shop)], cwd=place, env=_tools(shop))
    if remarks := [line for line in said.splitlines() if line.startswith(("ERROR", "WARNING"))]:
        raise Failed("\n".join(remarks))
    if "Importer processing completed successfully" not in said:
        raise Failed(f"galaxy-importer did not come to its end\n{said}")
    return CHECKED


def _own_home(shop: Workshop) -> dict[str, str]:
    """Return variables that keep ansible out of the user's home."""
    return {"HOME": str(shop.scratch), "ANSIBLE_HOME": str(shop.scratch / "ansible")}


def _tools(shop: Workshop) -> dict[str, str]:
    """Return variables for the tools that call others by name and look for collections."""
    path = f"{shop.bin('tools')}{os.pathsep}{os.environ['PATH']}"
    return {**_own_home(shop), "ANSIBLE_COLLECTIONS_PATH": str(shop.tree.top), "PATH": path}
