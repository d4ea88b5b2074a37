# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of question needs: the state, who asks, and how arguments are demanded."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from odj_lab.store import State
from odj_lab.windows.machine import Machine
from odj_lab.windows.trouble import Refused

Probe = dict[str, t.Any]
FULL = "FullLanguage"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a server: its state at that moment, and whether the question is asked as SYSTEM."""

    machine: Machine
    state: State
    as_system: bool

    @property
    def full_language(self) -> bool:
        """Whether PowerShell may use .NET."""
        return bool(self.state["language_mode"] == FULL)

    def demand_full_language(self) -> None:
        """Refuse a question that constrained language cannot answer."""
        if not self.full_language:
            raise Refused("LanguageMode", "this question needs full language mode")


def argument(probe: Probe, name: str) -> t.Any:
    """Return an argument that must be there."""
    if not probe.get(name):
        raise Refused("BadArgument", f"{name} is needed")
    return probe[name]
