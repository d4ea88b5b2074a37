# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector servers of one AD domain, as a play knows them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_domain_group
short_description: Says which connector servers serve the same AD domain, and which of them acts for all
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - The domain of a server is what was seen on it, else C(odj_domain) of the inventory.
  - The answer is right for the moment in which it is asked for, so work never depends on a host that has left the play.
positional: _input, host, candidates, live
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  host:
    description: The server that asks, C(inventory_hostname).
    type: str
    required: true
  candidates:
    description: All connector servers of the inventory, whatever batch and limit of the run are.
    type: list
    elements: str
    required: true
  live:
    description: The hosts that the play still works on in this batch, C(ansible_play_batch).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Ask the directory once for each domain and batch
  hybridjoin.odj.odj_organizational_unit_info:
    organizational_units: ["OU=Autopilot,DC=contoso,DC=com"]
  delegate_to: localhost
  when: inventory_hostname == group['acting']
  vars:
    servers: "{{ groups['odj_connector_servers'] }}"
    group: "{{ hostvars | hybridjoin.odj.odj_domain_group(inventory_hostname, servers, ansible_play_batch) }}"
"""

RETURN = r"""
_value:
  description:
    - C(domain) is the DNS name in lower case. C(members) are all of that domain, C(live) those still in the batch,
      C(others) the rest, C(possible) the members and all whose domain is not known.
    - C(acting) asks the directory and Intune, C(delegating) delegates for those that want the same OUs and delegation.
    - C(accounts) are the service accounts of those servers, C(to_delegate) those of them that nobody has delegated to
      in this run, C(owed) that of the host if it is among these, C(delegated) those that somebody has.
    - C(signed_in) are the names to ask Intune for, C(unverified) that of the host if nobody has asked for it yet.
    - C(organizational_units) are those that any live member wants, C(differences) sentences about members that differ.
  type: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleError

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import VARIABLES, group_of


def known(hostvars: Mapping[str, Mapping[str, t.Any]], host: str, names: Sequence[str]) -> dict[str, t.Any]:
    """Return those of some variables that a host has and that can be read."""
    if host not in hostvars:
        return {}
    variables = hostvars[host]  # made anew at each access
    found = {}
    for name in names:
        try:
            found[name] = variables[name]
        except (KeyError, AnsibleError):
            continue
    return found


def odj_domain_group(
    hostvars: Mapping[str, Mapping[str, t.Any]], host: str, candidates: Sequence[str], live: Sequence[str]
) -> dict[str, object]:
    """Return the domain group of a host as data."""
    variables = {name: known(hostvars, name, VARIABLES) for name in dict.fromkeys([*candidates, host])}
    return group_of(host, candidates, live, variables).to_json()


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_domain_group": odj_domain_group}
