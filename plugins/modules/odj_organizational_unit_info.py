#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_organizational_unit_info
short_description: Says which organizational units exist, and whether their permissions may be changed
version_added: 0.1.0
description:
  - Looks up organizational units by distinguished name in one domain controller.
  - Says of each whether it exists, of what class it is, and whether O(username) may change its access list.
  - Of a unit that does not exist, it says which object above it does.
  - A malformed name is always an error.
  - Needs an account that may log on. What every account may read in a default directory is enough.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes.read_only
options:
  organizational_units:
    description:
      - Distinguished names. A comma within a name is escaped, as in C(OU=Lab\\, North,DC=contoso,DC=com).
    type: list
    elements: str
    required: true
  require:
    description:
      - Fail when one of them does not exist. The message names all that are missing.
    type: bool
    default: false
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_ou_delegate
"""

EXAMPLES = r"""
- name: Stop early when a target of the join does not exist
  hybridjoin.odj.odj_organizational_unit_info:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
      - OU=Lab\, North,DC=contoso,DC=com
    require: true
  delegate_to: localhost
  run_once: true

- name: Have a domain controller looked up, and log on by Kerberos
  hybridjoin.odj.odj_organizational_unit_info:
    domain: contoso.com
    auth_protocol: kerberos
    username: odj-automation@CONTOSO.COM
    keytab: /runner/secrets/odj.keytab
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
organizational_units:
  description: One entry for each name, in the order of the question.
  returned: success
  type: list
  elements: dict
  contains:
    requested:
      description: The name as it was given.
      type: str
      sample: ou=autopilot,dc=contoso,dc=com
    dn:
      description: The name as the directory spells it, or as it was understood when there is no such object.
      type: str
      sample: OU=Autopilot,DC=contoso,DC=com
    exists:
      description: Whether there is such an object.
      type: bool
      sample: true
    object_class:
      description: Its most specific class, or an empty string.
      type: str
      sample: organizationalUnit
    can_write_dacl:
      description: Whether O(username) may change its access list, as the domain controller computes it.
      type: bool
      sample: true
    nearest_existing:
      description: Of a unit that does not exist, the nearest object above it that does, else an empty string.
      type: str
      sample: ""
directory:
  description: The domain controller, and how often it was asked for what.
  returned: success
  type: dict
  contains:
    server:
      description: Name or address of the domain controller, without a port.
      type: str
      sample: dc1.contoso.com
    operations:
      description: How many operations of each kind were made.
      type: dict
      sample: {"bind": 1, "search": 2, "modify": 0, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import LIBRARIES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.organizational_unit_info import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
