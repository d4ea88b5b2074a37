# SPDX-License-Identifier: GPL-3.0-or-later
"""A corner of the lab's directory for these tests alone, and tasks that run against it as they would in a play."""

from __future__ import annotations

import secrets
import types
import typing as t
from collections.abc import Callable, Iterator

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import carry_out
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab import directory_acl as acl
from odj_lab import inventory
from odj_lab.settings import Domain


@pytest.fixture(scope="session")
def administrator(domain: Domain) -> Iterator[ldap3.Connection]:
    with lab_directory.connected(domain, "Administrator") as connection:
        yield connection


@pytest.fixture(scope="session")
def root_keys(domain: Domain, administrator: ldap3.Connection) -> dict[str, bytes]:
    """Return the start times of the server's own KDS root keys by DN.

    Without one (Samba below 4.22) group accounts are objects that never get a password.
    """
    where = f"CN=Services,CN=Configuration,{domain.base_dn}"
    administrator.search(where, "(objectClass=msKds-ProvRootKey)", attributes=["msKds-UseStartTime"])
    return {e["dn"]: e["raw_attributes"]["msKds-UseStartTime"][0] for e in acl.responses(administrator)}


@pytest.fixture
def yard(domain: Domain, administrator: ldap3.Connection) -> Iterator[str]:
    """Make an OU that is taken away again with all that is below it; its name needs escaping."""
    dn = f"OU=Test\\, {secrets.token_hex(3)},{domain.base_dn}"
    administrator.add(dn, "organizationalUnit")
    yield dn
    administrator.delete(dn, controls=[("1.2.840.113556.1.4.805", True, None)])


@pytest.fixture
def units(domain: Domain, administrator: ldap3.Connection, yard: str) -> list[str]:
    """Make three OUs; odj-automation may write the access lists of the first two."""
    names = [f"OU=One,{yard}", f"OU=Two\\, too,{yard}", f"OU=Three,{yard}"]
    for name in names:
        administrator.add(name, "organizationalUnit")
    entry = acl.allow(lab_directory.sid_of(administrator, domain, "odj-automation"), acl.WRITE_DAC)
    for name in names[:2]:
        acl.grant(administrator, name, entry)
    return names


@pytest.fixture
def accounts(domain: Domain, administrator: ldap3.Connection) -> Iterator[dict[str, str]]:
    """Make two service accounts that can log on; yields their passwords by name."""
    made = {f"msaT{secrets.token_hex(3)}": f"{secrets.token_urlsafe(12)}aA1!" for __ in range(2)}
    for name, password in made.items():
        attributes = {
            "sAMAccountName": f"{name}$",
            "userAccountControl": 4096,
            "unicodePwd": lab_directory.quoted(password),
        }
        administrator.add(f"CN={name},{domain.msa_container}", "msDS-ManagedServiceAccount", attributes)
    yield made
    for name in made:
        administrator.delete(f"CN={name},{domain.msa_container}")


@pytest.fixture
def name(domain: Domain, administrator: ldap3.Connection) -> Iterator[str]:
    """Return a name that no account has; whoever has it in the end goes."""
    chosen = f"msaODJ{secrets.token_hex(3)}"
    yield chosen
    entry = lab_directory.find(administrator, domain, f"{chosen}$")
    if entry:
        administrator.delete(entry["dn"])


@pytest.fixture
def options(domain: Domain) -> dict[str, t.Any]:
    """Return the options of the connection as the playbooks give them."""
    return {**inventory.access(domain)}


@pytest.fixture
def power(domain: Domain) -> dict[str, str]:
    """Return the options to work as Administrator."""
    return {"username": f"{domain.netbios}\\Administrator", "password": domain.passwords["Administrator"]}


@pytest.fixture
def opened(options: dict[str, t.Any]) -> Open:
    """Open the directory, with settings that differ from those of the playbooks."""
    return lambda **settings: open_directory(Settings(**{**options, **settings}))


@pytest.fixture
def task(options: dict[str, t.Any]) -> Task:
    """Run a job as a task does, and return its result."""

    def run(module: types.ModuleType, *, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
        spec = module.SPEC["argument_spec"]
        params = {**{name: option.get("default") for name, option in spec.items()}, **options, **given}
        with module.open_job(params) as job:
            return carry_out(job, check_mode=check)

    return run


@pytest.fixture
def whole_descriptor(administrator: ldap3.Connection) -> Callable[[str], bytes]:
    """Read a descriptor with all four parts, as only an administrator can."""

    def read(dn: str) -> bytes:
        administrator.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["nTSecurityDescriptor"])
        return t.cast(bytes, acl.responses(administrator)[0]["raw_attributes"]["nTSecurityDescriptor"][0])

    return read
