# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the checkout where Ansible's tools want it: below ansible_collections, with what we depend on beside."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class Tree:
    """The collection below ``top/ansible_collections/hybridjoin/odj``."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.collection = top / "ansible_collections" / "hybridjoin" / "odj"

    @classmethod
    def copy(cls, checkout: Path, top: Path) -> Tree:
        """Copy what git tracks, or would track, out of a checkout."""
        tree = cls(top)
        tree.collection.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={checkout}", "ls-files", "-z", "-co", "--exclude-standard"],
            cwd=checkout,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            source, target = checkout / name, tree.collection / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        return tree

    def add_collections(self, directory: Path) -> None:
        """Lay the collections of another directory beside ours."""
        link = self.top / "ansible_collections" / "ansible"
        if not link.is_symlink():
            link.symlink_to(directory / "ansible_collections" / "ansible")

    def twin(self, top: Path) -> Tree:
        """Return the same tree at another place, for a tool that leaves something; the files are the same ones."""
        shutil.copytree(self.top, top, symlinks=True, copy_function=os.link)
        return Tree(top)

    def python_files(self) -> list[Path]:
        """Return all Python files."""
        return sorted(f for f in self.collection.rglob("*.py") if "output" not in f.parts)
