# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a plan takes a connector out of service."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_interrupts
short_description: Says whether a planned change takes a connector out of service
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - An upgrade, a removal and a restart do, even for seconds. A first installation does not.
positional: _input
options:
  _input:
    description: Result of M(hybridjoin.odj.odj_connector_install), best from a check run.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop before anything is interrupted
  ansible.builtin.assert:
    that: not (connector_plan | hybridjoin.odj.odj_interrupts)
"""

RETURN = r"""
_value:
  description: Whether it does.
  type: bool
"""

from collections.abc import Callable, Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.interruption import interrupts


def odj_interrupts(result: Mapping[str, object]) -> bool:
    """Return whether the plan of a task result does."""
    return interrupts(result) is True


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_interrupts": odj_interrupts}
