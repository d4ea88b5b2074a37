# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of sign-ins for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_sign_in_lines
short_description: Tells the sign-ins that are still needed in lines for people
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - On a check run they are followed by what the run would do after the sign-in.
positional: _input, afterwards
options:
  _input:
    description: Sign-ins, as P(hybridjoin.odj.odj_sign_ins#filter) returns them.
    type: list
    elements: dict
    required: true
  afterwards:
    description: What the run would do after them, when it has not been told otherwise.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show who has to sign in where
  ansible.builtin.debug:
    msg: "{{ sign_ins | hybridjoin.odj.odj_sign_in_lines }}"
"""

RETURN = r"""
_value:
  description: The lines; none when nobody has to sign in.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.sign_ins import lines_of


def odj_sign_in_lines(sign_ins: Sequence[Mapping[str, object]], afterwards: Sequence[str] = ()) -> list[str]:
    """Return the lines."""
    return [*lines_of(sign_ins), *(afterwards if sign_ins else ())]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_sign_in_lines": odj_sign_in_lines}
