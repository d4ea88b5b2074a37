# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of ansible-core that the collection supports. Requirements, phases and messages follow from this list.

What else names versions (README.md, meta/runtime.yml, the roles, .config/ansible-lint.yml) is held to it by
test_versions.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """One ansible-core and what is run on it.

    Attributes:
        version: Major and minor number.
        pin: The release that is installed.
        pythons: The Pythons (controller side) that it runs on, the preferred one first.
        sanity: Whether ansible-test's own checks run.
        plays: Whether one play of each kind runs in the lab.

    """

    version: str
    pin: str
    pythons: tuple[str, ...]
    sanity: bool = False
    plays: bool = False

    @property
    def python_words(self) -> str:
        """The Pythons as a message names them."""
        ordered = sorted(self.pythons, key=lambda version: int(version.partition(".")[2]))
        return " or ".join(filter(None, (", ".join(ordered[:-1]), ordered[-1])))


# The first of these that the system's own Python carries is the main one, because Debian's compiled python3-gssapi fits
# that Python alone. On Debian 12 it is 2.16, which Automation Platform 2.4 to 2.7 runs.
CORES = (
    Core("2.16", "2.16.19", ("3.11", "3.12"), sanity=True, plays=True),
    Core("2.18", "2.18.19", ("3.11", "3.12", "3.13")),
    Core("2.20", "2.20.10", ("3.12", "3.13"), plays=True),
    Core("2.21", "2.21.5", ("3.13", "3.12"), sanity=True),
)
OLDEST, NEWEST = CORES[0], CORES[-1]
PYTHONS = ("3.11", "3.12", "3.13")


def in_words() -> str:
    """Return in words what is tested on which Python, as README.md says it."""
    versions: dict[str, list[str]] = {}
    for core in CORES:
        versions.setdefault(core.pythons[0], []).append(core.version)
    parts = [f"{' and '.join(cores)} on {python}" for python, cores in versions.items()]
    return f"tested with {', '.join(parts[:-1])} and {parts[-1]}".replace(" on ", " on Python ", 1)
