# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a simulated server beside the modules: programs and services, whose effects the product knows.

The product part of the lab may be absent (tests of this part alone): then services just start, and no program runs.
"""

from __future__ import annotations

import importlib
import typing as t
from dataclasses import dataclass

from odj_lab.windows.machine import Machine
from odj_lab.windows.trouble import NotSimulated


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program leaves."""

    rc: int
    stdout: str = ""
    stderr: str = ""


def run(machine: Machine, command_line: str) -> ProgramResult:
    """Run a program on a server; it edits the state itself, so no lock may be held.

    Raises:
        NotSimulated: The lab has no such program.

    """
    execute = _part("odj_lab.product.programs", "execute")
    if execute is None:
        raise NotSimulated(f"the program {command_line!r}")
    found = execute(machine.lab, machine.name, command_line)
    return ProgramResult(found.rc, found.stdout or "", found.stderr or "")


def tell_service(machine: Machine, service: str, action: str) -> None:
    """Tell the product that a service was started, stopped or given another account."""
    told = _part("odj_lab.product.services", "on_service")
    if told:
        told(machine.lab, machine.name, service, action)


def described(content: bytes) -> dict[str, t.Any]:
    """Return what follows from a file's content alone: its version resource and its signature."""
    describe = _part("odj_lab.product.builds", "describe")
    unknown = {"file_version": None, "product_version": None, "signature": None}
    return {**unknown, **((describe(content) if describe else None) or {})}


def sid_in_directory(machine: Machine, account: str) -> str | None:
    r"""Ask the lab's directory for the SID of `DOMAIN\name`, or return None."""
    ask = _part("odj_lab.product.accounts", "sid_of")
    return t.cast("str | None", ask(machine.domain, account)) if ask else None


def _part(module: str, name: str) -> t.Callable[..., t.Any] | None:
    try:
        return t.cast("t.Callable[..., t.Any]", getattr(importlib.import_module(module), name))
    except ModuleNotFoundError as error:
        if error.name and module.startswith(error.name):
            return None
        raise
