#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_ou_config
short_description: Edits the OU list of an installed Intune Connector for Active Directory
version_added: 0.1.0
description:
  - >-
    Edits the key C(OrganizationalUnitsUsedForOfflineDomainJoin) in the configuration file of the connector's wizard
    (C(ODJConnectorEnrollmentWizard.exe.config)). Only the bytes of the value change. Encoding, line ends, comments,
    quotes and all other keys stay as they are.
  - >-
    The file is replaced in one step, keeps its access rights, and the old one stays beside it as a backup. If somebody
    else changed it in the meantime, nothing is done.
  - Entries that stay keep their spelling and their place. Distinguished names are compared as such, not as text.
  - >-
    The list by itself gives no rights. Somebody who may change them presses I(Configure Managed Service Account) in the
    wizard, or M(hybridjoin.odj.odj_ou_delegate) sets them.
options:
  organizational_units:
    description:
      - Distinguished names, such as V(OU=Autopilot,DC=contoso,DC=com). Each must be the one in a domain join profile.
      - With O(state=exact) an empty list leaves the connector with its default, the Computers container.
      - What is no OU, or is in another domain than the server, is written with a warning.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) adds what is missing.
      - V(exact) also takes out what is not in the list.
      - V(absent) takes out what is in the list. Other keys stay as they are, with a warning when they are given.
    type: str
    choices: [present, exact, absent]
    default: present
  install_path:
    description:
      - Directory of the connector.
      - >-
        Without it, the directory that the uninstall entry or the service tells is used, else
        C(C:\\Program Files\\Microsoft Intune\\ODJConnector).
    type: str
  tenant_configured_managed_service_account:
    description:
      - The key C(TenantConfiguredManagedServiceAccount), your own managed service account as C(name@domain).
      - The connector looks at it at the sign-in. Whether the name takes a trailing dollar sign is not documented.
      - Without it the key stays as it is, with an empty text it is emptied. An empty key is not added.
    type: str
  disable_ou_updates:
    description:
      - The key C(DisableOUUpdates). With your own account, V(true) keeps the wizard from changing rights.
      - Without it the key stays as it is.
    type: bool
  backup_keep:
    description:
      - How many backups of the file (RV(backup_path)) stay beside it. The oldest go; V(0) keeps all of them.
      - Only files that are named as this module names its backups are counted and removed.
    type: int
    default: 10
extends_documentation_fragment:
  - hybridjoin.odj._windows
  - hybridjoin.odj._windows.snapshot
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
seealso:
  - module: hybridjoin.odj.odj_ou_delegate
  - module: hybridjoin.odj.odj_server_info
"""

EXAMPLES = r"""
- name: Let the connector join into these OUs only
  hybridjoin.odj.odj_ou_config:
    organizational_units:
      - OU=Autopilot,DC=contoso,DC=com
      - OU=Lab\, North,DC=contoso,DC=com
    state: exact
"""

RETURN = r"""
path:
  description: The configuration file.
  returned: success
  type: str
  sample: D:\ODJConnector\ODJConnectorEnrollmentWizard\ODJConnectorEnrollmentWizard.exe.config
organizational_units:
  description: The OU list after the task. In check mode, as it would be.
  returned: success
  type: list
  elements: str
  sample: ["OU=Autopilot,DC=contoso,DC=com"]
backup_path:
  description: Where the old file is. Null when nothing was changed.
  returned: success, and when the task fails and the file was or may have been replaced
  type: str
  sample: D:\ODJConnector\ODJConnectorEnrollmentWizard\ODJConnectorEnrollmentWizard.exe.config.20261124T010203Z.bak
plan:
  description:
    - What was or would be done and why, and what somebody has to do then (C(side_conditions)).
    - C(interrupts) says whether a connector that works is out of service meanwhile.
  returned: success, and when the task fails after it had planned
  type: dict
  sample: {changes: [], side_conditions: []}
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
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_config import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_stub


def main() -> None:
    run_stub(SPEC)


if __name__ == "__main__":
    main()
