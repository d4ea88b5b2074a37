# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  server:
    description:
      - Name or address of one domain controller that can be written to. The whole task stays with it.
      - A port may follow it, as in V(dc1.contoso.com:636) or V([2001:db8::2]:636), and C(ldaps://) may precede it
        (C(ldap://) with O(tls_mode=start_tls)). Whatever else it holds is refused before anything is opened.
      - Either this or O(domain) is needed; this one wins when both are set.
      - Taken from the environment variable E(ODJ_LDAP_SERVER) when not set.
      - Here and below, a variable that is set and empty counts as not set.
    type: str
  domain:
    description:
      - DNS name of the domain. Its domain controllers are looked up in DNS when O(server) is not set, first the one
        with the role PDC emulator (C(_ldap._tcp.pdc._msdcs)), then the others (C(_ldap._tcp.dc._msdcs)) by priority
        and weight.
      - The first of them that can be reached, is trusted and is not read-only is taken, at most five are tried, and
        the whole task stays with it; RV(directory.server) of the result says which one it is. That all tasks meet on
        one domain controller as long as it is there keeps two of them from overwriting each other by replication.
      - Only domain controllers whose names are in the domain are taken, as a forged answer of DNS could name another
        computer. Where the domain controllers have names elsewhere, use O(server).
      - Taken from the environment variable E(ODJ_LDAP_DOMAIN) when not set.
    type: str
  dns_servers:
    description:
      - Addresses of DNS servers to ask for O(domain) and for the addresses of domain controllers, instead of those of
        the operating system. For where the system's own do not know the domain.
      - Taken from the environment variable E(ODJ_LDAP_DNS_SERVERS), separated by commas, when not set.
    type: list
    elements: str
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
  auth_protocol:
    description:
      - How to log on, inside TLS in any case.
      - V(simple) sends O(username) and O(password), and needs both.
      - V(kerberos) shows a ticket that is got with O(password), with O(keytab), or from O(ccache). It is bound to the
        TLS connection, so it works with domain controllers that demand channel binding (C(LdapEnforceChannelBinding)
        2). The ticket is for the name that the domain controller gives itself (C(dnsHostName)), whatever O(server) is.
        Where the domain controllers of a realm are is taken from C(krb5.conf); the task's C(environment) can set
        E(KRB5_CONFIG).
      - Taken from the environment variable E(ODJ_LDAP_AUTH_PROTOCOL) when not set.
    type: str
    choices: [simple, kerberos]
    default: simple
  username:
    description:
      - Account to log on with. For V(simple), C(DOMAIN\\name), user principal name or distinguished name. For
        V(kerberos), C(name@REALM), the realm as C(krb5.conf) writes it, normally in capital letters; not needed with
        O(ccache).
      - Taken from the environment variable E(ODJ_LDAP_USERNAME) when not set.
    type: str
  password:
    description:
      - Password of O(username). It is sent inside TLS only, and not at all with O(auth_protocol=kerberos).
      - Taken from the environment variable E(ODJ_LDAP_PASSWORD) when not set.
    type: str
  keytab:
    description:
      - File with the Kerberos keys of O(username), instead of a password. The tickets stay in memory.
      - Taken from the environment variable E(ODJ_LDAP_KEYTAB) when not set.
    type: path
  ccache:
    description:
      - Kerberos credential cache with a ticket-granting ticket, as C(kinit) or the automation platform made it, as a
        path or as C(TYPE:residual). The default cache of the process (E(KRB5CCNAME)) is used when neither this, nor
        O(password), nor O(keytab) is set.
      - Taken from the environment variable E(ODJ_LDAP_CCACHE) when not set.
    type: str
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
      - Seconds that one domain controller has for everything up to the end of the logon (connection, TLS, logon), and
        then for each answer; a day at most.
      - A search whose answer comes in many pages has sixty times as long.
    type: int
    default: 30
requirements:
  - ldap3 >= 2.9
  - gssapi and cryptography, for O(auth_protocol=kerberos)
  - dnspython >= 2.5, for O(domain) and O(dns_servers)
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
