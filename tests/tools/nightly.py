# SPDX-License-Identifier: GPL-3.0-or-later
"""``make nightly``: what takes longer than a change should wait for, as a table of phases."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import checks
import environments
import nets
import suites
from gate import of_core
from processes import Shell
from scheduler import NOTHING, READY, Phase, Result
from versions import CORES
from workshop import COLLECTIONS, Workshop, sanity_environments_phase

DEBOOTSTRAP = "Debian package debootstrap"
NEWER_SAMBA = "a root directory with a newer Samba"
WITH_PLAYS = ("tests/integration/modules", "tests/integration/playbooks", "tests/integration/roles")
"""The integration tests that run playbooks, so that another Ansible makes a difference to them."""


def phases(shop: Workshop) -> list[Phase]:
    """Return the table. Seconds are those of two quiet processors."""
    place = Path(os.environ.get("LAB_CHROOT") or shop.cache.top / "newer-samba")
    made = [
        *newer_samba(place),
        Phase(
            "integration tests in the lab, newer Samba",
            partial(suites.integration, shop, shop.main, ("tests/integration",), LAB_CHROOT=str(place)),
            500,
            (COLLECTIONS, NEWER_SAMBA),
        ),
        # Alone on the machine, because it compares times.
        Phase("benchmark of the directory side", partial(benchmark, shop), 300, (COLLECTIONS,), load=1000),
    ]
    for core in CORES:
        version = f"core {core.version}"
        work = partial(suites.units_by_ansible_test, shop, core)
        made.append(of_core(shop, core, f"units by ansible-test, {version}", work, 120, COLLECTIONS))
        if not core.sanity:
            work = partial(checks.sanity, shop, core)
            made.append(of_core(shop, core, f"sanity, {version}", work, 85, sanity_environments_phase(core)))
        if core is not shop.main:
            work = partial(suites.integration, shop, core, WITH_PLAYS)
            made.append(of_core(shop, core, f"all plays in the lab, {version}", work, 300, COLLECTIONS))
    return made


def newer_samba(place: Path, *mirror: str) -> list[Phase]:
    """Return the phases that make a root directory with the Samba of a newer Debian."""
    missing = environments.missing_packages(None, ("debootstrap",))

    def install(shell: Shell) -> Result:
        if missing:
            environments.install_packages(missing, shell)
        return READY if missing else NOTHING

    def make(shell: Shell) -> Result:
        if (place / "made-of").exists():
            return NOTHING
        script = Path(__file__).resolve().parents[1] / "lab" / "newer-samba.sh"
        shell.run([script, place, *mirror], cwd=Path("/"))
        return READY

    return [
        Phase(DEBOOTSTRAP, install, 5),
        Phase(NEWER_SAMBA, make, 300, (DEBOOTSTRAP,)),
    ]


def benchmark(shop: Workshop, shell: Shell) -> Result:
    """Run the benchmark and show what it says."""
    tree, python = shop.tree, shop.bin(shop.main) / "python"
    with nets.Reservation((79, *suites.NETS)) as net:
        env: dict[str, str | Path] = {
            "ODJ_ROOT": tree.collection,
            "ODJ_LAB_NET": net,
            "ODJ_LAB_HOME": shop.scratch / "bench",
            "ODJ_LAB_PYTHON": python,
            "ODJ_LAB_CACHE": shop.lab_cache,
            "ANSIBLE_COLLECTIONS_PATH": tree.top,
            "PYTHONPATH": tree.collection / "tests" / "lab",
        }
        said = shell.run([python, tree.collection / "tests" / "bench" / "directory.py"], cwd=tree.collection, env=env)
    return Result(text=said)
