# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-ins that are still needed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_sign_ins
short_description: Lists the sign-ins that servers still need from a person
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - On a check run, servers on which the connector would be installed are among them.
positional: _input, hosts, byo, check_mode
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
  byo:
    description: Whether the service account is brought along.
    type: bool
    default: false
  check_mode:
    description: Whether this is a check run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Give the list to whoever started the play
  ansible.builtin.set_stats:
    data:
      odj_sign_ins: "{{ hostvars | hybridjoin.odj.odj_sign_ins(ansible_play_batch) }}"
"""

RETURN = r"""
_value:
  description: One entry for each with C(server), C(domain), C(account_model), C(who), C(where), C(steps), C(since).
  type: list
  elements: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import VARIABLES, Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import sign_ins_of

_SINCE = "connector_server__awaiting_since"


def odj_sign_ins(
    hostvars: Mapping[str, Mapping[str, t.Any]], hosts: Sequence[str], byo: bool = False, check_mode: bool = False
) -> list[dict[str, object]]:
    """Return the sign-ins that are still needed."""
    members = [Member.from_variables(host, known(hostvars, host, VARIABLES)) for host in hosts]
    since = {host: str(known(hostvars, host, [_SINCE]).get(_SINCE, "")) for host in hosts}
    to_come = [member.name for member in members if check_mode and member.state == "absent"]
    return sign_ins_of(members, byo=byo, since=since, to_come=to_come)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_sign_ins": odj_sign_ins}
