# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that no playbook reads."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_unknown_variables
short_description: Finds variables that begin with odj_ and that no playbook of the collection reads
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - A name that is nearly one of theirs is told with it.
positional: _input
options:
  _input:
    description: Names of variables.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Say what is probably misspelt
  ansible.builtin.debug:
    msg: "{{ query('ansible.builtin.varnames', '^odj_') | hybridjoin.odj.odj_unknown_variables }}"
"""

RETURN = r"""
_value:
  description: One sentence for each of them.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.inventory_variables import (
    unknown_variables,
)


def odj_unknown_variables(names: Iterable[str]) -> list[str]:
    """Return one sentence for each unknown variable."""
    return unknown_variables(names)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_unknown_variables": odj_unknown_variables}
