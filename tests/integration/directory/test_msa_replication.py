# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the replication, with two domain controllers between which nothing replicates by itself."""

from __future__ import annotations

import os
import subprocess
import typing as t
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory, Entry, Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import Filter
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import carry_out
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa
from odj_lab import directory as lab_directory
from odj_lab.settings import Lab

NAMES = ("dca", "dcb")
PATIENCE = 600  # seconds for what takes one or two


class Pair:
    """Two domain controllers of one domain.

    Attributes:
        first, second: Their addresses.
    """

    def __init__(self, lab: Lab) -> None:
        self.first, self.second = f"{lab.net}.230", f"{lab.net}.231"
        self._home = lab.home / "two"
        self._password = lab.domains[0].passwords["Administrator"]

    def script(self, name: str, *words: str) -> None:
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LAB_NAME": name,
            "LAB_IP": {"dca": self.first, "dcb": self.second}[name],
            "LAB_REALM": "TWO.TEST",
            "LAB_HOME": str(self._home),
            "LAB_CACHE": str(lab_directory.cache_dir()),
            "LAB_ADMINPW": self._password,
            "LAB_SERVICES": "ldap, cldap, kdc, rpc, s3fs, winbindd, drepl",
            "LAB_MAXRUN": "3600",
            **lab_directory.samba_settings(),
        }
        done = subprocess.run(
            [str(lab_directory.SCRIPT), *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def replicate(self) -> None:
        self.script("dcb", "replicate", "dca")

    def options(self) -> dict[str, t.Any]:
        ca_path = str(self._home / "dca" / "ca.pem")
        return {"server": self.first, "username": "TWO\\Administrator", "password": self._password, "ca_path": ca_path}


class Watched:
    """A directory that says before each search how many there were for accounts."""

    def __init__(self, directory: Directory, before: Callable[[int], None]) -> None:
        self._directory = directory
        self._before = before
        self._looks = 0

    def root(self) -> Entry:
        return self._directory.root()

    def search(self, base: str, where: Filter, attributes: Sequence[str], **named: t.Any) -> list[Entry]:
        if "userAccountControl" in attributes:
            self._looks += 1
            self._before(self._looks)
        return self._directory.search(base, where, attributes, **named)


@pytest.fixture(scope="module")
def pair(lab: Lab) -> Iterator[Pair]:
    two = Pair(lab)
    try:
        two.script("dca", "start")
        two.script("dcb", "join", "dca")
        yield two
    finally:
        for name in NAMES:
            two.script(name, "wipe")


@pytest.fixture
def run(pair: Pair) -> Callable[..., dict[str, t.Any]]:
    """Run odj_msa on the first, waiting for the second; ``before`` is called before each look at that one."""

    def task(before: Callable[[int], None] = lambda look: None, **given: t.Any) -> dict[str, t.Any]:
        @contextmanager
        def opened(settings: Settings) -> Iterator[Directory]:
            with open_directory(settings) as directory:
                second = settings.server == pair.second
                yield t.cast(Directory, Watched(directory, before)) if second else directory

        spec = msa.SPEC["argument_spec"]
        defaults = {name: option.get("default") for name, option in spec.items()}
        with msa.open_job({**defaults, **pair.options(), "replicated_to": [pair.second], **given}, opened) as job:
            return carry_out(job, check_mode=False)

    return task


def test_the_task_ends_when_the_other_controller_has_it(pair: Pair, run: Callable[..., dict[str, t.Any]]) -> None:
    """Nothing replicates by itself, so each look says what it must say however slow this computer is."""
    name = f"msaT{os.getpid()}"
    with pytest.raises(DirectoryError, match=f"after 0 seconds they still hold another state of {name}") as caught:
        run(name=name, replication_timeout=0)
    assert caught.value.on == pair.second
    with pytest.raises(DirectoryError, match="another state"):
        run(name=name, replication_timeout=0)

    def replicate(look: int) -> None:
        if look == 2:
            pair.replicate()

    unchanged = run(replicate, name=name, replication_timeout=PATIENCE)
    assert (unchanged["changed"], unchanged["replication"]) == (False, [{"server": pair.second, "looks": 2}])
    described = run(replicate, name=name, description="x", replication_timeout=PATIENCE)
    assert (described["changed"], described["replication"][0]["looks"]) == (True, 2)
    gone = run(replicate, name=name, state="absent", replication_timeout=PATIENCE)
    assert (gone["changed"], gone["replication"][0]["looks"]) == (True, 2)
    assert run(name=name, state="absent", replication_timeout=0)["replication"][0]["looks"] == 1
