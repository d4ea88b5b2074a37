# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The variables that the playbooks read from an inventory, so that a misspelt one is not taken for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

KNOWN = frozenset(
    {
        "odj_account",
        "odj_active_timeout",
        "odj_allow_outage",
        "odj_build_from",
        "odj_connector_service",
        "odj_connector_state",
        "odj_delegation",
        "odj_directory",
        "odj_domain",
        "odj_graph",
        "odj_hosts",
        "odj_installer",
        "odj_organizational_units",
        "odj_poll_interval",
        "odj_proxy",
        "odj_reboot",
        "odj_serial",
        "odj_sign_in",
        "odj_sign_in_timeout",
    }
)
# What a playbook writes, not what it reads.
_WRITTEN = frozenset({"odj_sign_ins"})


def unknown_variables(names: Iterable[str]) -> list[str]:
    """Return one sentence for each variable that begins with ``odj_`` and that no playbook reads."""
    unknown = sorted({name for name in names if name.startswith("odj_")} - KNOWN - _WRITTEN)
    return [f"No playbook of hybridjoin.odj reads the variable {name}{_guess(name)}." for name in unknown]


def _guess(name: str) -> str:
    close = get_close_matches(name, sorted(KNOWN), 1, 0.75)
    return f"; {close[0]} is probably meant" if close else ""
