#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_ou_delegate
short_description: Lets connector service accounts create computers in organizational units
version_added: 0.1.0
description:
  - >-
    Puts one access control entry for each account on each organizational unit, or takes it away.
    The entry is the one Microsoft documents for the connector and nothing more, Allow, create child,
    class computer, this object only, in SDDL C((OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;SID)).
  - Owner, group, audit list and all other entries stay as they are, byte for byte.
  - Every name is resolved and every access list is read before the first one is written.
  - >-
    Each access list is read again just before and after it is written. One that somebody else changed meanwhile is an
    error, and is not overwritten.
  - >-
    An entry that allows more and covers this right counts as there. It is reported as RV(delegations[].broader),
    and is neither narrowed nor removed.
  - An entry that denies the right is an error that names it. It is neither overridden nor removed.
  - An access list that is not in canonical order is not changed.
  - >-
    The entry does not reach child units. Name each unit in which computers are to be created.
  - >-
    The account that is used needs Modify permissions (WRITE_DAC) on each unit that has to change, and nothing else
    beyond what every account may read.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes
options:
  organizational_units:
    description:
      - Distinguished names of the units. A comma within a name is escaped, as in C(OU=Lab\\, North,DC=contoso,DC=com).
      - Only organizational units and the default computers container are taken.
    type: list
    elements: str
    required: true
  accounts:
    description:
      - >-
        The service accounts, each as sAMAccountName with or without the dollar sign, C(DOMAIN\\name),
        user principal name, distinguished name or SID.
      - >-
        With O(state=absent) a SID may be that of an account that does not exist any more.
      - An empty list changes nothing, so that a play can run before the first sign-in.
    type: list
    elements: str
    required: true
  rights:
    description:
      - What the accounts may do.
    type: list
    elements: str
    choices: [create_computer]
    default: [create_computer]
  state:
    description:
      - V(present) adds the entry where nothing covers the right.
      - >-
        V(absent) removes exactly that entry. Where it was merged with other rights for the same class, only this right
        is taken out.
    type: str
    choices: [present, absent]
    default: present
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_msa
  - module: hybridjoin.odj.odj_organizational_unit_info
"""

EXAMPLES = r"""
- name: Let two connectors create computers in two units
  hybridjoin.odj.odj_ou_delegate:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
      - OU=Lab\, North,DC=contoso,DC=com
    accounts:
      - CONTOSO\msaODJab1cd$
      - CONTOSO\msaODJef2gh$
  delegate_to: localhost
  run_once: true

- name: Take the right away from an account that was deleted, by its SID
  hybridjoin.odj.odj_ou_delegate:
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
    accounts:
      - S-1-5-21-1004336348-1177238915-682003330-1234
    state: absent
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
delegations:
  description: How it stands with each account on each unit after the task (in check mode, after the plan).
  returned: success
  type: list
  elements: dict
  contains:
    organizational_unit:
      description: Distinguished name of the unit, as the directory spells it.
      type: str
      sample: OU=Autopilot,DC=contoso,DC=com
    account:
      description: The account, or its SID when it does not exist any more.
      type: str
      sample: CONTOSO\msaODJab1cd$
    sid:
      description: SID of the account.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    right:
      description: The right, as in O(rights).
      type: str
      sample: create_computer
    state:
      description: V(present) or V(absent) when it was so before, V(added) or V(removed) when that is the change.
      type: str
      sample: added
    broader:
      description: Whether an entry that allows more than this right is the one that counts, or the one that remains.
      type: bool
      sample: false
    inherited:
      description: Whether that entry is inherited from further up.
      type: bool
      sample: false
    ace:
      description: The entry in SDDL, or an empty string when there is none.
      type: str
      sample: (OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1234)
plan:
  description: The changes, each with a sentence for people and the access list before and after.
  returned: success
  type: dict
  sample:
    changes:
      - action: replace_dacl
        target: OU=Autopilot,DC=contoso,DC=com
        summary: 'OU=Autopilot,DC=contoso,DC=com: + CONTOSO\msaODJab1cd$ may create computers (this object only)'
    side_conditions: []
note:
  description: Says so when O(accounts) was empty.
  returned: when no account was given
  type: str
  sample: No account was given, so there is nothing to delegate yet.
directory:
  description: The domain controller, and how often it was asked for what.
  returned: success
  type: dict
  contains:
    server:
      description: The domain controller, as given in O(server).
      type: str
      sample: dc1.contoso.com
    operations:
      description: How many operations of each kind were made.
      type: dict
      sample: {"bind": 1, "search": 5, "modify": 1, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate import LIBRARIES, SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.run import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
