# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that a play has lost."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_left
short_description: Names the servers that have left a play, with what Intune shows of them
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - A server that is unreachable or has failed is still asked about in Intune.
positional: _input, batch, live, intune
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  batch:
    description: The servers with which the batch began.
    type: list
    elements: str
    required: true
  live:
    description: The hosts that the play still works on in this batch, C(ansible_play_batch).
    type: list
    elements: str
    required: true
  intune:
    description: Result of M(hybridjoin.odj.odj_connector_info), or an empty dictionary.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Name the servers that have failed on the way
  ansible.builtin.debug:
    msg: "{{ hostvars | hybridjoin.odj.odj_left(ansible_play_hosts_all, ansible_play_batch, {}) }}"
"""

RETURN = r"""
_value:
  description: One line for each of them.
  type: list
  elements: str
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import VARIABLES, Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import left_lines


def odj_left(
    hostvars: Mapping[str, Mapping[str, t.Any]], batch: Sequence[str], live: Sequence[str], intune: Mapping[str, t.Any]
) -> list[str]:
    """Return a line for each server that has left."""
    left = [Member.from_variables(host, known(hostvars, host, VARIABLES)) for host in batch if host not in live]
    return left_lines(left, intune.get("connectors", []))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_left": odj_left}
