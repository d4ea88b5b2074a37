# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test with a home and a search path of its own, so that nothing of the user's is read or written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from cache import alone
from interpreters import Interpreter
from processes import Failed, Shell
from tree import Tree

# ansible-test keeps an environment for each of its sanity tests and each Python, named by what is in it.
PRIME = ("sanity", "--local", "--python", "default", "--prime-venvs")
# Stands in for get-pip.py, which ansible-test would fetch from a host of its own: pip and what goes with it, from PyPI.
GET_PIP = """\
import os, runpy, sys
here = os.path.dirname(os.path.abspath(__file__))
words = [w for w in sys.argv[1:] if w not in ('--no-setuptools', '--no-wheel')]
sys.path.insert(0, os.path.join(here, 'pip-{version}-py3-none-any.whl'))
sys.argv = [sys.argv[0], 'install', '--no-index', '--find-links', here, *words]
runpy.run_module('pip', run_name='__main__', alter_sys=True)
"""


class AnsibleTest:
    """The ansible-test of one environment.

    Args:
        environment: Directory of the environment; ansible-test's home lies in it and is gone with it.
        pythons: The interpreters that ansible-test may find.

    """

    def __init__(self, environment: Path, pythons: Iterable[Interpreter]) -> None:
        self._bin, self._home, self._pythons = environment / "bin", environment / "home", list(pythons)

    def run(self, shell: Shell, tree: Tree, *words: str) -> str:
        """Run it in a tree and return what it printed.

        Raises:
            Failed: It found something.

        """
        real = sorted({python.path.parent for python in self._pythons})
        path = os.pathsep.join(map(str, [self._bin, *real, "/usr/local/bin", "/usr/bin", "/bin"]))
        env: dict[str, str | Path] = {"HOME": self._home, "PATH": path, "PYTHONPATH": ""}
        return shell.run([self._bin / "ansible-test", *words, "--color", "no"], cwd=tree.collection, env=env)

    def prime(self, shell: Shell, tree: Tree) -> bool:
        """Make the environments of its sanity tests, once; say whether there was something to do.

        Raises:
            Failed: They could not be made.

        """
        self._home.mkdir(exist_ok=True)
        limits = (tree.collection / "tests" / "config.yml").read_text(encoding="utf-8")
        wanted = "\n".join([limits, *sorted(python.build for python in self._pythons)])
        note = self._home / "primed-for"
        with alone(self._home / "lock", shell.pause):
            if note.exists() and note.read_text(encoding="utf-8") == wanted:
                return False
            try:
                self._seed_pip(shell)
                self.run(shell, tree, *PRIME)
            except Failed as failure:
                raise Failed(
                    f"{failure}\nansible-test could not make its environments; is PyPI within reach?"
                ) from failure
            note.write_text(wanted, encoding="utf-8")
        return True

    def _seed_pip(self, shell: Shell) -> None:
        """Lay pip, and what else a version wants beside it, where ansible-test looks before it fetches."""
        source = next(self._bin.parent.glob("lib/*/site-packages/ansible_test/_internal/python_requirements.py"))
        block = re.search(r"default_packages = dict\((.*?)\)", source.read_text(encoding="utf-8"), re.DOTALL)
        pins = dict(re.findall(r"(\w+)='([\d.]+)'", block[1])) if block else {}
        if "pip" not in pins:
            raise Failed("which pip ansible-test wants could not be read")
        cache = self._home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        wheels = [f"{name}=={pin}" for name, pin in pins.items()]
        shell.run([self._bin / "python", "-m", "pip", "download", "-q", "--no-deps", "-d", cache, *wheels], cwd=cache)
        script = cache / f"get_pip_{pins['pip'].replace('.', '_')}.py"
        script.write_text(GET_PIP.format(version=pins["pip"]), encoding="utf-8")
