#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_msa_info
short_description: Lists managed service accounts with their hosts, password ages, and orphans
version_added: 0.1.0
description:
  - Lists standalone (sMSA) and group (gMSA) managed service accounts, by name.
  - >-
    Finds the orphans that connectors leave behind: each sign-in makes a standalone account called C(msaODJ) and five
    random characters, and nothing removes it with the server.
  - Says whether the forest has a KDS root key that group accounts can use, as far as O(username) may see it.
  - Ages are counted by the domain controller's clock.
  - Needs an account that may log on. What every account may read in a default directory is enough, but for the KDS key.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes.read_only
options:
  names:
    description:
      - >-
        Only these accounts, each as sAMAccountName (the dollar sign may be left out), C(DOMAIN\\name), C(name@domain),
        distinguished name or SID. In a name, C(*) and C(?) stand for other characters.
      - All accounts when not set. A name that nobody has is no error.
    type: list
    elements: str
  kinds:
    description:
      - Only accounts of these kinds.
    type: list
    elements: str
    choices: [standalone, group]
    default: [standalone, group]
  path:
    description:
      - Distinguished name of the object below which to look. Default is the whole domain.
    type: str
  orphans_only:
    description:
      - Only orphans, as RV(service_accounts[].orphan) says.
    type: bool
    default: false
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_msa
"""

EXAMPLES = r"""
- name: Find accounts of sign-ins that no server uses any more
  hybridjoin.odj.odj_msa_info:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    names: [msaODJ*]
    orphans_only: true
  delegate_to: localhost
  run_once: true
  register: found

- name: Remove those that are older than a day, with their entries on the OU
  hybridjoin.odj.odj_msa:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    name: "{{ item.name }}"
    state: absent
    remove_delegations: ["OU=Autopilot,DC=contoso,DC=com"]
  loop: "{{ found.service_accounts }}"
  loop_control:
    label: "{{ item.name }}"
  when: (now(utc=true) - (item.created | to_datetime('%Y-%m-%dT%H:%M:%SZ'))).total_seconds() > 86400
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
service_accounts:
  description: The accounts, by name.
  returned: success
  type: list
  elements: dict
  contains:
    dn:
      description: Its distinguished name.
      type: str
      sample: CN=msaODJab1cd,CN=Managed Service Accounts,DC=contoso,DC=com
    name:
      description: Its name without the dollar sign.
      type: str
      sample: msaODJab1cd
    sam_account_name:
      description: Its sAMAccountName.
      type: str
      sample: msaODJab1cd$
    sid:
      description: Its SID.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    kind:
      description: V(standalone) or V(group).
      type: str
      sample: standalone
    enabled:
      description: Whether it may be used.
      type: bool
      sample: true
    description:
      description: Text for people.
      type: str
      sample: ""
    dns_host_name:
      description: Its DNS host name.
      type: str
      sample: ""
    managed_password_interval_days:
      description: Days between changes of the password; null for standalone accounts.
      type: int
      sample: 30
    kerberos_encryption_types:
      description: Its encryption types. Empty when the attribute is not set.
      type: list
      elements: str
      sample: [rc4, aes128, aes256]
    hosts:
      description: Distinguished names of the computers it is linked to.
      type: list
      elements: str
      sample: []
    allowed_readers:
      description: SIDs that may read the password; null for standalone accounts.
      type: list
      elements: str
      sample: []
    created:
      description: When it was made, or null when that may not be read.
      type: str
      sample: "2026-03-01T09:12:44Z"
    password_last_set:
      description: When its password was last set, or null when never.
      type: str
      sample: "2026-03-01T09:12:45Z"
    password_age_days:
      description: Whole days since then, or null.
      type: int
      sample: 41
    orphan:
      description: >-
        It is a standalone account with a name as the sign-in gives it (C(msaODJ) and five characters), and no computer
        is linked to it. It can be removed when it is not being made right now (see RV(service_accounts[].created)).
      type: bool
      sample: true
orphans:
  description: RV(service_accounts[].sam_account_name) of the orphans among them.
  returned: success
  type: list
  elements: str
  sample: [msaODJab1cd$]
kds_root_key:
  description: Whether group accounts can have passwords. Null when O(kinds) is without V(group).
  returned: success
  type: dict
  contains:
    state:
      description: V(usable), V(waiting) for the 10 hours after its start time, or V(unknown).
      type: str
      sample: usable
    reason:
      description: Why.
      type: str
      sample: the KDS root key 2d3e2b4c-5f60-4f1c-8a5b-0f6f5d1f6f10 is in use
    usable_from:
      description: The first moment at which a key may be used, or null.
      type: str
      sample: "2026-03-01T20:00:00Z"
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
      sample: {"bind": 1, "search": 5, "modify": 0, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import LIBRARIES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.msa_info import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
