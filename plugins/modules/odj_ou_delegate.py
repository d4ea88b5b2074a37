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
    Puts access control entries for each account on each organizational unit, or takes them away.
    By default it is the one entry that Microsoft documents for the connector and nothing more, Allow, create child,
    class computer, this object only, in SDDL C((OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;SID)).
  - Owner, group, audit list and all other entries stay as they are, byte for byte.
  - Every name is resolved and every access list is read before the first one is written.
  - >-
    The GUIDs of classes and extended rights are pinned, and compared with the schema and the extended rights of the
    directory. Nothing is delegated when they differ or cannot be read.
  - >-
    An entry that allows more and covers this right counts as there. It is reported as RV(delegations[].broader),
    and is neither narrowed nor removed. An inherited entry is never edited, RV(delegations[].inherited_from) says
    where it comes from.
  - >-
    An entry that denies the right, to the account or to a group it is in, is an error that names it. It is neither
    overridden nor removed; that goes for an inherited one too, although a new entry of the unit itself would come
    before it, for somebody further up wants it so. Where something about computers is denied to anybody but
    Everyone, tokenGroups of the accounts has to be readable.
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
        user principal name, distinguished name or SID; a computer also by its FQDN. Each has to mean exactly one
        account.
      - >-
        With O(state=absent) a SID may be that of an account that does not exist any more.
      - An empty list changes nothing, so that a play can run before the first sign-in.
      - Required unless O(state=restored).
    type: list
    elements: str
  rights:
    description:
      - What the accounts may do.
      - V(create_computer) is all that a connector needs for new computers.
      - V(delete_computer) lets them delete the computers in the unit.
      - >-
        V(reuse_computer) lets them join again with computer accounts that others made. It takes four entries for the
        computers below the unit, each of them necessary, Reset Password, Account Restrictions, Validated write to DNS
        host name, and Validated write to service principal name.
    type: list
    elements: str
    choices: [create_computer, delete_computer, reuse_computer]
    default: [create_computer]
  applies_to:
    description:
      - V(this_object) is for the unit itself. Units below it are not reached, so name each one.
      - V(subtree) is for the unit and all units below it.
      - V(reuse_computer) is for all computers below the unit either way.
    type: str
    choices: [this_object, subtree]
    default: this_object
  state:
    description:
      - V(present) adds the entries where nothing covers the right.
      - >-
        V(absent) removes exactly these entries. Where one was merged with other rights for the same class, only this
        right is taken out. With O(applies_to=subtree) the entry for this object only is removed too.
      - >-
        V(exact) is V(present), and takes the entries about computers away from all other service accounts of
        connectors. These are the standalone managed service accounts that the sign-in makes (named C(msaODJ) and five
        characters) and the O(connector_accounts). An entry is about computers when it lets create or delete computers
        and nothing else, or when computers alone inherit it. Entries of anybody else stay. With no O(accounts),
        nothing is taken away.
      - V(restored) puts back what O(backup_path) says was there before the last change of each unit.
      - >-
        Only the last change that was made and is not itself a restoration is undone. The one before it is not put back,
        nor is a restoration undone. Where it was put back before, nothing changes, whatever others changed since.
      - >-
        A list that is neither what it was before that change nor what the change made of it is an error that says what
        else changed (see O(force)). A unit that the file knows no change of is an error.
    type: str
    choices: [present, absent, exact, restored]
    default: present
  connector_accounts:
    description:
      - >-
        Further accounts that belong to connectors, for O(state=exact), as there is no way to tell by their names.
        These are service accounts of your own and the computer accounts of servers with a legacy connector.
      - Written as O(accounts). A SID may be that of an account that does not exist any more.
    type: list
    elements: str
    default: []
  purge_orphans:
    description:
      - >-
        Also remove the entries about computers (see O(state)) of SIDs of this domain that no account has any more, as
        those of deleted C(msaODJ) accounts. The account that is used has to be able to read all accounts, what it
        cannot read looks deleted. SIDs that Windows itself defines (below 1000 at their end) are left alone.
    type: bool
    default: false
  canonicalize:
    description:
      - >-
        Put an access list that has to change in canonical order first (explicit deny, explicit allow, inherited).
        This can change what it means. Without it, a list in another order is refused. Not with O(state=restored).
    type: bool
    default: false
  allow_unusual_targets:
    description:
      - >-
        Distinguished names of O(organizational_units) that are wanted although they are unusual. Unusual are the root
        of the domain, the container of domain controllers and all below it, AdminSDHolder, and everything that is
        neither an organizational unit nor the default computers container.
    type: list
    elements: str
    default: []
  backup_path:
    description:
      - >-
        File for restore points (JSON, mode 0600, on the host where the module runs). Before an access list is written,
        its distinguished name, the old and the new list, the SHA-256 of the new one, time, server and reason are added.
      - >-
        A point whose list was not written in the end is taken out, so that a failed task never hides the change before
        it. One that stays because the task was killed at that moment is recognised when a list is put back.
      - >-
        Also the lists that O(state=restored) overwrites are added, so that what O(force) destroys can be read there, as
        base64 of the descriptor.
      - Several tasks and hosts may use the same file at the same time. M(hybridjoin.odj.odj_msa) writes it too.
      - The directory it is in has to exist.
      - >-
        The file and its directory have to belong to the account that the task runs as, or to root, and nobody else may
        write them (a shared directory with the sticky bit, such as C(/tmp), is allowed). Whoever can write the file
        could have any access list written by O(state=restored).
      - Required when O(state=restored).
    type: path
  backup_keep:
    description:
      - >-
        How many changes of each object stay in the file of O(backup_path). The oldest go when a task has written its
        lists; V(0) keeps all of them.
      - Only the last change of an object can be put back. The older ones are for people.
    type: int
    default: 10
  force:
    description:
      - >-
        With O(state=restored), put the old list back even where somebody else changed the list since. Their changes
        are lost. Without it, such a unit is an error that says what else changed.
    type: bool
    default: false
notes:
  - >-
    A list is written only if it still is what it was when the plan was made, else the change is planned again on top of
    what others wrote. It is read back 0.2 seconds or more after the last write, and made again where somebody overwrote
    it. RV(written_again) names these units.
  - >-
    LDAP cannot compare and change an access list in one step. A write that takes longer than that on its way can still
    overwrite another one. This is not prevented, but detected, however late it comes. RV(lost_updates) and a warning
    name the units, where the account may read how often a list was written.
  - >-
    All of this is about one domain controller. Of two conflicting writes on two domain controllers, the last one wins
    for the whole list when they replicate. Let all tasks use the same O(server).
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

- name: Let this account and no other connector join computers here, again too, and leave restore points
  hybridjoin.odj.odj_ou_delegate:
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
    accounts:
      - CONTOSO\gmsa-odj$
    connector_accounts:
      - CONTOSO\ODJ01$
    rights:
      - create_computer
      - reuse_computer
    applies_to: subtree
    state: exact
    purge_orphans: true
    backup_path: /var/lib/odj/restore-points.json
  delegate_to: localhost
  run_once: true

- name: Put the access list back to what it was before that
  hybridjoin.odj.odj_ou_delegate:
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
    state: restored
    backup_path: /var/lib/odj/restore-points.json
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
delegations:
  description:
    - How it stands with each account on each unit after the task (in check mode, after the plan).
    - Empty with O(state=restored).
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
      description:
        - >-
          The right, as in O(rights). V(other) when entries about computers that are none of these were removed by
          O(state=exact) or O(purge_orphans).
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
    inherited_from:
      description:
        - >-
          Distinguished name of the object that carries that entry, V(above) when it cannot be found out, or an empty
          string when the entry is not inherited.
      type: str
      sample: ""
    aces:
      description: The entries that count, in SDDL.
      type: list
      elements: str
      sample: ["(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1234)"]
    ace:
      description: The first of them, or an empty string when there is none.
      type: str
      sample: (OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;S-1-5-21-1004336348-1177238915-682003330-1234)
plan:
  description:
    - The changes, each with a sentence for people, the reason, and the access list before and after.
    - C(interrupts) says whether a connector that works is out of service meanwhile, or would not start again.
  returned: success
  type: dict
  sample:
    changes:
      - action: replace_dacl
        target: OU=Autopilot,DC=contoso,DC=com
        summary: 'OU=Autopilot,DC=contoso,DC=com: + CONTOSO\msaODJab1cd$ may create computers (this object only)'
    side_conditions: []
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
  description: Units whose list somebody else wrote at the same time, so that the change was made on top of theirs.
  returned: success, and when the task fails after it had begun to write
  type: list
  elements: str
  sample: []
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
      description: Name or address of the domain controller, without a port.
      type: str
      sample: dc1.contoso.com
    operations:
      description: How many operations of each kind were made.
      type: dict
      sample: {"bind": 1, "search": 8, "modify": 1, "add": 0, "delete": 0}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import LIBRARIES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
