# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a connector may be taken out of service."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_may_interrupt
short_description: Judges whether the connector of a server may be taken out of service
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - Refuses while another server of the domain is unhealthy or unknown, when there is no other, and when another
    one of the same batch is interrupted.
  - A connector that carries no joins may be worked on at any time.
positional: _input, host, looks, live, allow_outage
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  host:
    description: The server that would be interrupted.
    type: str
    required: true
  looks:
    description: Results of M(hybridjoin.odj.odj_server_info), a loop over all servers that may be of its domain.
    type: list
    elements: dict
    required: true
  live:
    description: The hosts that the play still works on in this batch, C(ansible_play_batch).
    type: list
    elements: str
    required: true
  allow_outage:
    description: Whether the user accepts that no connector of the domain may be left for a while.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Never interrupt the last connector
  ansible.builtin.assert:
    that: verdict['permitted']
    fail_msg: "{{ verdict['sentence'] }} {{ verdict['satisfied_by'] }}"
  vars:
    verdict: "{{ hostvars | hybridjoin.odj.odj_may_interrupt(inventory_hostname, all.results, ansible_play_batch) }}"
"""

RETURN = r"""
_value:
  description: C(permitted), C(sentence) that says why or why not, and C(satisfied_by), what would change a refusal.
  type: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.filter.odj_domain_group import known
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.interruption import (
    Candidate,
    Permit,
    may_interrupt,
    standings,
)


def odj_may_interrupt(
    hostvars: Mapping[str, Mapping[str, t.Any]],
    host: str,
    looks: Sequence[Mapping[str, t.Any]],
    live: Sequence[str],
    allow_outage: bool = False,
) -> dict[str, object]:
    """Return whether it may be interrupted, and why."""
    candidates = [_candidate(hostvars, look, live) for look in looks]
    judged = may_interrupt(standings(candidates, host), host, allow_outage=allow_outage)
    if isinstance(judged, Permit):
        return {"permitted": True, "sentence": judged.reason, "satisfied_by": ""}
    return {"permitted": False, "sentence": judged.sentence, "satisfied_by": judged.satisfied_by}


def _candidate(
    hostvars: Mapping[str, Mapping[str, t.Any]], look: Mapping[str, t.Any], live: Sequence[str]
) -> Candidate:
    name = str(look["item"])
    variables = known(hostvars, name, ["odj_domain", "connector_plan"])
    return Candidate(name, variables.get("odj_domain") or "", look, variables.get("connector_plan") or {}, name in live)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_may_interrupt": odj_may_interrupt}
