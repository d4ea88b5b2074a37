# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  server:
    description:
      - Name or address of one writable domain controller. The whole task stays with it.
      - Taken from the environment variable E(ODJ_LDAP_SERVER) when not set.
      - Here and below, a variable that is set and empty counts as not set.
    type: str
    required: true
  port:
    description:
      - Port of the domain controller. Default is 636 for V(ldaps) and 389 for V(start_tls).
    type: int
  tls_mode:
    description:
      - How the connection is encrypted. Unencrypted LDAP is not offered.
    type: str
    choices: [ldaps, start_tls]
    default: ldaps
  username:
    description:
      - Account to log on with, as C(DOMAIN\\name), user principal name or distinguished name.
      - Taken from the environment variable E(ODJ_LDAP_USERNAME) when not set.
    type: str
    required: true
  password:
    description:
      - Password of O(username). It is sent inside TLS only (simple bind).
      - Taken from the environment variable E(ODJ_LDAP_PASSWORD) when not set.
    type: str
    required: true
  ca_path:
    description:
      - PEM file with the certificate authority that issued the domain controller's certificate.
      - The authorities of the operating system are used when not set.
      - Taken from the environment variable E(ODJ_LDAP_CA_PATH) when not set.
    type: path
  validate_certs:
    description:
      - Whether to check the certificate of the domain controller and the name in it.
      - Turn it off for tests only, the password would go to anyone who answers.
    type: bool
    default: true
  server_name:
    description:
      - Name that the certificate has to carry, when O(server) is an address or an alias that it does not carry.
    type: str
  timeout:
    description:
      - Seconds to wait for the connection, and for each answer.
    type: int
    default: 30
requirements:
  - ldap3 >= 2.9
notes:
  - >-
    Runs where Python and ldap3 are, normally on the controller with C(delegate_to: localhost).
    When the inventory has a host C(localhost) of its own, give it
    C(ansible_python_interpreter: "{{ ansible_playbook_python }}").
  - One logon per task. RV(directory.operations) of the result counts what was asked of the domain controller.
  - >-
    Many requests are under way at the same time on the one connection, so neither a thousand organizational units nor
    a slow link make a task long. While it runs a module can speak to nothing but the system log of the computer that
    runs it (C(journalctl -f), or syslog): there, a task that takes long says every ten seconds how far it has come.
"""
