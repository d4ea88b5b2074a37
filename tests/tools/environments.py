# SPDX-License-Identifier: GPL-3.0-or-later
"""What the phases run in: Python environments, collections, Debian packages. All but the packages lies in the cache."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cache import Cache
from interpreters import Interpreter
from processes import Failed, Shell
from versions import Core

REQUIREMENTS = Path(__file__).parent / "requirements"
BUNDLE = "14.5.0"
"""The PyPI package ansible of this version holds what our collection needs, for where Galaxy cannot be reached."""
PACKAGES = (
    *("samba", "samba-ad-dc", "samba-dsdb-modules", "samba-vfs-modules", "samba-ad-provision", "winbind", "smbclient"),
    *("ldb-tools", "krb5-user", "python3-samba", "python3-gssapi", "openssl", "sshpass", "git"),
    *("openssh-server", "openssh-client", "shellcheck"),
)
DEBIAN_PYTHON = Path("/usr/lib/python3/dist-packages")
RECIPE = "1"
"""Part of every name: what is made otherwise than before gets another one."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        label: What it is for.
        python: The interpreter that it is made from.
        requirements: What pip installs, one requirement each.
        gssapi: Whether Debian's compiled python3-gssapi is linked into it; PyPI has the source alone.

    """

    label: str
    python: Interpreter
    requirements: tuple[str, ...]
    gssapi: bool = False

    @property
    def name(self) -> str:
        """Its name in the cache: the label and a digest of all that it is made of."""
        made_of = [RECIPE, str(self.python.path), self.python.build, str(self.gssapi), *self.requirements]
        return f"{self.label}-{hashlib.sha256(chr(10).join(made_of).encode()).hexdigest()[:12]}"

    def get(self, cache: Cache, shell: Shell) -> tuple[Path, bool]:
        """Return its directory, and whether it had to be made.

        Raises:
            Failed: It could not be made.

        """
        return cache.get(self.name, lambda directory: self._make(directory, shell), shell.pause)

    def _make(self, directory: Path, shell: Shell) -> None:
        python = directory / "bin" / "python"
        shell.run([self.python.path, "-m", "venv", directory], cwd=directory)
        try:
            shell.run(
                [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *self.requirements], cwd=directory
            )
        except Failed as failure:
            raise Failed(f"{failure}\n{self.label}: pip could not install it; is PyPI within reach?") from failure
        if self.gssapi:
            site = next(directory.glob("lib/*/site-packages"))
            for entry in ("gssapi", "decorator.py"):
                (site / entry).symlink_to(DEBIAN_PYTHON / entry)
            shell.run([python, "-c", "import gssapi"], cwd=directory)


def core_environment(core: Core, python: Interpreter, *, main: bool) -> Environment:
    """Return the environment of one ansible-core with the libraries that the collection and its tests need."""
    return Environment(
        f"core-{core.version}", python, (f"ansible-core=={core.pin}", *_read("libraries.txt")), gssapi=main
    )


def tools_environment(python: Interpreter) -> Environment:
    """Return the environment of what checks the source."""
    return Environment("tools", python, tuple(_read("tools.txt")))


def collections(cache: Cache, shell: Shell, python: Path) -> tuple[Path, bool]:
    """Return a directory with ansible.windows below ansible_collections, and whether it had to be made."""

    def make(directory: Path) -> None:
        words: list[str | Path] = [python, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
        words += ["--only-binary=:all:", "--python-version", "3.13", "-d", directory, f"ansible=={BUNDLE}"]
        shell.run(words, cwd=directory)
        wheel = next(directory.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            wanted = [n for n in archive.namelist() if n.startswith("ansible_collections/ansible/windows/")]
            archive.extractall(directory, wanted)
        wheel.unlink()

    return cache.get(f"collections-{BUNDLE}", make, shell.pause)


def missing_packages(python: Interpreter | None, wanted: Sequence[str] = PACKAGES) -> list[str]:
    """Return the Debian packages that are not installed yet; Python's part that makes environments among them."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *wanted], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith("ok installed")}
    missing = [name for name in wanted if name not in installed]
    if python and python.is_system and not python.can_make:
        missing.append(f"python{python.version}-venv")
    return missing


def install_packages(names: Sequence[str], shell: Shell) -> None:
    """Install Debian packages; another apt that runs just now is waited for.

    Raises:
        Failed: They could not be installed.

    """
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    wait = ["-o", "DPkg::Lock::Timeout=600"]
    try:
        shell.run(["apt-get", *wait, "update"], cwd=Path("/"), env=env)
        shell.run(["apt-get", *wait, "install", "-y", "--no-install-recommends", *names], cwd=Path("/"), env=env)
    except Failed as failure:
        words = f"Debian packages could not be installed ({', '.join(names)}); is the network there?"
        raise Failed(f"{failure}\n{words}") from failure


def _read(name: str) -> list[str]:
    lines = (REQUIREMENTS / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
