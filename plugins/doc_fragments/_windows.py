# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: >-
      Use C(group/hybridjoin.odj.odj_windows) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - hybridjoin.odj.odj_windows
  platform:
    description: What the module can work on.
    support: full
    platforms: windows
    details: Windows Server 2016 or later, with Windows PowerShell 5.1 or PowerShell 7.
notes:
  - >-
    Runs on the controller and works on the server through the connection of the inventory (winrm, psrp or ssh), so
    credentials, C(become) and jump hosts are those of the play. The server needs no Python and no RSAT.
  - The connecting user must be a local administrator of the server. No right in the directory is needed.
requirements:
  - The collection ansible.windows 3.0.0 or later on the controller.
author:
  - The hybridjoin.odj authors (@hybridjoin)
"""

    SNAPSHOT = r"""
options:
  snapshot:
    description:
      - >-
        What an earlier task saw of the server: the result C(snapshot) of M(hybridjoin.odj.odj_server_info) with
        O(hybridjoin.odj.odj_server_info#module:return_snapshot=true).
      - >-
        Questions that it answers are not asked again, so a task that finds nothing to do costs no remote execution.
        Whenever it tells that something has to change, or that something is wrong, the server is asked anew.
      - Do not pass on one from before a change of the server.
    type: dict
"""

    NETWORK = r"""
options:
  endpoints:
    description:
      - The hosts and ports to which a TLS connection is tried from the server, each as C(host:port).
      - >-
        The default are the three hosts that the connector's own configuration and its sign-in need for certain.
        Microsoft asks for all endpoints of Intune and publishes no shorter list.
    type: list
    elements: str
    default:
      - login.microsoftonline.com:443
      - manage.microsoft.com:443
      - portal.manage.microsoft.com:443
  proxy:
    description:
      - Proxy for these connections, as C(http://host:port), without a user name and password.
      - Without it they are tried directly. The proxy settings of the connecting user say nothing about the connector.
    type: str
  endpoint_timeout:
    description: Seconds for the name lookups and connections of all endpoints together.
    type: int
    default: 5
"""

    BUILD = r"""
options:
  build_from:
    description:
      - Where the installed build is read. Which of the two is right on a real server is not documented.
      - >-
        V(uninstall_entry) takes the highest build of the uninstall entries. A number with at most 255 in its second
        field is one of Windows Installer and not a build. When there is no other, the build is unknown.
      - V(service_file) takes the file version of the service's program.
    type: str
    choices: [uninstall_entry, service_file]
    default: uninstall_entry
"""
