# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the set-up program on the controller, and is it the right one?"""

from __future__ import annotations

DOCUMENTATION = r"""
name: odj_installer
short_description: Checks the connector's set-up program on the controller
version_added: 0.1.0
author: The hybridjoin.odj authors (@hybridjoin)
description:
  - Finds the file where M(hybridjoin.odj.odj_connector_install) does, among the files of the play and beside inventory
    and playbook, and compares its SHA-256.
  - A set-up program that servers fetch or have is not looked at. The answer is empty then.
options:
  _terms:
    description: The installer as C(odj_installer) describes it, with C(src) and C(checksum).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Look whether the set-up program is there
  ansible.builtin.debug:
    msg: "{{ query('hybridjoin.odj.odj_installer', odj_installer) }}"
"""

RETURN = r"""
_raw:
  description: One verdict for each file with C(server), C(name), C(verdict), C(found), C(wanted), C(cause), C(cure).
  type: list
  elements: dict
"""

import hashlib
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible.plugins.lookup import LookupBase

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.installer_source import places_of, verdict
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import parse_checksum


class LookupModule(LookupBase):
    """The lookup."""

    def run(
        self, terms: Sequence[Mapping[str, t.Any]], variables: Mapping[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, str]]:
        """Return the verdicts on files of the controller."""
        known = variables or {}
        server = str(known.get("inventory_hostname", ""))
        return [{"server": server, **self._verdict(term, known)} for term in terms if term.get("src")]

    def _verdict(self, installer: Mapping[str, t.Any], variables: Mapping[str, t.Any]) -> dict[str, str]:
        src = str(Path(str(installer["src"])).expanduser())
        base: t.Any = self
        found: str | None = base.find_file_in_search_path(variables, "files", src, ignore_missing=True)
        found = found or next((place for place in places_of(src, variables) if Path(place).is_file()), None)
        try:
            checksum = parse_checksum(str(installer.get("checksum", "")))
        except InvalidInput as error:
            return {**verdict(src, found, None, None), "cause": str(error), "cure": ""}
        return verdict(src, found, _digest(found), checksum)


def _digest(path: str | None) -> str | None:
    """Return the SHA-256 of a file; None when it cannot be read."""
    if path is None:
        return None
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()
