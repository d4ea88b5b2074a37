# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's connector servers: what Ansible sees as Windows Servers behind WS-Man and ssh.

Imports stay inside the functions: other parts of the lab use small modules of this package and must not pay for NTLM.
"""

from __future__ import annotations

import typing as t

from odj_lab.settings import Lab
from odj_lab.store import State

if t.TYPE_CHECKING:
    from odj_lab.windows.serving import Serving


def serve(lab: Lab, *, ssh: bool = True) -> Serving:
    """Start all servers of a lab and return when they listen; see `serving.serve`."""
    from odj_lab.windows import serving

    return serving.serve(lab, ssh=ssh)


def create_state(lab: Lab, name: str) -> State:
    """Return the state that a server of a lab begins with."""
    from odj_lab.windows import first_state

    return first_state.create_state(lab, name)


def describe() -> str:
    """Return the table of stand-ins as text."""
    from odj_lab.windows import stand_ins

    return stand_ins.describe()
