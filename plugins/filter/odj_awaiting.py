# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that await their sign-in."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_awaiting
short_description: Names the servers at which somebody still has to sign in
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - Those that have been looked at in this run, and that had only the sign-in missing then.
positional: _input, hosts
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The servers.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Wait until somebody has signed in at one of the servers
  hybridjoin.odj.odj_connector_ready:
    sign_in: wait
    until_any_of: "{{ hostvars | hybridjoin.odj.odj_awaiting(ansible_play_batch) }}"
"""

RETURN = r"""
_value:
  description: Their names.
  type: list
  elements: str
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import VARIABLES, Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import awaiting


def odj_awaiting(hostvars: Mapping[str, Mapping[str, t.Any]], hosts: Sequence[str]) -> list[str]:
    """Return the names of those that await their sign-in."""
    return awaiting(Member.from_variables(host, known(hostvars, host, VARIABLES)) for host in hosts)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_awaiting": odj_awaiting}
