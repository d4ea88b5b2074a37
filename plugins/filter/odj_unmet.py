# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences on what a server lacks."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_unmet
short_description: Says in sentences which prerequisites a server lacks
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - Each says what is wrong and what to do about it.
positional: _input
options:
  _input:
    description: Verdicts, as P(hybridjoin.odj.odj_verdicts#filter) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when something is missing
  ansible.builtin.assert:
    that: verdicts | hybridjoin.odj.odj_unmet | length == 0
"""

RETURN = r"""
_value:
  description: One text for each prerequisite that is not met.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.preflight import unmet


def odj_unmet(verdicts: Iterable[Mapping[str, str]]) -> list[str]:
    """Return what is missing."""
    return unmet(verdicts)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_unmet": odj_unmet}
