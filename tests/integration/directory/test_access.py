# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways into the real directory: Kerberos from a password, a keytab and a cache; domain controllers out of DNS."""

from __future__ import annotations

import json
import subprocess
import typing as t
from collections.abc import Callable
from pathlib import Path

import ldap3
import ldap3.protocol.sasl.kerberos
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import authentication
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.integration.directory.scene import Open, Task
from odj_lab import directory as lab_directory
from odj_lab import plays
from odj_lab.settings import Domain

USER = "odj-automation"
Ktutil = Callable[..., Path]


@pytest.fixture(autouse=True)
def krb5_conf(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(domain.lab.krb5_conf))
    monkeypatch.delenv("KRB5CCNAME", raising=False)


@pytest.fixture
def kerberos(domain: Domain) -> dict[str, t.Any]:
    return {"auth_protocol": "kerberos", "username": f"{USER}@{domain.realm}"}


@pytest.fixture
def keytab(domain: Domain, tmp_path: Path) -> Path:
    """Make a keytab as an administrator does with ktutil."""
    path = tmp_path / "odj.keytab"
    commands = f"addent -password -p {USER}@{domain.realm} -k 1 -e aes256-cts\n{domain.passwords[USER]}\nwkt {path}\n"
    subprocess.run(["ktutil"], input=commands, text=True, check=True, capture_output=True)
    assert path.stat().st_size
    return path


@pytest.fixture
def ccache(domain: Domain, tmp_path: Path) -> Path:
    path = tmp_path / "cc"
    principal = f"{USER}@{domain.realm}"
    words = ["kinit", "-c", str(path), principal]
    subprocess.run(words, input=f"{domain.passwords[USER]}\n", text=True, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("mode", ["ldaps", "start_tls"])
def test_a_ticket_from_a_password(opened: Open, kerberos: dict[str, t.Any], mode: str) -> None:
    with opened(**kerberos, tls_mode=mode) as directory:
        assert directory.facts()["operations"]["bind"] == 1


def test_a_ticket_from_a_keytab_writes_a_delegation(
    domain: Domain, task: Task, kerberos: dict[str, t.Any], keytab: Path, units: list[str], accounts: dict[str, str]
) -> None:
    wish = {"organizational_units": units[:1], "accounts": [f"{name}$" for name in accounts], "password": None}
    access = {**kerberos, "keytab": str(keytab)}
    assert task(ou_delegate, **access, **wish)["changed"]
    assert not task(ou_delegate, **access, **wish)["changed"]


@pytest.mark.parametrize("named", [True, False])
def test_a_ticket_from_a_cache(opened: Open, kerberos: dict[str, t.Any], ccache: Path, named: bool) -> None:
    who = kerberos if named else {**kerberos, "username": None}
    with opened(**who, password=None, ccache=str(ccache)) as directory:
        assert directory.facts()["operations"]["bind"] == 1


def test_the_cache_of_the_process_is_the_default(
    opened: Open, kerberos: dict[str, t.Any], ccache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{ccache}")
    with opened(**{**kerberos, "username": None}, password=None) as directory:
        assert directory.facts()["operations"]["bind"] == 1


def test_a_keytab_of_somebody_else(opened: Open, kerberos: dict[str, t.Any], keytab: Path, domain: Domain) -> None:
    settings = {**kerberos, "username": f"administrator@{domain.realm}", "password": None}
    with pytest.raises(DirectoryError, match="has no key of that account"), opened(**settings, keytab=str(keytab)):
        pass


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"password": "wrong"}, "Preauthentication failed.*wrong or not the newest"),
        ({"username": "nobody@CONTOSO.TEST"}, "no such account"),
        ({"username": "odj-automation@contoso.test"}, "capital letters"),
        ({"username": "odj-automation@OTHER.TEST"}, "capital letters"),
        ({"username": None, "password": None}, "kinit"),
        ({"username": None, "password": None, "ccache": "/nowhere/cc"}, "kinit"),
    ],
)
def test_what_does_not_open_it(opened: Open, kerberos: dict[str, t.Any], settings: dict[str, t.Any], said: str) -> None:
    with pytest.raises(DirectoryError, match=said) as caught, opened(**{**kerberos, **settings}):
        pass
    assert str(caught.value).count("Kerberos") >= 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"userAccountControl": [4098]}, "disabled, expired or locked out"),
        ({"accountExpires": [132000000000000000]}, "expired"),
    ],
)
def test_an_account_that_may_not_log_on(
    domain: Domain,
    opened: Open,
    administrator: ldap3.Connection,
    accounts: dict[str, str],
    changes: dict[str, list[int]],
    said: str,
) -> None:
    name, password = next(iter(accounts.items()))
    dn = f"CN={name},{domain.msa_container}"
    administrator.modify(dn, {key: [(ldap3.MODIFY_REPLACE, values)] for key, values in changes.items()})
    who = {"auth_protocol": "kerberos", "username": f"{name}$@{domain.realm}", "password": password}
    with pytest.raises(DirectoryError, match=said), opened(**who):
        pass


def test_the_ticket_is_bound_to_the_tls_connection(
    domain: Domain, opened: Open, kerberos: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the binding taken away, a domain controller that demands it refuses; Samba does since 4.21."""
    monkeypatch.setattr(authentication, "channel_bindings", lambda certificate, host: None)
    if lab_directory.demands_channel_binding(domain):
        with pytest.raises(DirectoryError, match="channel binding"), opened(**kerberos):
            pass
    else:
        with opened(**kerberos) as directory:
            assert directory.facts()["operations"]["bind"] == 1


def test_the_domain_controller_is_looked_up(domain: Domain, opened: Open, kerberos: dict[str, t.Any]) -> None:
    looked_up = {"server": None, "domain": domain.name, "dns_servers": (domain.dc_address,)}
    for who in ({}, kerberos):
        with opened(**looked_up, **who) as directory:
            assert directory.facts()["server"] == domain.dc
    with (
        pytest.raises(DirectoryError, match=r"other\.test.*no such records"),
        opened(**{**looked_up, "domain": "other.test"}),
    ):
        pass


def test_a_play_needs_no_password(domain: Domain, tmp_path: Path, keytab: Path) -> None:
    """Everything comes from the environment of the task, as the automation platform injects it."""
    environment = {
        "KRB5_CONFIG": str(domain.lab.krb5_conf),
        "ODJ_LDAP_AUTH_PROTOCOL": "kerberos",
        "ODJ_LDAP_CA_PATH": str(domain.lab.ca_path),
        "ODJ_LDAP_DNS_SERVERS": domain.dc_address,
        "ODJ_LDAP_DOMAIN": domain.name,
        "ODJ_LDAP_KEYTAB": str(keytab),
        "ODJ_LDAP_USERNAME": f"{USER}@{domain.realm}",
    }
    look = {
        "name": "Look",
        "hybridjoin.odj.odj_organizational_unit_info": {"organizational_units": [f"OU=Autopilot,{domain.base_dn}"]},
        "register": "seen",
    }
    see = {
        "name": "See",
        "ansible.builtin.assert": {"that": [f"seen.directory.server == '{domain.dc}'"], "quiet": True},
    }
    whole = {"hosts": "localhost", "gather_facts": False, "environment": environment, "tasks": [look, see]}
    file = tmp_path / "play.yml"
    file.write_text(json.dumps([whole]), encoding="utf-8")
    done = plays.run(domain.lab, file)
    assert done.code == 0, done.output
