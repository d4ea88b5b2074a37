#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: odj_server_info
short_description: Tells everything about a connector server from one look
version_added: 0.1.0
description:
  - >-
    Reads what is installed, which account the service has, whether somebody has signed in, the OU list, the joins in
    the event log and the network, in one remote execution.
  - >-
    A second one is made only when the server tells that the connector lies in another directory than the default one,
    and
    O(gather_subset) covers V(config) or the build is read from the service's file. Set O(install_path) to save it.
  - Changes nothing.
options:
  gather_subset:
    description:
      - Which questions to ask.
      - >-
        V(connector) covers RV(server.connector), RV(server.service), RV(server.enrollment), RV(server.state),
        RV(server.conditions) and RV(server.reasons).
      - >-
        V(config) includes V(connector), which tells where the configuration lies. Without it the condition
        C(configured)
        is not judged.
    type: list
    elements: str
    choices: [all, host, dotnet, connector, config, events, network]
    default: [all]
  install_path:
    description:
      - Directory of the connector.
      - >-
        Without it, the directory that the uninstall entry or the service tells is used, else
        C(C:\\Program Files\\Microsoft Intune\\ODJConnector).
    type: str
  event_hours:
    description: How far back joins in the event log count, in hours.
    type: int
    default: 24
  return_snapshot:
    description:
      - Whether to return RV(snapshot) too, for the option O(snapshot) of the tasks that follow.
      - The whole result is then hidden as by C(no_log), because a configuration file may hold a password; that of a
        task that fails is not.
    type: bool
    default: false
  expected_account:
    description:
      - The account that the service should run as. With another one the state is V(degraded).
      - Accounts are compared by their names, without domain and trailing dollar sign.
    type: str
  expected_organizational_units:
    description: Distinguished names that the OU list should hold. When it lacks one, the state is V(degraded).
    type: list
    elements: str
    default: []
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
  - module: hybridjoin.odj.odj_prereqs
  - module: hybridjoin.odj.odj_connector_info
"""

EXAMPLES = r"""
- name: Look at the connector
  hybridjoin.odj.odj_server_info:
    gather_subset: [host, connector]
  register: look

- name: Look once for several tasks
  hybridjoin.odj.odj_server_info:
    gather_subset: [host, dotnet, connector, config, network]
    return_snapshot: true
  register: look

- name: Keep the OU list, without asking again what it is
  hybridjoin.odj.odj_ou_config:
    organizational_units: ["OU=Autopilot,DC=contoso,DC=com"]
    snapshot: "{{ look.snapshot }}"

- name: Wait until somebody has signed in
  hybridjoin.odj.odj_server_info:
    gather_subset: [connector]
  register: look
  until: look.server.state != "awaiting_sign_in"
  retries: 60
  delay: 30
"""

RETURN = r"""
snapshot:
  description: What was seen, for the option O(snapshot) of other tasks. Its inside may change.
  returned: O(return_snapshot=true)
  type: dict
  contains:
    schema:
      description: Number of its form.
      type: int
      sample: 1
    asked_at:
      description: When the questions left the controller, by its clock.
      type: str
    answered_at:
      description: When the answers had come.
      type: str
    boot_time:
      description: When the server started, by its own clock.
      type: str
    questions:
      description: What was asked, by id.
      type: dict
    answers:
      description: What the server answered, by id of the question.
      type: dict
    superseded:
      description: Earlier questions of the same id, with their answers.
      type: list
      elements: dict
server:
  description: The facts. Parts that were not asked for are missing.
  returned: success
  type: dict
  contains:
    state:
      description:
        - The first of these that holds. Nothing here says that somebody has to sign in because a service stands still.
        - V(unknown), what would decide cannot be read.
        - V(absent), nothing is installed.
        - V(legacy), the installed build is proven too old to process requests.
        - V(awaiting_sign_in), nobody has signed in, there is no certificate of the sign-in at all.
        - V(degraded), somebody has signed in, and one of RV(server.conditions) is false.
        - V(healthy).
      type: str
      returned: with O(gather_subset=connector)
      sample: healthy
    conditions:
      description:
        - >-
          One for each aspect: C(type), C(status) (V("true"), V("false") or V("unknown"), as text), C(reason) in one
          word,
          C(message) as a sentence and C(evidence), from which it was concluded.
        - >-
          C(installed) has the reason V(Installed), V(LegacyBuild), V(NotInstalled), V(BuildUnknown) (no number that is
          registered can be a build, see O(build_from)) or V(EntryUnreadable).
        - >-
          C(enrolled) has V(SignedIn), V(NotSignedIn), V(CertificateExpired), V(CertificateNotYetValid) or
          V(CertificateWithoutKey).
        - >-
          C(account_ready) has V(AccountManaged), V(AccountLocalSystem), V(AccountNotManaged), V(AccountUnexpected),
          V(AccountCannotLogOn), V(KeyAccessDenied) or V(ServiceMissing). That the key's access list cannot be read,
          as in
          constrained language mode, is no fault.
        - >-
          C(service_running) has V(Running), V(ServiceMissing), V(ServiceDisabled), V(ServiceStopped) or
          V(ServicePending).
        - >-
          C(configured) has V(Configured), V(ConfigurationMissing), V(ConfigurationBroken), V(ConfigurationProtected) or
          V(OuListIncomplete).
        - C(active) (in Intune) and C(delegated) (in Active Directory) are V(NotAsked) here.
        - Any of them may have V(NoAnswer) or V(NotAsked).
      type: list
      elements: dict
      returned: with O(gather_subset=connector)
      sample:
        - type: service_running
          status: "false"
          reason: ServiceStopped
          message: "The service is Stopped: its process terminated unexpectedly (1067)."
          evidence: {state: Stopped, start_mode: Auto, exit_code: 1067}
    reasons:
      description: >-
        Why the state is not V(healthy), with C(condition), C(reason), C(cause) and C(remediation). Empty when it is.
      type: list
      elements: dict
      returned: with O(gather_subset=connector)
      sample: []
    in_service:
      description: Whether the server can be counted on, which is the state V(healthy). Null with V(unknown).
      type: bool
      returned: with O(gather_subset=connector)
      sample: true
    host:
      description: >-
        Name, domain and role, operating system, clock and PowerShell. C(clock_skew_seconds) is by how much the server's
        clock is at least wrong as seen from the controller, C(clock_uncertainty_seconds) how exactly that is known.
      type: dict
      returned: with O(gather_subset=host)
      sample:
        name: ODJ01
        fqdn: odj01.contoso.com
        domain: contoso.com
        member: true
        domain_role: 3
        domain_role_name: member server
        os_name: Windows Server 2022 Standard
        os_build: 20348
        os_revision: 2700
        clock_skew_seconds: 0.0
        clock_uncertainty_seconds: 1.4
        language_mode: FullLanguage
    dotnet:
      description: The release number of .NET Framework 4, and whether it is 4.7.2 or later.
      type: dict
      returned: with O(gather_subset=dotnet)
      sample: {release: 528449, version_at_least_4_7_2: true}
    connector:
      description: >-
        What is installed. There may be two uninstall entries of one connector, the set-up program and its MSI.
        C(version) is null when no number can be a build; C(service_file_version) is the version of the service's
        file, as
        evidence. C(unreadable_uninstall_keys) names keys that could not be read.
      type: dict
      returned: with O(gather_subset=connector)
      sample:
        installed: true
        version: 6.2604.2000.3
        build_from: uninstall_entry
        service_file_version: 6.2604.2000.3
        legacy: false
        install_path: C:\Program Files\Microsoft Intune\ODJConnector
        uninstall_entries: []
        unreadable_uninstall_keys: []
    service:
      description: >-
        The connector's service. C(account_kind) is V(none), V(local_system), V(managed) or V(other), C(account) is as
        Windows writes it. C(exit_code) is the Win32 code of the last end, C(exit_reason) the same in words.
      type: dict
      returned: with O(gather_subset=connector)
      sample:
        exists: true
        state: Running
        start_mode: Auto
        account: CONTOSO\msaODJab1cd$
        account_kind: managed
        exit_code: 0
        exit_reason: it was stopped or ended normally
    enrollment:
      description: >-
        Whether somebody has signed in (null when that cannot be read), the causes of RV(server.reasons) as
        C(missing), and
        the certificate of the sign-in. There is no documented test. It counts as signed in when a certificate of
        C(CN=Microsoft Intune ODJ Connector CA) is in the computer's store, whatever the service does.
      type: dict
      returned: with O(gather_subset=connector)
      sample: {signed_in: true, missing: ["The service is disabled."], certificate: {expired: false}}
    config:
      description: >-
        The wizard's configuration file: path, SHA-256, all keys, and the OU list. Null when there is none, C(error)
        when it cannot be understood.
      type: dict
      returned: with O(gather_subset=config)
      sample:
        path: D:\ODJConnector\ODJConnectorEnrollmentWizard\ODJConnectorEnrollmentWizard.exe.config
        organizational_units: ["OU=Autopilot,DC=contoso,DC=com"]
    events:
      description: >-
        Joins that went well or failed within O(event_hours), and the last of each. A join that stands in both channels
        of the connector counts once, by device and time.
      type: dict
      returned: with O(gather_subset=events)
      sample:
        window_hours: 24
        successes: 12
        failures: 0
        last_success: '2026-11-24T01:02:03.0000000Z'
        last_failure: null
    network:
      description: For each endpoint whether a connection comes about, the peer's certificate, or the stage that failed.
      type: dict
      returned: with O(gather_subset=network)
      sample: {endpoints: [{host: manage.microsoft.com, port: 443, connected: true, error: null}]}
    errors:
      description: Questions that the server could not answer, with its error.
      type: dict
      returned: success
      sample: {}
"""

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_stub


def main() -> None:
    run_stub(SPEC)


if __name__ == "__main__":
    main()
