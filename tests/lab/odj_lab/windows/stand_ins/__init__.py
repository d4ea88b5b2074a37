# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of what stands in for what. Anything else fails loudly and names itself."""

from __future__ import annotations

import re
import typing as t

from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.shells import Output
from odj_lab.windows.stand_ins import change, copying, files, packages, probe, raws, registry, rights, scripts, services
from odj_lab.windows.stand_ins.table import ModuleStandIn, TextStandIn
from odj_lab.windows.trouble import NotSimulated

MODULES: dict[str, ModuleStandIn] = {
    stand_in.name: stand_in
    for part in (probe, change, files, copying, packages, registry, rights, services)
    for stand_in in part.STAND_INS
}
SCRIPTS: dict[str, TextStandIn] = {stand_in.name: stand_in for stand_in in scripts.STAND_INS}
RAWS: tuple[TextStandIn, ...] = raws.STAND_INS
SHOWN_LENGTH = 200

Answer = t.Callable[[Machine, Call], Output]


def module(name: str) -> ModuleStandIn:
    """Return the stand-in of a module.

    Raises:
        NotSimulated: There is none.

    """
    if name not in MODULES:
        raise NotSimulated(f"the module {name}")
    return MODULES[name]


def script(name: str) -> Answer:
    """Return what answers for a helper script of Ansible's connection or shell plugins.

    Raises:
        NotSimulated: There is none.

    """
    if name not in SCRIPTS:
        raise NotSimulated(f"Ansible's script {name}")
    return SCRIPTS[name].run


def raw(text: str) -> Answer:
    """Return what answers for a raw command.

    Raises:
        NotSimulated: There is none.

    """
    found = _raw(text)
    if found is None:
        raise NotSimulated(f"this raw command: {text[:SHOWN_LENGTH]}")
    return found.run


def name_of(call: Call) -> str:
    """Return the name under which a raw command is logged: its stand-in's, or the beginning of its text."""
    found = _raw(call.name)
    return found.name if found else call.name[:80]


def _raw(text: str) -> TextStandIn | None:
    return next((entry for entry in RAWS if re.search(entry.pattern, text)), None)


def describe() -> str:
    """Return the table as text, one line for each stand-in."""
    rows = [("module", m.name, m.meaning) for m in MODULES.values()]
    rows += [("script", s.name, s.meaning) for s in SCRIPTS.values()]
    rows += [("raw", r.name, r.meaning) for r in RAWS]
    width = max(len(name) for __, name, __ in rows)
    return "\n".join(f"{kind:7}{name:{width}}  {meaning}" for kind, name, meaning in rows)
