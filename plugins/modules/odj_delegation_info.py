#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_delegation_info
short_description: Says who may create computers in which organizational units, and what is wrong with it
version_added: 0.1.0
description:
  - Lists every entry in the access lists of organizational units that speaks of creating computers, and its reach.
  - >-
    Computes for each account and each unit whether the account may create computers there, as a domain controller does,
    from the access list of the unit and the groups of the account (nested groups, the primary group, and well-known
    groups such as Authenticated Users), and names the entry that decides.
  - Finds what is missing, too much or left over, each finding with severity, cause and cure.
  - >-
    It judges the right to create (create child on the unit for the class computer). Not judged are whether the name is
    free, and what else a domain controller may demand of the attributes of a new computer.
  - >-
    Reads only. Needs an account that may read the permissions of the units and tokenGroups of the accounts. What every
    account may read in a default directory is enough.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes.read_only
options:
  organizational_units:
    description:
      - >-
        Distinguished names of units to look at, or of containers such as the default computers container.
        A comma within a name is escaped, as in C(OU=Lab\\, North,DC=contoso,DC=com).
      - One that does not exist is an error.
      - At least one of O(organizational_units) and O(search_base) is required.
    type: list
    elements: str
    default: []
  search_base:
    description:
      - Distinguished name of an object, at which the search for organizational units begins.
    type: str
  search_direction:
    description:
      - V(below) takes all organizational units at or below O(search_base), V(above) those at or above it.
    type: str
    choices: [below, above]
    default: below
  accounts:
    description:
      - >-
        Accounts that are meant to create computers in each of the units, each as sAMAccountName with or without the
        dollar sign, C(DOMAIN\\name), user principal name, distinguished name or SID; a computer also by its FQDN.
      - >-
        Without any, the managed service accounts are judged that have an entry on one of the units. It is no finding
        then that one of them lacks the right somewhere.
    type: list
    elements: str
    default: []
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_ou_delegate
  - module: hybridjoin.odj.odj_organizational_unit_info
"""

EXAMPLES = r"""
- name: Prove that the connectors may create computers where the domain join profile puts them
  hybridjoin.odj.odj_delegation_info:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
    accounts:
      - CONTOSO\msaODJab1cd$
      - CONTOSO\msaODJef2gh$
  delegate_to: localhost
  run_once: true
  register: audit

- name: Stop when one of them may not, or when it cannot be told
  ansible.builtin.assert:
    that: audit.access | rejectattr('can_create', 'equalto', 'true') | list | length == 0
    fail_msg: "{{ audit.findings | map(attribute='cause') | join(' ') }}"

- name: Audit all units of the domain
  hybridjoin.odj.odj_delegation_info:
    search_base: DC=contoso,DC=com
  delegate_to: localhost
  run_once: true
  register: audit

- name: Take the entries of deleted accounts away where they were found
  hybridjoin.odj.odj_ou_delegate:
    organizational_units: >-
      {{ audit.findings | selectattr('code', 'equalto', 'orphaned_sid') | map(attribute='organizational_units')
      | flatten | unique }}
    accounts: []
    purge_orphans: true
    backup_path: /var/lib/odj/restore-points.json
  delegate_to: localhost
  run_once: true
  when: audit.findings | selectattr('code', 'equalto', 'orphaned_sid') | length > 0
"""

RETURN = r"""
organizational_units:
  description: The units, with every entry that speaks of creating computers.
  returned: success
  type: list
  elements: dict
  contains:
    dn:
      description: The name as the directory spells it.
      type: str
      sample: OU=Autopilot,DC=contoso,DC=com
    object_class:
      description: Its most specific class.
      type: str
      sample: organizationalUnit
    readable:
      description: Whether its access list may be read.
      type: bool
      sample: true
    owner:
      description: Who owns it, or an empty string when that may not be read.
      type: str
      sample: CONTOSO\Domain Admins
    canonical:
      description: Whether its entries are in the order that the tools of Windows keep.
      type: bool
      sample: true
    entries:
      description: The entries in their order.
      type: list
      elements: dict
      contains:
        account:
          description: Whom the entry is for, or the SID when it has no name here.
          type: str
          sample: CONTOSO\msaODJab1cd$
        sid:
          description: The SID.
          type: str
          sample: S-1-5-21-1004336348-1177238915-682003330-1234
        kind:
          description: >-
            V(standalone_service_account), V(group_service_account), V(delegated_service_account), V(computer), V(user),
            V(group), V(well_known), V(orphan) (of this domain, but there is no such account) or V(foreign).
          type: str
          sample: standalone_service_account
        type:
          description: V(allow) or V(deny).
          type: str
          sample: allow
        classes:
          description: V(computer), or V(all) when it is not limited to a class.
          type: str
          sample: computer
        reach:
          description: >-
            V(this_object), V(subtree) (this object and everything below), V(this_object_and_children), V(descendants)
            (everything below), V(children) or V(nothing).
          type: str
          sample: this_object
        heirs:
          description: The class of objects that inherit it, or V(all).
          type: str
          sample: all
        conditional:
          description: Whether it holds only under a condition.
          type: bool
          sample: false
        inherited:
          description: Whether it is inherited.
          type: bool
          sample: false
        inherited_from:
          description: The object on which it was made, when it is inherited and that is found, else an empty string.
          type: str
          sample: ""
        ace:
          description: The entry in SDDL.
          type: str
          sample: (OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1234)
accounts:
  description: The accounts that were judged.
  returned: success
  type: list
  elements: dict
  contains:
    account:
      description: The account.
      type: str
      sample: CONTOSO\msaODJab1cd$
    sid:
      description: Its SID.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    dn:
      description: Its distinguished name.
      type: str
      sample: CN=msaODJab1cd,CN=Managed Service Accounts,DC=contoso,DC=com
    kind:
      description: As RV(organizational_units[].entries[].kind).
      type: str
      sample: standalone_service_account
    enabled:
      description: Whether it is enabled.
      type: bool
      sample: true
    hosts:
      description: How many computers it is linked to.
      type: int
      sample: 1
    groups_known:
      description: Whether its groups could be read.
      type: bool
      sample: true
    groups:
      description: What it is in, by name where an entry of the units speaks of it, else by SID.
      type: list
      elements: str
      sample: [Authenticated Users, Everyone, S-1-5-21-1004336348-1177238915-682003330-515]
access:
  description: One entry for each account on each unit.
  returned: success
  type: list
  elements: dict
  contains:
    organizational_unit:
      description: The unit.
      type: str
      sample: OU=Autopilot,DC=contoso,DC=com
    account:
      description: The account.
      type: str
      sample: CONTOSO\msaODJab1cd$
    sid:
      description: Its SID.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    can_create:
      description: >-
        Whether it may create computers there. One of the words V(true), V(false) and V(unknown), not a boolean.
      type: str
      sample: "true"
    reason:
      description: >-
        V(allowed) or V(denied) by an entry, V(not_granted) by any, V(no_access_list) (everybody may), and for
        V(unknown) V(condition) (an entry that matters holds under a condition), V(membership) (whether an entry that
        matters concerns the account cannot be known) or V(unreadable).
      type: str
      sample: allowed
    through:
      description: Whom the entry is for that decides, the account itself or something it is in.
      type: str
      sample: CONTOSO\msaODJab1cd$
    inherited_from:
      description: The object on which that entry was made, when it is inherited.
      type: str
      sample: ""
    ace:
      description: That entry in SDDL, or an empty string when there is none.
      type: str
      sample: (OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1234)
findings:
  description:
    - What is wrong or worth to know, the severest first.
    - >-
      What is the same on several units (the same word, account and entry) is one finding that lists them, so that a
      large directory gives a short list.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: >-
        V(missing), V(deny_shadow) (an entry that allows is overridden), V(undecided), V(broader) (more than needed),
        V(inherited) (the right comes from above), V(creates_service_accounts), V(legacy_computer_account),
        V(orphaned_sid), V(without_host) (an account of the sign-in that is linked to no computer), V(disabled),
        V(not_canonical), V(no_access_list) or V(unreadable).
      type: str
      sample: broader
    severity:
      description: V(high), V(medium) or V(low).
      type: str
      sample: high
    organizational_units:
      description:
        - >-
          The objects on which it is cured, as other modules take them. Of a finding about an inherited entry, where the
          entry was made (of V(inherited), the units that inherit it).
        - >-
          Of V(without_host) and V(disabled), where the account has entries about creating computers. Empty when there
          are none.
      type: list
      elements: str
      sample: ["OU=Autopilot,DC=contoso,DC=com"]
    inherited_by:
      description: The units of this audit that inherit the entry from there.
      type: list
      elements: str
      sample: ["OU=Kiosk,OU=Autopilot,DC=contoso,DC=com"]
    account:
      description: Whom it is about, or an empty string.
      type: str
      sample: CONTOSO\msaODJab1cd$
    sid:
      description: The SID, or an empty string.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    ace:
      description: The entry as it stands on that object, in SDDL, or an empty string.
      type: str
      sample: (A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;S-1-5-21-1004336348-1177238915-682003330-1234)
    excess:
      description: >-
        What is too much, V(full_control), V(change_permissions), V(take_ownership), V(ownership), V(every_class) and
        V(whole_tree).
      type: list
      elements: str
      sample: [full_control]
    cause:
      description: What is the matter.
      type: str
      sample: 'CONTOSO\msaODJab1cd$ has more than a connector needs (this_object): full control.'
    cure:
      description: What to do, with the module and the options that do it, or that it is to be done by hand.
      type: str
      sample: "Remove the entry: odj_ou_delegate with purge_orphans=true does it."
summary:
  description: How many there are of each.
  returned: success
  type: dict
  contains:
    can_create:
      description: Of each answer.
      type: dict
      sample: {"true": 2, "false": 0, "unknown": 0}
    findings:
      description: Of each severity. One finding may be about many units.
      type: dict
      sample: {"high": 1, "medium": 0, "low": 0}
machine_account_quota:
  description: What an account without the right may do nevertheless.
  returned: success
  type: dict
  contains:
    value:
      description: ms-DS-MachineAccountQuota of the domain, V(null) when it may not be read.
      type: int
      sample: 10
    meaning:
      description: What it means for a connector.
      type: str
      sample: >-
        The machine account quota is 10: without the right, joins may work 10 times for an account, then they fail
        (error 8557).
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
      sample: {"bind": 1, "search": 12, "modify": 0, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.delegation_info import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import LIBRARIES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
