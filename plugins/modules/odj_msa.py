#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_msa
short_description: Makes and removes managed service accounts for connectors
version_added: 0.1.0
description:
  - >-
    Makes standalone (sMSA) and group (gMSA) managed service accounts as directory objects, keeps their attributes as
    described, links a standalone account to its computer, and says who may read the password of a group account.
  - >-
    For connectors whose account you bring yourself. The sign-in of the connector makes its own standalone account
    otherwise.
  - What has to be done on the server itself (taking the account into use, Log on as a service) is not done here.
  - A group account works only in a domain with a KDS root key. That is not checked here.
  - >-
    Least privilege of the account that is used, for O(state=present), is Create child of the class
    msDS-ManagedServiceAccount or msDS-GroupManagedServiceAccount in the container; for O(state=absent), Delete child
    of that class there.
  - >-
    To change an account later, also one that it created itself, it needs Write property on that account for
    dNSHostName, msDS-SupportedEncryptionTypes and msDS-GroupMSAMembership (O(allowed_readers)), and unless it created
    the account, for description and userAccountControl. What creators may change was seen in a domain of Samba 4.17,
    from the default permissions in its schema.
  - >-
    Domains that restrict what creators may set (KB5008383) demand Write property for msDS-SupportedEncryptionTypes at
    creation too.
  - >-
    For O(host), it needs Write property for msDS-HostServiceAccount on the computer object, and with O(force) on the
    computer that the account is taken from.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes
options:
  name:
    description:
      - Name of the account, at most 15 characters, without the dollar sign.
    type: str
    required: true
  kind:
    description:
      - V(standalone) works on one computer, V(group) on all those in O(allowed_readers).
      - The kind of an account that exists cannot change.
    type: str
    choices: [standalone, group]
    default: standalone
  state:
    description:
      - Whether the account is to exist.
      - V(absent) is refused while the account is linked to a computer, unless O(force) is set.
    type: str
    choices: [present, absent]
    default: present
  path:
    description:
      - Distinguished name of the container. Default is the domain's container of managed service accounts.
      - An account that exists in another place is an error. Accounts are not moved.
    type: str
  description:
    description:
      - Text for people. Left as it is when not set, removed when empty.
    type: str
  enabled:
    description:
      - Whether the account may be used.
    type: bool
    default: true
  dns_host_name:
    description:
      - DNS host name of the account. Needed to create an account of O(kind=group). Left as it is when not set.
    type: str
  managed_password_interval_days:
    description:
      - Days between changes of the password, for O(kind=group).
      - It counts at creation only. The directory does not allow to change it later.
    type: int
    default: 30
  kerberos_encryption_types:
    description:
      - Exactly the encryption types of Kerberos that the account has.
    type: list
    elements: str
    choices: [rc4, aes128, aes256]
    default: [aes128, aes256]
  host:
    description:
      - The computer that a standalone account works on, as short name, FQDN or distinguished name.
      - The link is left as it is when not set.
      - An account that is linked to another computer is refused, unless O(force) is set.
    type: str
  allowed_readers:
    description:
      - >-
        Exactly who may read the password of a group account (computers, or better a group of them), each as
        sAMAccountName, C(DOMAIN\\name), user principal name, distinguished name or SID.
      - Left as it is when not set. An empty list takes the right from everyone.
    type: list
    elements: str
  force:
    description:
      - With O(state=absent), remove the account although it is linked to a computer.
      - With O(host), take the account from the computer it is linked to.
    type: bool
    default: false
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_ou_delegate
"""

EXAMPLES = r"""
- name: Make one group account for all connectors of a domain
  hybridjoin.odj.odj_msa:
    server: dc1.contoso.com
    username: CONTOSO\odj-automation
    password: "{{ vault_odj_automation_password }}"
    name: gmsaODJ
    kind: group
    dns_host_name: gmsaodj.contoso.com
    description: Intune Connector for Active Directory
    allowed_readers:
      - CONTOSO\ODJ connector servers
  delegate_to: localhost
  run_once: true

- name: Make a standalone account and link it to its server
  hybridjoin.odj.odj_msa:
    name: msaODJ01
    host: odj01
  delegate_to: localhost

- name: Remove the account of a server that is gone
  hybridjoin.odj.odj_msa:
    name: msaODJab1cd
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
service_account:
  description: The account after the task; in check mode, as it is before.
  returned: success
  type: dict
  contains:
    exists:
      description: Whether it exists. All but RV(service_account.name) and RV(service_account.kind) are left out if not.
      type: bool
      sample: true
    dn:
      description: Its distinguished name.
      type: str
      sample: CN=gmsaODJ,CN=Managed Service Accounts,DC=contoso,DC=com
    name:
      description: Its name without the dollar sign.
      type: str
      sample: gmsaODJ
    sam_account_name:
      description: Its sAMAccountName.
      type: str
      sample: gmsaODJ$
    sid:
      description: Its SID.
      type: str
      sample: S-1-5-21-1004336348-1177238915-682003330-1234
    kind:
      description: V(standalone) or V(group).
      type: str
      sample: group
    enabled:
      description: Whether it may be used.
      type: bool
      sample: true
    description:
      description: Text for people.
      type: str
      sample: Intune Connector for Active Directory
    dns_host_name:
      description: Its DNS host name.
      type: str
      sample: gmsaodj.contoso.com
    managed_password_interval_days:
      description: Days between changes of the password; null for standalone accounts.
      type: int
      sample: 30
    kerberos_encryption_types:
      description: Its encryption types.
      type: list
      elements: str
      sample: [aes128, aes256]
    hosts:
      description: Distinguished names of the computers it is linked to.
      type: list
      elements: str
      sample: []
    allowed_readers:
      description: SIDs that may read the password; null for standalone accounts.
      type: list
      elements: str
      sample: [S-1-5-21-1004336348-1177238915-682003330-1235]
plan:
  description: The changes, each with a sentence for people.
  returned: success
  type: dict
  sample: {"changes": [], "side_conditions": []}
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
      sample: {"bind": 1, "search": 2, "modify": 0, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.msa import LIBRARIES, SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.run import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
