# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in: what the wizard does after an Intune Administrator has typed a password into its window.

Choices of the lab where nothing is documented: a certificate's subject and lifetime, that a new sign-in replaces the
old certificate, and that the old account stays linked to the server.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ldap3
from ldap3.core.exceptions import LDAPException

from odj_lab import directory
from odj_lab.cloud import connectors
from odj_lab.directory_content import OU_ADMINS
from odj_lab.processes import LabError
from odj_lab.product import accounts, builds, host, layout, services, wizard
from odj_lab.settings import Domain, Lab
from odj_lab.store import State
from odj_lab.windows.machine import fault, iso, server_time

PERSON = "intune-admin"
ISSUER = "CN=Microsoft Intune ODJ Connector CA"
SIGN_IN_HOSTS = ("login.microsoftonline.com", "portal.manage.microsoft.com")
CERTIFICATE_DAYS = 365
Say = Callable[[str], None]


def sign_in(
    lab: Lab, server: str, say: Say = lambda __: None, *, with_ou_rights: bool = False
) -> accounts.ServiceAccount:
    """Enrol the connector of a server as a person would at its window; return the new service account.

    Args:
        lab: The lab.
        server: Name of the server.
        say: Called with each line that the person sees.
        with_ou_rights: Whether the person may also write the DACLs of the OUs.

    Raises:
        LabError: The wizard does not get so far; the text says why.

    """
    domain = lab.domain_of(server)
    store = host.store(lab, server)
    state = store.read()
    configured = _ready(state, server)
    account = _make_account(domain, server)
    accounts.password(domain, account["name"])
    build = host.product(state)["build"]
    connector_id = connectors.register(lab, server.upper(), build)
    with store.edit("sign-in") as state:
        _take_over(domain, state, account, connector_id)
    say("The Intune Connector for Active Directory successfully enrolled")
    say(f'A Managed Service Account with name "{account["name"]}" was successfully set up')
    failed = _give_ou_rights(domain, wizard.wanted_units(domain, configured), account, with_ou_rights=with_ou_rights)
    with store.edit("wizard log") as state:
        wizard.note(state, f'A Managed Service Account with name "{account["name"]}" was successfully set up')
        if failed:
            wizard.note(state, wizard.DENIED + "; ".join(failed))
    if failed:
        say(f"{wizard.DENIED}{'; '.join(failed)}".replace("\r\n", "\n"))
        say(f"(details: {layout.WIZARD_LOG})")
    if not services.may_log_on(state, account["sid"]):
        say(wizard.NOT_STARTED)
    return account


def _ready(state: State, server: str) -> dict[str, str]:
    """Return the wizard's settings, or say why there is no wizard to sign in at."""
    build = host.product(state).get("build")
    if not state.get("up", True):
        raise LabError(f"{server} is down.")
    if not build:
        raise LabError(f"No connector is installed on {server}.")
    if builds.is_legacy(build):
        raise LabError(f"The legacy connector {build} on {server} can no longer be enrolled: uninstall it first.")
    blocked = [name for name in SIGN_IN_HOSTS if not host.reaches(state, name)]
    if blocked:
        raise LabError(f"Navigation to the webpage was canceled: {server} does not reach {', '.join(blocked)}.")
    try:
        configured = wizard.settings(state)
    except ValueError as error:
        raise LabError(f"The wizard does not open on {server}: {error}.") from error
    if configured.get(layout.OWN_ACCOUNT_KEY):
        raise LabError(f"{layout.OWN_ACCOUNT_KEY} is set on {server}; the lab's wizard makes its own account only.")
    return configured


def _make_account(domain: Domain, server: str) -> accounts.ServiceAccount:
    try:
        with directory.connected(domain, PERSON) as connection:
            account = accounts.create(connection, domain)
            accounts.link(connection, domain.computer_dn(server), account)
            return account
    except LDAPException as error:
        raise LabError(f"The managed service account could not be created: {error}") from error


def _give_ou_rights(
    domain: Domain, units: list[str], account: accounts.ServiceAccount, *, with_ou_rights: bool
) -> list[str]:
    if not units:
        return []
    with _ou_admin(domain, wanted=with_ou_rights), directory.connected(domain, PERSON) as connection:
        sid = directory.sid_of(connection, domain, f"{account['name']}$")
        return wizard.give_rights(connection, domain, units, sid)


@contextmanager
def _ou_admin(domain: Domain, *, wanted: bool) -> Iterator[None]:
    """Let the person write the DACLs of the OUs for a while, without any descriptor changing for it."""
    if not wanted:
        yield
        return
    group, member = f"CN={OU_ADMINS},CN=Users,{domain.base_dn}", f"CN={PERSON},CN=Users,{domain.base_dn}"
    with directory.connected(domain, "Administrator") as administrator:
        administrator.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]})
        try:
            yield
        finally:
            administrator.modify(group, {"member": [(ldap3.MODIFY_DELETE, [member])]})


def _take_over(domain: Domain, state: State, account: accounts.ServiceAccount, connector_id: str) -> None:
    """Change the server as the wizard does: account of the service, right to log on, certificate, start."""
    product, sid = host.product(state), account["sid"]
    product.update(account=dict(account), connector_id=connector_id)
    right = state["user_rights"].setdefault(services.LOGON_RIGHT, [])
    if sid not in right and not fault(state, "logon_right_withheld"):
        right.append(sid)
    name = f"{domain.netbios}\\{account['name']}$"
    state["accounts"][account["name"]] = {"state": 5}
    state["sids"][name] = sid
    others = [c for c in state["certificates"].get("My", []) if c["issuer"] != ISSUER]
    state["certificates"]["My"] = [*others, _certificate(state, connector_id, sid)]
    entry = state["services"][host.key_of(state["services"], layout.SERVICE)]
    entry.update(start_name=name, managed_account=True)
    if services.may_log_on(state, sid):
        host.start_service(entry)
    else:
        entry.update(state="Stopped", process_id=0, exit_code=services.LOGON_FAILURE)


def _certificate(state: State, connector_id: str, sid: str) -> State:
    begin = server_time(state)
    return {
        "thumbprint": secrets.token_hex(20).upper(),
        "subject": f"CN={connector_id}",
        "issuer": ISSUER,
        "serial": secrets.token_hex(16).upper(),
        "not_before": iso(begin),
        "not_after": iso(begin + CERTIFICATE_DAYS * 86400),
        "has_private_key": True,
        "eku": ["1.3.6.1.5.5.7.3.2"],
        "key_file": f"C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\{secrets.token_hex(16)}_{uuid.uuid4()}",
        "key_sddl": f"O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;{sid})",
    }
