# SPDX-License-Identifier: GPL-3.0-or-later
"""The door to a real directory: what opens it, what does not, and what is said then."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import msa
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_contract import keep_the_contract
from odj_lab.settings import Domain


def test_the_directory_keeps_the_contract(domain: Domain, opened: Open, yard: str) -> None:
    settings = {"username": f"{domain.netbios}\\Administrator", "password": domain.passwords["Administrator"]}
    with opened(**settings) as directory:
        keep_the_contract(directory, yard)


@pytest.mark.parametrize(
    "user", ["{netbios}\\odj-automation", "odj-automation@{domain}", "CN=odj-automation,CN=Users,{dn}"]
)
@pytest.mark.parametrize("mode", ["ldaps", "start_tls"])
def test_ways_to_log_on(domain: Domain, opened: Open, user: str, mode: str) -> None:
    name = user.format(netbios=domain.netbios, domain=domain.name, dn=domain.base_dn)
    with opened(username=name, tls_mode=mode, server_name=f"{domain.dc}") as directory:
        assert root_dse(directory, "defaultNamingContext").text("defaultNamingContext") == domain.base_dn
        assert directory.facts()["operations"]["bind"] == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"password": "wrong"}, "user name or the password is wrong"),
        ({"username": "nobody@contoso.test"}, "log on as nobody@contoso.test"),
        ({"ca_path": None}, "set ca_path"),
        ({"server_name": "dc9.contoso.test"}, "certificate is for another name"),
        ({"port": 389, "timeout": 3}, "connect to the directory"),
    ],
)
@pytest.mark.parametrize("mode", ["ldaps", "start_tls"])
def test_what_does_not_open_it(opened: Open, mode: str, settings: dict[str, t.Any], message: str) -> None:
    if mode == "start_tls" and "port" in settings:
        settings = {"port": 636, "timeout": 3}
    with pytest.raises(DirectoryError, match=message), opened(tls_mode=mode, **settings):
        pass


def test_a_descriptor_without_the_control_is_refused_to_who_may_write_the_list_alone(
    opened: Open, units: list[str], whole_descriptor: Callable[[str], bytes]
) -> None:
    """Samba 4.17 says that a right is missing, 4.22 that this owner cannot be set (ERROR_INVALID_OWNER)."""
    same = whole_descriptor(units[0])
    with opened() as directory, pytest.raises(DirectoryError, match=r"\(50\)|\(19\): 0000051B"):
        directory.modify(units[0], {"nTSecurityDescriptor": ("replace", [same])})
    assert whole_descriptor(units[0]) == same


@pytest.mark.parametrize("kind", ["standalone", "group"])
def test_service_accounts_with_the_rights_of_the_playbooks_account(domain: Domain, task: Task, kind: str) -> None:
    options: dict[str, t.Any] = {"name": f"odjT{kind[:5]}", "kind": kind, "description": "for a test"}
    if kind == "group":
        options |= {"dns_host_name": f"odjt.{domain.name}", "allowed_readers": ["odj01", "ODJ02$"]}
    planned = task(msa, check=True, **options)
    done = task(msa, **options)
    try:
        assert (planned["plan"], planned["changed"]) == (done["plan"], True)
        assert done["service_account"]["enabled"]
        assert done["service_account"]["kerberos_encryption_types"] == ["aes128", "aes256"]
        assert not task(msa, **options)["changed"]
        if kind == "standalone":
            with pytest.raises(DirectoryError, match=r"ODJ01.*\(50\)"):
                task(msa, **options, host="odj01")
            linked = task(msa, **options, host="odj01", username=f"{domain.netbios}\\Administrator",
                          password=domain.passwords["Administrator"])  # fmt: skip
            assert linked["service_account"]["hosts"] == [domain.computer_dn("odj01")]
            assert not task(msa, **options, host="odj01")["changed"]
    finally:
        gone = task(msa, name=options["name"], kind=kind, state="absent", force=True)
    assert gone["changed"]
    assert not task(msa, name=options["name"], kind=kind, state="absent")["changed"]
