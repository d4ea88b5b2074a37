#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_connector_install
short_description: Installs, upgrades or removes the Intune Connector for Active Directory
version_added: 0.1.0
description:
  - Installs the connector from a set-up program that you supply. Microsoft documents no stable download address.
  - The set-up program is verified by its SHA-256 on the server, in the same remote execution that starts it.
  - After the work the server is looked at again. If it does not have the build that was promised, the task fails.
  - >-
    The sign-in of the connector is interactive and not part of this. RV(server.state) is V(awaiting_sign_in) until
    somebody has signed in.
  - >-
    A legacy connector (older than 6.2501.2000.5) is never upgraded, because there is no upgrade from it. Remove it with
    O(state=absent) first.
options:
  state:
    description:
      - V(present) installs O(version) when no connector is installed. Any build that is installed stays.
      - V(latest) also upgrades a connector that is older than O(version).
      - V(absent) removes every connector, also a legacy one.
    type: str
    choices: [present, latest, absent]
    default: present
  version:
    description:
      - The build that the set-up program installs, such as V(6.2604.2000.3).
      - Needed unless O(state=absent).
    type: str
  path:
    description:
      - The set-up program on the server, or on a share.
      - A logon through WinRM cannot go on to a share by itself. It needs C(become), CredSSP or delegation.
      - One of O(path), O(src) and O(url) is needed unless O(state=absent).
    type: str
  src:
    description: The set-up program on the controller. It is verified there before anything is sent.
    type: path
  url:
    description:
      - Address from which the server itself fetches the set-up program.
      - Results and error messages show it. When it holds a signature or a password, set C(no_log) for the task.
    type: str
  checksum:
    description: SHA-256 of the set-up program, 64 hexadecimal digits. Needed unless O(state=absent).
    type: str
  install_arguments:
    description:
      - Command line arguments of the set-up program.
      - >-
        Microsoft documents none. The default is the standard of WiX Burn, with which the set-up program is made by all
        signs.
    type: str
    default: /quiet /norestart
  uninstall_arguments:
    description:
      - Arguments that are added to the registered uninstall command. Not documented either, see O(install_arguments).
      - The MSI inside the set-up program, when it has an entry of its own, is removed through Windows Installer.
    type: str
    default: /quiet /norestart
  success_codes:
    description:
      - Exit codes of the set-up program that mean success. Not documented. These are Windows Installer's.
      - 3010 and 1641 ask for a restart.
    type: list
    elements: int
    default: [0, 3010, 1641]
  reboot:
    description:
      - Whether the server is restarted when the set-up program asks for it.
      - >-
        When it is not, RV(reboot_required) and a warning say so. It is noted on the server
        (C(HKLM\SOFTWARE\hybridjoin.odj)), the installer is not run again before the restart, and the next task after
        the restart judges the outcome.
      - With V(true) a restart that an earlier task noted is made as well.
    type: bool
    default: false
extends_documentation_fragment:
  - hybridjoin.odj._windows
  - hybridjoin.odj._windows.snapshot
  - hybridjoin.odj._windows.build
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
    details: The set-up program at O(url) is not fetched then.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
seealso:
  - module: hybridjoin.odj.odj_server_info
  - module: hybridjoin.odj.odj_ou_config
"""

EXAMPLES = r"""
- name: Install the connector from a file on the controller
  hybridjoin.odj.odj_connector_install:
    version: 6.2604.2000.3
    src: ODJConnectorBootstrapper.exe
    checksum: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

- name: Bring it to this build at least, and restart when that is asked for
  hybridjoin.odj.odj_connector_install:
    state: latest
    version: 6.2604.2000.3
    url: https://files.contoso.com/ODJConnectorBootstrapper.exe
    checksum: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    reboot: true

- name: Remove it
  hybridjoin.odj.odj_connector_install:
    state: absent
"""

RETURN = r"""
server:
  description: >-
    The facts C(connector), C(service), C(enrollment), C(state), C(conditions), C(reasons) and C(in_service) of
    M(hybridjoin.odj.odj_server_info), after the work. In check mode, as they are now.
  returned: success, and when the task fails after it had begun to change the server
  type: dict
  contains:
    state:
      description: >-
        As M(hybridjoin.odj.odj_server_info) returns it: V(absent), V(awaiting_sign_in), V(degraded), V(healthy), or
        V(unknown) when the uninstall entries do not tell the build. In check mode also V(legacy).
      type: str
      returned: success
      sample: awaiting_sign_in
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
exit_codes:
  description: Exit codes of the programs that ran, in their order.
  returned: success, and when the task fails after it had begun to change the server
  type: list
  elements: int
  sample: [0]
reboot_required:
  description: A set-up program asked for a restart that has not been made, in this task or an earlier one.
  returned: success, and when the task fails after it had begun to change the server
  type: bool
  sample: false
rebooted:
  description: The server was restarted.
  returned: success, and when the task fails after it had begun to change the server
  type: bool
  sample: false
differences:
  description: What an upgrade should have kept and did not, of OU list, service account and certificate.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_stub


def main() -> None:
    run_stub(SPEC)


if __name__ == "__main__":
    main()
