# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on the prerequisites of one server."""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_verdicts
short_description: Puts together what a server, the directory and Intune say about the prerequisites
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - An answer that is missing is a verdict too.
positional: _input, server, directory, cloud, organizational_units, delegation, intune
options:
  _input:
    description: Result of M(hybridjoin.odj.odj_prereqs), or an empty dictionary.
    type: dict
    required: true
  server:
    description: Name of the server.
    type: str
    required: true
  directory:
    description: Result of M(hybridjoin.odj.odj_organizational_unit_info), or an empty dictionary.
    type: dict
    required: true
  cloud:
    description: Result of M(hybridjoin.odj.odj_connector_info), or an empty dictionary.
    type: dict
    required: true
  organizational_units:
    description: The organizational units that the server needs.
    type: list
    elements: str
    default: []
  delegation:
    description: Whether they must be open to delegation.
    type: bool
    default: false
  intune:
    description: Whether Intune must answer.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: See what is missing
  ansible.builtin.debug:
    msg: "{{ prereqs_server | hybridjoin.odj.odj_verdicts(inventory_hostname, {}, {}) | hybridjoin.odj.odj_unmet }}"
"""

RETURN = r"""
_value:
  description:
    - One entry for each verdict with C(server), C(name), C(verdict) (V(met), V(unmet), V(unknown)), C(found),
      C(wanted), C(cause), C(cure).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.preflight import Asked, verdicts_of


def odj_verdicts(
    result: Mapping[str, object],
    server: str,
    directory: Mapping[str, object],
    cloud: Mapping[str, object],
    organizational_units: Sequence[str] = (),
    delegation: bool = False,
    intune: bool = False,
) -> list[dict[str, str]]:
    """Return the verdicts on one server."""
    return verdicts_of(Asked(server, tuple(organizational_units), delegation, intune), result, directory, cloud)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return it by name."""
        return {"odj_verdicts": odj_verdicts}
