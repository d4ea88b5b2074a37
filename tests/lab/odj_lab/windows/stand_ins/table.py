# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a stand-in."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.shells import Output

Options = dict[str, t.Any]
Result = dict[str, t.Any]


@dataclass(frozen=True, slots=True)
class ModuleStandIn:
    """What answers for a module: a function over the state, and the options that its action plugin adds."""

    name: str
    run: t.Callable[[Machine, Call, Options], Result]
    meaning: str
    internal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextStandIn:
    """What answers for a script of a connection plugin (by name) or a raw command (by pattern)."""

    name: str
    run: t.Callable[[Machine, Call], Output]
    meaning: str
    pattern: str = ""


def printed(text: str) -> Output:
    """Return the output of a command that printed a text."""
    return Output(f"{text}\r\n".encode())
