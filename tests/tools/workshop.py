# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run works with: a copy of the checkout, interpreters, environments; and the phases that make them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import environments
from ansible_testing import AnsibleTest
from cache import Cache
from environments import Environment
from interpreters import Interpreter, find, system
from processes import Failed, Shell
from scheduler import NOTHING, READY, Phase, Result
from tree import Tree
from versions import CORES, PYTHONS, Core

PACKAGES = "Debian packages"
COLLECTIONS = "Collection ansible.windows"
TOOLS = "Python environment for the tools"


def environment_phase(core: Core) -> str:
    """Return the name of the phase that makes a core's environment."""
    return f"Python environment core-{core.version}"


def sanity_environments_phase(core: Core) -> str:
    """Return the name of the phase that makes the environments of a core's sanity tests."""
    return f"environments of ansible-test, core {core.version}"


class Workshop:
    """The things of one run.

    Attributes:
        root: The checkout.
        scratch: A directory that is gone with the run.
        cache: What stays for the next run.
        main: The core that all is tested on that need not be tested twice; on the system's own Python.
        plays: Where playbooks that run are written down.

    """

    def __init__(self, root: Path, cache: Cache, scratch: Path) -> None:
        self.root, self.cache, self.scratch = root, cache, scratch
        self.pythons = find(os.environ)
        self.main, self._main_python = main_core(self.pythons)
        self.plays = scratch / "plays"
        self._made: dict[str, Path] = {}
        self._tree: Tree | None = None

    def copy_tree(self) -> None:
        """Copy the checkout, before the first phase begins."""
        self._tree = Tree.copy(self.root, self.scratch / "tree")

    @property
    def tree(self) -> Tree:
        """The copy of the checkout; nobody writes to it."""
        assert self._tree, "copy_tree comes first"
        return self._tree

    def python_of(self, core: Core) -> Interpreter | None:
        """Return the interpreter that a core runs on here, or None where there is none."""
        if core is self.main:
            return self._main_python
        return next((self.pythons[version] for version in core.pythons if version in self.pythons), None)

    def bin(self, of: Core | str) -> Path:
        """Return the directory of an environment's programs."""
        label = of if isinstance(of, str) else f"core-{of.version}"
        return self._made[label] / "bin"

    @property
    def collections(self) -> Path:
        """The directory with what our collection depends on, below ansible_collections."""
        return self._made[COLLECTIONS]

    @property
    def lab_cache(self) -> Path:
        """Where labs keep what they have provisioned once."""
        return Path(os.environ.get("ODJ_LAB_CACHE") or self.cache.top / "samba")

    def ansible_test(self, core: Core) -> AnsibleTest:
        """Return the ansible-test of a core."""
        return AnsibleTest(self.bin(core).parent, self.pythons.values())

    # ------------------------------------------------------------ phases

    def phases(self) -> list[Phase]:
        """Return the phases that make what others need."""
        missing = environments.missing_packages(self._main_python)
        made = [
            Phase(PACKAGES, partial(self._install, missing), 20 if missing else 0, load=0.6),
            Phase(COLLECTIONS, self._make_collections, 3, (environment_phase(self.main),)),
            self._environment_phase(TOOLS, environments.tools_environment(self._main_python), 30),
        ]
        for core in CORES:
            if python := self.python_of(core):
                environment = environments.core_environment(core, python, main=core is self.main)
                made.append(self._environment_phase(environment_phase(core), environment, 14))
                needs = (environment_phase(core), COLLECTIONS)
                made.append(Phase(sanity_environments_phase(core), partial(self._prime, core), 50, needs, load=0.9))
        return made

    def _environment_phase(self, name: str, environment: Environment, usual: float) -> Phase:
        needs = (PACKAGES,) if environment.gssapi or not environment.python.can_make else ()
        return Phase(name, partial(self._make, environment), usual, needs)

    def _install(self, missing: list[str], shell: Shell) -> Result:
        if not missing:
            return NOTHING
        environments.install_packages(missing, shell)
        return READY

    def _make(self, environment: Environment, shell: Shell) -> Result:
        self._made[environment.label], fresh = environment.get(self.cache, shell)
        return READY if fresh else NOTHING

    def _make_collections(self, shell: Shell) -> Result:
        python = self.bin(self.main) / "python"
        self._made[COLLECTIONS], fresh = environments.collections(self.cache, shell, python)
        if self._tree:
            self._tree.add_collections(self.collections)
        return READY if fresh else NOTHING

    def _prime(self, core: Core, shell: Shell) -> Result:
        return READY if self.ansible_test(core).prime(shell, self.tree) else NOTHING


def main_core(pythons: dict[str, Interpreter]) -> tuple[Core, Interpreter]:
    """Return the first core that the system's own Python carries, and that Python.

    Raises:
        Failed: There is none.

    """
    own = system()
    for core in CORES:
        if own and own.version in core.pythons:
            return core, pythons.get(own.version, own)
    said = own.version if own else "no Python"
    raise Failed(f"this needs a system whose own Python is {' or '.join(PYTHONS)}; /usr/bin/python3 is {said}")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
