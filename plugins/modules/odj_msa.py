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
  - >-
    A group account works only in a forest with a KDS root key, from 10 hours after the key's start time on. Before a
    group account is made, the key is looked up. A key that may not be used yet is an error. That none can be seen is a
    warning, unless O(require_kds_root_key) is set, since by default only administrators may read the keys.
  - >-
    Least privilege of the account that is used, for O(state=present), is Create child of the class
    msDS-ManagedServiceAccount or msDS-GroupManagedServiceAccount in the container; for O(state=absent), Delete child
    of that class there.
  - >-
    To change an account later, also one that it created itself, it needs Write property on that account for
    dNSHostName, msDS-SupportedEncryptionTypes and msDS-GroupMSAMembership (O(allowed_readers)), and unless it created
    the account, for description and userAccountControl. What creators may change was seen in domains of Samba 4.17
    and 4.22, from the default permissions in their schemas (Windows Server 2012 R2 and 2019).
  - >-
    Domains that restrict what creators may set (KB5008383) demand Write property for msDS-SupportedEncryptionTypes at
    creation too, and for a group account for msDS-GroupMSAMembership. Seen in a domain of Samba 4.22.
  - >-
    For O(host) and O(hosts), it needs Write property for msDS-HostServiceAccount on each computer object that a link
    is made on or taken from. For O(remove_delegations), it needs Modify permissions (WRITE_DAC) on each of the OUs.
extends_documentation_fragment:
  - hybridjoin.odj._directory
  - hybridjoin.odj._attributes
options:
  name:
    description:
      - Name of the account, at most 15 characters without the dollar sign.
      - >-
        Also C(DOMAIN\\name$) as RV(hybridjoin.odj.odj_server_info#module:server.service) has it, or
        C(name@domain); for an account that exists its distinguished name or SID as well.
      - >-
        An account that the directory takes for the same is an error (not every directory tells letters with accents
        from those without).
    type: str
    required: true
  kind:
    description:
      - V(standalone) works on one computer, V(group) on all those that may read its password (O(readers)).
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
      - Whether the account may be used. A new account may when this is not set.
      - >-
        An account that exists is left as it is when not set: somebody may have disabled it for a reason. It is remarked
        on in RV(remarks) then.
    type: bool
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
      - Exactly the encryption types of Kerberos that the account has, one at least.
      - When not set, a new account has V(aes128) and V(aes256), and those of an existing one are left as they are.
      - Other flags in msDS-SupportedEncryptionTypes (compound identity, claims) stay as they are.
    type: list
    elements: str
    choices: [rc4, aes128, aes256]
  require_kds_root_key:
    description:
      - For O(kind=group), fail unless a KDS root key can be seen that may be used. Nothing is written then.
      - The account that is used here has to be allowed to read the keys.
    type: bool
    default: false
  host:
    description:
      - The computer that a standalone account works on, named as in O(hosts).
      - Short for O(hosts) with this one computer as C(set), and mutually exclusive with it.
    type: str
  hosts:
    description:
      - >-
        The computers that the account is linked to, each as FQDN, sAMAccountName (the dollar sign may be left out),
        C(DOMAIN\\name), distinguished name or SID.
      - A managed service account is never taken for a computer, though Active Directory has it in that class too.
      - The links are left as they are when not set.
      - >-
        A standalone account works on one computer. One that is linked to another computer is refused, unless that
        computer is named in O(hosts.remove) or O(force) is set. A group account needs no link.
    type: dict
    suboptions:
      add:
        description: These are to be linked, whatever else is.
        type: list
        elements: str
      remove:
        description: These are not to be linked. A computer that does not exist counts as not linked.
        type: list
        elements: str
      set:
        description: Exactly these are to be linked. An empty list takes every link away.
        type: list
        elements: str
  allowed_readers:
    description:
      - Exactly who may read the password of a group account. An empty list takes the right from everyone.
      - Short for O(readers) with this as C(set), and mutually exclusive with it.
    type: list
    elements: str
  readers:
    description:
      - >-
        Who may read the password of a group account (computers, or better a group of them), each as sAMAccountName,
        C(DOMAIN\\name), user principal name, distinguished name or SID; a computer also by its FQDN.
      - The list is left as it is when not set. Entries that speak of other rights, and denials, stay untouched.
      - >-
        An entry that holds nothing but a generic right (GENERIC_ALL, GENERIC_READ) is told as that of a reader and
        removed as such. For a reader that is asked for, it is replaced by one that surely lets read; Samba 4.22 gives
        nobody the password for a generic right.
      - A reader that is a single computer is remarked on in RV(remarks).
    type: dict
    suboptions:
      add:
        description: These may read, whoever else may.
        type: list
        elements: str
      remove:
        description: These may not read. Give the SID of an account that is deleted.
        type: list
        elements: str
      set:
        description: Exactly these may read. An empty list takes the right from everyone.
        type: list
        elements: str
  remove_delegations:
    description:
      - >-
        With O(state=absent), distinguished names of OUs that the account goes from too: every entry of its own in their
        access lists is removed, before the account is.
      - Entries that an OU inherits stay and are named in RV(remarks).
      - >-
        Nothing is done once the account is gone, since its SID is not known any more. An entry that was forgotten then
        shows as an orphaned SID.
    type: list
    elements: str
  backup_path:
    description:
      - >-
        File for restore points (JSON, mode 0600, on the host where the module runs), the same as that of
        M(hybridjoin.odj.odj_ou_delegate). Before O(remove_delegations) writes an access list, its distinguished name,
        the old and the new list, the SHA-256 of the new one, time, server and reason are added.
      - >-
        M(hybridjoin.odj.odj_ou_delegate) with O(hybridjoin.odj.odj_ou_delegate#module:state=restored) puts such a list
        back. The account does not come back with it. Once it is removed, its entries are those of an orphaned SID.
      - The directory the file is in has to exist.
      - >-
        No restore point is kept of the list of readers (O(readers)). It is not the access list of an object but an
        attribute, msDS-GroupMSAMembership. C(set) in O(readers) with the RV(service_account.allowed_readers) of a
        check before the change lets the same accounts read again.
      - >-
        The file and its directory have to belong to the account that the task runs as, or to root, and nobody else may
        write them (a shared directory with the sticky bit, such as C(/tmp), is allowed). Whoever can write the file
        could have any access list written by M(hybridjoin.odj.odj_ou_delegate).
    type: path
  backup_keep:
    description:
      - >-
        How many changes of each object stay in the file of O(backup_path). The oldest go when a task has written its
        lists; V(0) keeps all of them.
      - Only the last change of an object can be put back. The older ones are for people.
    type: int
    default: 10
  replicated_to:
    description:
      - Further domain controllers of the domain, by name.
      - The task ends when each of them holds the account as O(server) does.
      - >-
        Each is logged on to with the same options of the connection (but O(server_name)) before anything is written,
        and looked at again and again. Entries of O(remove_delegations) are not waited for.
      - They are waited for also when there is nothing to change, and never in check mode.
    type: list
    elements: str
  replication_timeout:
    description:
      - Seconds to wait for O(replicated_to), for all of them together. They are looked at once at least.
    type: int
    default: 300
  force:
    description:
      - With O(state=absent), remove the account although it is linked to a computer.
      - With O(host) or O(hosts), take a standalone account from the computer it is linked to.
    type: bool
    default: false
author:
  - The hybridjoin.odj authors (@hybridjoin)
seealso:
  - module: hybridjoin.odj.odj_msa_info
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

- name: Let one more group of servers read its password, and let nobody use it before both controllers have it
  hybridjoin.odj.odj_msa:
    name: gmsaODJ
    kind: group
    readers:
      add: [CONTOSO\ODJ test servers]
      remove: [CONTOSO\ODJ99$]
    replicated_to: [dc2.contoso.com]
    replication_timeout: 600
  delegate_to: localhost
  run_once: true

- name: Make a standalone account and link it to its server
  hybridjoin.odj.odj_msa:
    name: msaODJ01
    host: odj01
  delegate_to: localhost

- name: Move it to the server's successor
  hybridjoin.odj.odj_msa:
    name: msaODJ01
    hosts:
      add: [odj11]
      remove: [odj01]
  delegate_to: localhost

- name: Remove the account of a server that is gone, and its right to create computers
  hybridjoin.odj.odj_msa:
    name: msaODJab1cd
    state: absent
    remove_delegations:
      - OU=Autopilot,DC=contoso,DC=com
    backup_path: /var/lib/odj/restore-points.json
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
remarks:
  description: What somebody should know although it is no change and no error, each as a sentence.
  returned: success
  type: list
  elements: str
  sample:
    - CONTOSO\ODJ01$ is a single computer. With a group in its place, computers come and go without a change here.
kds_root_key:
  description: >-
    Whether a group account can have a password. Looked at before one is made, and with O(require_kds_root_key). Null
    otherwise.
  returned: success
  type: dict
  contains:
    state:
      description: V(usable), V(waiting) or V(unknown).
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
progress:
  description:
    - How far a task got that failed after it had planned. C(changed) is true when something was done or is in doubt.
    - Each entry has C(action), C(target) and C(summary), as in RV(plan).
  returned: when the task fails after it had planned
  type: dict
  contains:
    done:
      description: What was done.
      type: list
      elements: dict
      sample: []
    in_doubt:
      description: What was begun, and may have been done. Run again to see, and to go on.
      type: list
      elements: dict
      sample: []
    left:
      description: What was not begun, or was refused.
      type: list
      elements: dict
      sample: []
interrupted:
  description:
    - >-
      Lists that an earlier task wrote which was killed before it could take note of that, or is still running, as
      O(backup_path) tells. This is told once, except in check mode.
  returned: success, and when the task fails after it had begun to write
  type: list
  elements: dict
  contains:
    organizational_unit:
      description: Distinguished name of the object.
      type: str
      sample: OU=Autopilot,DC=contoso,DC=com
    time:
      description: When that task kept the restore point, in UTC.
      type: str
      sample: '2026-11-24T12:00:00.000+00:00'
    summary:
      description: What it did.
      type: str
      sample: 'OU=Autopilot,DC=contoso,DC=com: + CONTOSO\msaODJab1cd$ may create computers'
lost_updates:
  description:
    - >-
      Whether anybody else wrote a list between the moment it was read and the moment it was read back. The domain
      controller counts the writes of each attribute (C(replPropertyMetaData)).
  returned: success, and when the task fails after it had begun to write
  type: dict
  contains:
    possible:
      description: >-
        Objects whose list somebody else wrote in between. What was asked for is there, but one of the two writes may
        have overwritten what the other did not know of. There is a warning for each.
      type: list
      elements: str
      sample: []
    not_checked:
      description: Objects whose count of writes the account may not read. Nothing is known of them.
      type: list
      elements: str
      sample: []
written_again:
  description: >-
    Units of O(remove_delegations) whose list somebody else wrote at the same time, so that the change was made on top
    of theirs.
  returned: success, and when the task fails after it had begun to write
  type: list
  elements: str
  sample: []
replication:
  description: The servers of O(replicated_to), and how often each was looked at (0 in check mode with changes).
  returned: success
  type: list
  elements: dict
  sample: [{"server": "dc2.contoso.com", "looks": 3}]
plan:
  description:
    - The changes, each with a sentence for people and the reason.
    - C(interrupts) says whether a connector that works is out of service meanwhile, or would not start again.
  returned: success
  type: dict
  sample: {"changes": [], "side_conditions": []}
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
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.msa import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
