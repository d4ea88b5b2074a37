# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to a question that one host asked for all."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_answer
short_description: Finds the result of a task that one host of a group ran for all of them
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - A result of a host that has left the play since counts too. A skipped task and an unreachable host are no result.
  - An answer comes before a failure, and both come in the order of the hosts.
positional: _input, hosts, name
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts that may have asked.
    type: list
    elements: str
    required: true
  name:
    description: The variable that the task registers.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See what the directory answered
  ansible.builtin.debug:
    msg: "{{ hostvars | hybridjoin.odj.odj_answer(ansible_play_hosts_all, 'prereqs_directory') }}"
"""

RETURN = r"""
_value:
  description: The result, or an empty dictionary when nobody has asked.
  type: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.preflight import answer_among


def odj_answer(hostvars: Mapping[str, Mapping[str, t.Any]], hosts: Sequence[str], name: str) -> Mapping[str, object]:
    """Return the result that answers for all."""
    return answer_among(known(hostvars, host, [name]).get(name, {}) for host in hosts)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_answer": odj_answer}
