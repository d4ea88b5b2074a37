#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_prereqs
short_description: Judges whether a server can carry the Intune Connector for Active Directory
version_added: 0.1.0
description:
  - Checks the prerequisites of a connector server in one remote execution, and reports all findings at once.
  - "Operating system: Windows Server 2016 or later."
  - "Membership: a member server of a domain. A domain controller is reported with a remark, not refused."
  - "C(.NET) Framework 4.7.2 or later."
  - At most one connector on the server, and not a legacy one.
  - >-
    State of a connector that is installed: what keeps it from being V(healthy) (see M(hybridjoin.odj.odj_server_info))
    is a remark, since a run may repair it.
  - TLS connections to O(endpoints), with certificates that the server trusts.
  - Changes nothing.
options:
  domain:
    description: DNS name of the domain that the server should be a member of. Without it any domain will do.
    type: str
  fail_on_unmet:
    description:
      - Whether the task fails when a prerequisite is not met. The message names all of them, each with its cure.
      - What is not known (V(unknown)) does not fail the task.
    type: bool
    default: true
extends_documentation_fragment:
  - hybridjoin.odj._windows
  - hybridjoin.odj._windows.snapshot
  - hybridjoin.odj._windows.network
  - hybridjoin.odj._windows.build
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: none
    details: It changes nothing.
seealso:
  - module: hybridjoin.odj.odj_server_info
  - module: hybridjoin.odj.odj_organizational_unit_info
"""

EXAMPLES = r"""
- name: Stop when the server cannot carry a connector
  hybridjoin.odj.odj_prereqs:
    domain: contoso.com

- name: Collect the findings of servers that reach Intune through a proxy
  hybridjoin.odj.odj_prereqs:
    proxy: http://proxy.contoso.com:8080
    fail_on_unmet: false
  register: prereqs
"""

RETURN = r"""
prerequisites:
  description: All verdicts, in the order in which to cure them.
  returned: always, also when the task fails because of them
  type: list
  elements: dict
  contains:
    name:
      description: >-
        V(operating_system), V(domain_membership), V(dotnet_framework), V(single_connector), V(connector_build),
        V(connector_state), or C(endpoint:host:port).
      type: str
      returned: always
      sample: dotnet_framework
    verdict:
      description: V(met), V(unmet) or V(unknown).
      type: str
      returned: always
      sample: unmet
    found:
      description: What the server has.
      type: str
      returned: always
      sample: release 394802
    wanted:
      description: What it should have.
      type: str
      returned: always
      sample: .NET Framework 4.7.2 (release 461808) or later
    cause:
      description: Why it is not met or not known. With V(met), a remark or nothing.
      type: str
      returned: always
      sample: The installed .NET Framework is too old.
    cure:
      description: What to do about it.
      type: str
      returned: always
      sample: Install .NET Framework 4.8 and restart the server.
unmet:
  description: Those of RV(prerequisites) that are not met.
  returned: always, also when the task fails because of them
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.prereqs import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_stub


def main() -> None:
    run_stub(SPEC)


if __name__ == "__main__":
    main()
