# SPDX-License-Identifier: GPL-3.0-or-later
"""``make test``: every check and every test that a change has to pass, as a table of phases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import checks
import suites
from processes import Shell
from scheduler import Phase, Result, Skipped
from versions import CORES, NEWEST, Core
from workshop import COLLECTIONS, TOOLS, Workshop, environment_phase, processors, sanity_environments_phase

BUILD = "the package is built"


def phases(shop: Workshop) -> list[Phase]:
    """Return what is done once. Seconds are those of two quiet processors with nothing cached."""
    main = environment_phase(shop.main)
    return [
        Phase("ruff: format and lint", partial(checks.ruff, shop), 1, (TOOLS,)),
        Phase("rooms: imports, sizes, one gate", partial(suites.rooms, shop), 3, (main,)),
        Phase("the tests of these tools", partial(suites.tools, shop), 10, (TOOLS,)),
        Phase(
            "PowerShell: syntax, cmdlets, constructs, contract, states", partial(suites.powershell, shop), 20, (TOOLS,)
        ),
        Phase("ansible-lint, profile production", partial(checks.ansible_lint, shop), 17, (TOOLS, COLLECTIONS)),
        Phase("antsibull-docs and antsibull-changelog", partial(checks.docs, shop), 12, (TOOLS, COLLECTIONS)),
        Phase(BUILD, partial(checks.build, shop), 2, (COLLECTIONS,)),
        Phase("install, ansible-doc, syntax of playbooks", partial(checks.install, shop), 8, (BUILD,)),
        Phase("galaxy-importer", partial(checks.importer, shop), 20, (BUILD, TOOLS)),
        integration(shop),
        # Only the newest has annotations for all that we call.
        of_core(shop, NEWEST, "mypy --strict", partial(checks.mypy, shop, NEWEST), 20, TOOLS, COLLECTIONS),
        *per_core(shop),
    ]


def integration(shop: Workshop) -> Phase:
    """Return the phase that takes longest: in labs on half of the processors, since all else runs beside it."""
    workers = min(4, max(1, processors() // 2))
    work = partial(suites.integration, shop, shop.main, ("tests/integration",), workers=workers)
    return Phase("integration tests in the lab", work, 320 / workers, (COLLECTIONS,), load=workers)


def per_core(shop: Workshop) -> list[Phase]:
    """Return what is done on more than one version of ansible-core."""
    made = []
    for core in CORES:
        version = f"core {core.version}"
        units = partial(suites.units_by_pytest, shop, core)
        made.append(of_core(shop, core, f"units, {version}", units, 45, COLLECTIONS))
        if core.sanity:
            work = partial(checks.sanity, shop, core)
            made.append(of_core(shop, core, f"sanity, {version}", work, 85, sanity_environments_phase(core)))
        if core.plays and core is not shop.main:
            work = partial(suites.integration, shop, core, suites.PLAYS, only="each_core")
            made.append(of_core(shop, core, f"plays in the lab, {version}", work, 50, COLLECTIONS))
    return made


def of_core(
    shop: Workshop,
    core: Core,
    name: str,
    work: Callable[[Shell], Result],
    usual: float,
    *needs: str,
) -> Phase:
    """Return a phase that runs in a core's environment; where that core has no Python, one that says so."""

    def tell(_shell: Shell) -> Result:
        raise Skipped(f"ansible-core {core.version} needs Python {core.python_words}, which is not here")

    if shop.python_of(core) is None:
        return Phase(name, tell, 0)
    return Phase(name, work, usual, (environment_phase(core), *needs))
