# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one remote execution: understand it, find its stand-in, check the options, answer as the real thing would."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass

from odj_lab.windows import documented, payload, stand_ins
from odj_lab.windows.boot import count_down
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.shells import Output
from odj_lab.windows.trouble import ModuleFailure, NotSimulated, WindowsError

NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished execution: what was asked, what came out, and how long it took (milliseconds)."""

    call: Call
    output: Output
    ms: int


def execute(machine: Machine, command_line: str, stdin: bytes) -> Ran:
    """Run what a command line and its input ask for; every failure becomes the output that a client would see."""
    begin = time.monotonic()
    try:
        call = payload.read(command_line, stdin)
    except payload.Unreadable as error:
        call = Call("raw", "unreadable")
        output = Output(stderr=f"The lab cannot read what was sent: {error}\r\n".encode(), rc=1)
    else:
        output = _answer(machine, call)
    return Ran(call, output, round((time.monotonic() - begin) * 1000))


def report(machine: Machine, ran: Ran, requests: dict[str, int]) -> None:
    """Write one execution, whose answer is out, to the log; names only, never the values of options."""
    call = ran.call
    machine.executions.append(
        name=stand_ins.name_of(call) if call.kind == "raw" else call.name[:NAME_LENGTH],
        kind=call.kind,
        check_mode=call.check_mode,
        become_user=call.become_user,
        options=sorted(call.arguments),
        requests=requests,
        rc=ran.output.rc,
        ms=ran.ms,
    )
    if call.kind == "raw":
        count_down(machine)


def _answer(machine: Machine, call: Call) -> Output:
    try:
        return _module(machine, call) if call.kind == "module" else _text(machine, call)
    except Exception:  # a defect of the lab must reach the person who runs the play
        text = traceback.format_exc()
        message = {"failed": True, "msg": f"The lab's stand-in for {call.name[:NAME_LENGTH]} broke:\n{text}"}
        return Output(json.dumps(message).encode() if call.kind == "module" else b"", text.encode(), 1)


def _module(machine: Machine, call: Call) -> Output:
    try:
        stand_in = stand_ins.module(call.name)
        options = documented.checked(call.name, call.arguments, internal=stand_in.internal)
        result = {"changed": False, **stand_in.run(machine, call, options)}
    except ModuleFailure as failure:
        result = {"changed": False, **failure.result, "failed": True, "msg": failure.msg}
    except WindowsError as error:
        result = {"changed": False, "failed": True, "msg": f"Unhandled exception while executing module: {error}"}
    text = json.dumps(result, ensure_ascii=False)
    return Output(f"{text}\r\n".encode(), rc=1 if result.get("failed") else 0)


def _text(machine: Machine, call: Call) -> Output:
    try:
        if call.kind == "script":
            return stand_ins.script(call.name)(machine, call)
        return stand_ins.raw(call.name)(machine, call)
    except NotSimulated as error:
        return Output(stderr=f"{error.msg}\r\n".encode(), rc=1)
    except WindowsError as error:
        return Output(stderr=f"{error}\r\n".encode(), rc=1)
