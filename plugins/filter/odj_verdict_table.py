# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of verdicts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_verdict_table
short_description: Shows the verdicts on the prerequisites of servers as a table
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - Causes and cures stand below those that are not met, and which servers are ready stands at the end.
positional: _input, hosts, notes, always
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The servers of this batch.
    type: list
    elements: str
    required: true
  notes:
    description: Further lines for the end.
    type: list
    elements: str
    default: []
  always:
    description: Whether to show it although every server has what it needs.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show the table once
  ansible.builtin.debug:
    msg: "{{ hostvars | hybridjoin.odj.odj_verdict_table(ansible_play_batch) }}"
  when: inventory_hostname == ansible_play_batch | last
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.preflight import (
    Asked,
    table_of,
    unmet,
    verdicts_of,
)

_VERDICTS = "prereqs_verdicts"


def odj_verdict_table(
    hostvars: Mapping[str, Mapping[str, t.Any]], hosts: Sequence[str], notes: Sequence[str] = (), always: bool = True
) -> list[str]:
    """Return the lines; a server without verdicts did not answer."""
    rows: list[dict[str, str]] = []
    for host in hosts:
        rows += known(hostvars, host, [_VERDICTS]).get(_VERDICTS) or verdicts_of(Asked(host), {}, {}, {})
    return table_of(rows, notes) if always or unmet(rows) else []


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_verdict_table": odj_verdict_table}
