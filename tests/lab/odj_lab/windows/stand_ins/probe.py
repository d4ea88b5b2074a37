# SPDX-License-Identifier: GPL-3.0-or-later
"""hybridjoin.odj.odj_server_probe: one function for each kind of question, answering as odj_server_probe.yml says."""

from __future__ import annotations

import time
import typing as t

from odj_lab.store import State
from odj_lab.windows.machine import Machine, fault
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins import probe_network, probe_storage, probe_system
from odj_lab.windows.stand_ins.probing import Look, Probe
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import Refused, WindowsError

KINDS: dict[str, t.Callable[[Look, Probe], Result]] = {
    **probe_system.KINDS,
    **probe_storage.KINDS,
    **probe_network.KINDS,
}


def odj_server_probe(machine: Machine, call: Call, options: Options) -> Result:
    """Answer every probe; one that fails answers with its error."""
    begin, state = time.monotonic(), machine.read()
    look = Look(machine, state, as_system=call.is_system)
    answers = {str(probe.get("id")): _answer(look, probe) for probe in options["probes"]}
    return {"changed": False, "answers": answers, "elapsed_ms": _since(begin)}


def _answer(look: Look, probe: Probe) -> Result:
    begin = time.monotonic()
    try:
        kind = str(probe.get("kind"))
        if kind not in KINDS:
            raise Refused("UnknownKind", f"there is no kind {kind}")
        _planned_failure(look.state, kind)
        return {"ok": True, "value": KINDS[kind](look, probe), "ms": _since(begin)}
    except WindowsError as error:
        return {"ok": False, "error": error.answer(), "ms": _since(begin)}


def _planned_failure(state: State, kind: str) -> None:
    planned = fault(state, f"probe_{kind}")
    if planned:
        facts = {key: planned[key] for key in ("error_id", "category") if key in planned}
        code = int(planned.get("hresult", 0x80070005))
        reason = planned.get("reason", "UnauthorizedAccessException")
        raise WindowsError(planned.get("message", "Access is denied."), hresult=code, reason=reason, **facts)


def _since(begin: float) -> int:
    return round((time.monotonic() - begin) * 1000)


STAND_INS = (
    ModuleStandIn("hybridjoin.odj.odj_server_probe", odj_server_probe, f"answers the kinds {', '.join(sorted(KINDS))}"),
)
