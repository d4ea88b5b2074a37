#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_connector_info
short_description: Shows the connectors as Intune sees them
version_added: 0.1.0
description:
  - Reads the Intune Connectors for Active Directory of a tenant from Microsoft Graph.
  - >-
    Says how old the last contact of each is, whether its build is still served, and which entries are left over
    from earlier enrolments.
  - Intune has no way to remove an entry. Entries of connectors that are gone disappear by themselves.
  - Needs the application permission C(DeviceManagementConfiguration.Read.All) with an administrator's consent.
extends_documentation_fragment:
  - hybridjoin.odj._graph
options:
  names:
    description:
      - Only connectors of these servers, by short name or FQDN. Case does not matter.
      - >-
        A short name also stands for an FQDN that begins with it, and the other way round. So does the NetBIOS name, the
        first 15 characters of a longer one.
      - Which of them Intune shows is not documented.
      - All connectors when the list is empty.
    type: list
    elements: str
    default: []
  minimum_build:
    description:
      - Connectors with an older build are reported.
      - Builds before the default can no longer process requests.
    type: str
    default: 6.2501.2000.5
  stale_after:
    description:
      - Minutes without contact after which a connector is reported as stale.
      - Intune's own state turns to V(error) after one hour and to V(inactive) after five days.
    type: int
    default: 60
  require_active:
    description:
      - Fail when a connector is missing, not active, stale, below O(minimum_build), or shows no build.
      - The message names each of them in one sentence.
    type: bool
    default: false
author:
  - The hybridjoin.odj authors (@hybridjoin)
attributes:
  check_mode:
    support: full
    description: Reads only.
  diff_mode:
    support: none
    description: Changes nothing.
  action_group:
    support: full
    membership: [hybridjoin.odj.odj_graph]
    description: Use the group C(hybridjoin.odj.odj_graph) in C(module_defaults) to set the options of the sign-in once.
seealso:
  - module: hybridjoin.odj.odj_server_info
"""

EXAMPLES = r"""
- name: Show all connectors of the tenant
  hybridjoin.odj.odj_connector_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 0d100000-0000-4000-8000-00000000a995
    client_secret: "{{ vault_graph_client_secret }}"
  delegate_to: localhost
  run_once: true
  register: intune

- name: Wait until a new connector is active
  hybridjoin.odj.odj_connector_info:
    names: ["{{ inventory_hostname }}"]
  delegate_to: localhost
  register: intune
  until: intune is succeeded and intune.all_active
  retries: 30
  delay: 30

- name: Stop a rollout unless both connectors of the domain work
  hybridjoin.odj.odj_connector_info:
    names: [odj01, odj02]
    minimum_build: 6.2504.2001.8
    stale_after: 15
    require_active: true
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
connectors:
  description:
    - One entry for each server, by name. It is the newest when Intune has several of the same server.
    - >-
      Entries with a short name and with an FQDN count as one server only when O(names) has exactly one name that both
      fit. A short name alone does not tell its domain.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the connector in Intune. A new enrolment has a new one.
      type: str
      sample: 77296cf7-6cf7-7729-f76c-2977f76c2977
    display_name:
      description: Name of the server, as Intune shows it.
      type: str
      sample: ODJ01
    last_connection_date_time:
      description: Last contact with Intune, UTC in ISO 8601, or null when there was none.
      type: str
      sample: "2026-11-21T20:15:36Z"
    state:
      description: State as Intune shows it, V(active), V(error), V(inactive), or what Microsoft may add.
      type: str
      sample: active
    version:
      description: Build of the connector.
      type: str
      sample: 6.2504.2001.8
    age_minutes:
      description: Whole minutes since the last contact, or null when there was none or when it is in the future.
      type: int
      sample: 3
    stale:
      description: Whether the last contact is longer ago than O(stale_after), or cannot be told.
      type: bool
      sample: false
    below_minimum:
      description: Whether the build is older than O(minimum_build), or null when Intune shows none that can be read.
      type: bool
      sample: false
    duplicates:
      description: Ids of older entries of the same server, newest first.
      type: list
      elements: str
      sample: []
    cleanup_estimate:
      description:
        - When Intune removes the entry if the connector stays silent from now on, UTC in ISO 8601, or null.
        - An estimate, 5 and 30 days after the last contact. From when Microsoft counts the 30 days is not documented.
      type: str
      sample: "2026-12-26T20:15:36Z"
missing:
  description: Those of O(names) that Intune does not know.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: One phrase for each reason why RV(all_active) is false.
  returned: success
  type: list
  elements: str
  sample: ["odj02 is not there"]
all_active:
  description:
    - Whether every connector asked for is there, is active, is not stale and has a build not below O(minimum_build).
    - What cannot be told is not taken for good.
    - False when there is no connector at all.
  returned: success
  type: bool
  sample: true
graph:
  description: What the task cost.
  returned: success
  type: dict
  contains:
    operations:
      description: How many requests were sent, retries included, by kind (C(discovery), C(token), C(read)).
      type: dict
      sample: {"discovery": 1, "token": 1, "read": 1}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_info import SPEC, open_job
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import LIBRARIES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module


def main() -> None:
    run_module(SPEC, open_job, libraries=LIBRARIES)


if __name__ == "__main__":
    main()
