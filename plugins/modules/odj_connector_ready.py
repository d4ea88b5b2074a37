#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_connector_ready
short_description: Keeps a connector in service, and waits for the sign-in of one that is new
version_added: 0.1.0
description:
  - >-
    A connector that somebody has signed in to has its service started, with the start type Automatic. When it cannot
    be counted on after that, the task fails with the reasons, each with its remediation.
  - >-
    A connector that nobody has signed in to is waited for, or not (O(sign_in)). Nobody is waited for where a sign-in
    does not help. The task fails then, as it does when the server does not answer what would decide.
  - >-
    Once a minute the task says on the screen whom it waits for and how long still, also in the output of a job of the
    automation platform.
  - States and conditions are those of M(hybridjoin.odj.odj_server_info).
options:
  sign_in:
    description:
      - V(stop) returns RV(sign_in_required) when only the sign-in is missing.
      - V(wait) waits for it. Check mode does not wait.
    type: str
    choices: [stop, wait]
    default: stop
  until_any_of:
    description:
      - >-
        Hosts of the same run. The wait also ends, with RV(sign_in_required) still true, when the wait at one of them
        ends because somebody has signed in there. A task ends for all hosts at once, so what has to follow that
        sign-in would wait for all others otherwise. Wait again after it, without that host in the list.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - How long to wait for the sign-in, in seconds.
      - >-
        When somebody has signed in, the wizard has up to five minutes more until the service runs. As long is a
        service waited for that is still starting.
    type: int
    default: 3600
  poll_interval:
    description: How long to pause between two looks while waiting, in seconds.
    type: int
    default: 15
  service:
    description:
      - V(started) starts the service of a connector that somebody has signed in to, with the start type Automatic.
      - V(unmanaged) leaves it alone. A service that stands still is an error then.
    type: str
    choices: [started, unmanaged]
    default: started
  restart_pending:
    description:
      - >-
        Whether an installer asked for a restart that has not been made, which is
        RV(hybridjoin.odj.odj_connector_install#module:reboot_required).
      - The task says so and fails, unless the connector is in service nevertheless.
      - A restart that M(hybridjoin.odj.odj_connector_install) has noted on the server is known without this.
    type: bool
    default: false
  expected_account:
    description: The account that the service should run as, compared by its name alone.
    type: str
extends_documentation_fragment:
  - hybridjoin.odj._windows
  - hybridjoin.odj._windows.snapshot
  - hybridjoin.odj._windows.build
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
    details: A server without a connector is no error then, since the run may be about to install it.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
seealso:
  - module: hybridjoin.odj.odj_server_info
  - module: hybridjoin.odj.odj_connector_install
"""

EXAMPLES = r"""
- name: Keep the connector running, and fail with the reasons when it cannot be counted on
  hybridjoin.odj.odj_connector_ready:
  register: ready

- name: Wait up to two hours for the person who signs in
  hybridjoin.odj.odj_connector_ready:
    sign_in: wait
    timeout: 7200
"""

RETURN = r"""
server:
  description: >-
    The facts of M(hybridjoin.odj.odj_server_info) with C(gather_subset=[host, connector, config]), after the work. When
    the connector cannot be counted on, C(state), C(conditions), C(reasons) and C(in_service) alone.
  returned: success, and when the connector cannot be counted on
  type: dict
  sample: {state: healthy, reasons: []}
sign_in_required:
  description: Whether a person still has to sign in.
  returned: success
  type: bool
  sample: false
plan:
  description: What was or would be done to the service.
  returned: success
  type: dict
  sample: {changes: [], side_conditions: []}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_ready import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_stub


def main() -> None:
    run_stub(SPEC)


if __name__ == "__main__":
    main()
