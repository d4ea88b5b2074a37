# SPDX-License-Identifier: GPL-3.0-or-later
"""Two forests in one run of the main job: every server gets what is its own domain's, and a device joins in each."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.staging import first_day
from odj_lab import audit, inventory, plays, population
from odj_lab.cloud import connectors
from odj_lab.processes import LabError
from odj_lab.product import accounts, host, join, layout, sign_in
from odj_lab.settings import Domain, Lab

SITE = "hybridjoin.odj.site"
SERVERS = {"odj01": "contoso.test", "odj02": "contoso.test", "odj11": "fabrikam.test"}
CREATE = r"\(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;(S-[\d-]+)\)"
FAST = {"odj_poll_interval": 1}
PATIENCE = 120  # seconds; answers take milliseconds
PROFILES = {"contoso.test": "Hybrid join: Contoso PCs", "fabrikam.test": "Hybrid join: Fabrikam PCs"}


class Built(t.NamedTuple):
    """The run that builds all three, the person's accounts by server, and the rights on each unit before and after."""

    play: plays.Play
    accounts: dict[str, accounts.ServiceAccount]
    before: dict[str, list[str]]
    after: dict[str, list[str]]
    began: float


@pytest.fixture(scope="module")
def estate(forests: Lab) -> Iterator[Lab]:
    inventory.write(forests, list(SERVERS))
    with first_day(forests):
        yield forests
    inventory.write(forests)


def rights(lab: Lab) -> dict[str, list[str]]:
    """Return the SIDs that may create computers in each unit of both domains, by its DN."""
    found: dict[str, list[str]] = {}
    for domain in lab.domains:
        texts = audit.descriptors(domain, *domain.organizational_units)
        found |= {unit: re.findall(CREATE, text) for unit, text in zip(domain.organizational_units, texts, strict=True)}
    return found


@pytest.fixture(scope="module")
def built(estate: Lab) -> Built:
    """Run it once; a person signs in at each server as soon as the play says that it is ready."""
    made: dict[str, accounts.ServiceAccount] = {}

    def person(line: str) -> None:
        if ready := re.search(r'"(odj\d+) is ready to sign in', line):
            made[ready[1]] = sign_in.sign_in(estate, ready[1])

    before, began = rights(estate), time.time()
    play = plays.run(estate, SITE, variables=FAST, on_line=person, warm=True)
    return Built(play, made, before, rights(estate), began)


def of(lab: Lab, server: str) -> Domain:
    return lab.domain_named(SERVERS[server])


def test_one_run_builds_the_servers_of_both(estate: Lab, built: Built) -> None:
    assert built.play.code == 0, built.play.output
    assert set(built.accounts) == set(SERVERS)
    for server, account in built.accounts.items():
        domain, state = of(estate, server), host.store(estate, server).read()
        assert state["services"][layout.SERVICE]["start_name"] == f"{domain.netbios}\\{account['name']}$"
        assert account["name"] in [each["name"].rstrip("$") for each in population.service_accounts(domain)]
        listed = layout.settings(host.read_file(state, layout.WIZARD_CONFIG) or b"")[layout.OU_KEY]
        assert all(unit.endswith(domain.base_dn) for unit in re.split(r"(?<!\\);", listed))
    assert [(each["displayName"], each["state"]) for each in connectors.listed(estate)] == [
        (server.upper(), "active") for server in built.accounts
    ]


def test_each_account_is_delegated_in_its_own_directory_and_in_no_other(estate: Lab, built: Built) -> None:
    for domain in estate.domains:
        own = {account["sid"] for server, account in built.accounts.items() if SERVERS[server] == domain.name}
        assert own
        for unit in domain.organizational_units:
            assert set(built.after[unit]) - set(built.before[unit]) == own
        who = {bind["account"] for bind in audit.ldap_binds(domain, built.began)}
        assert "odj-automation" in who


def test_a_second_run_changes_nothing(estate: Lab, built: Built) -> None:
    assert built.play.code == 0, built.play.output
    again = plays.run(estate, SITE, variables=FAST, warm=True)
    assert again.code == 0, again.output
    assert again.changed() == dict.fromkeys(SERVERS, 0)
    assert rights(estate) == built.after


@pytest.mark.parametrize("name", PROFILES)
def test_a_device_joins_in_the_domain_of_its_profile(estate: Lab, built: Built, name: str) -> None:
    assert built.play.code == 0, built.play.output
    device = f"PC-{secrets.token_hex(4).upper()}"
    joined = join.enrol(estate, device, profile=PROFILES[name])
    assert joined.error == ""
    assert SERVERS[joined.server] == name
    owner = built.accounts[joined.server]["sid"]
    for domain in estate.domains:
        found = population.computer(domain, device)
        here = {"dn": f"CN={device},{domain.organizational_units[0]}", "owner": owner}
        assert found == (here if domain.name == name else None)


def test_no_connector_of_another_domain_helps_out(estate: Lab, built: Built) -> None:
    assert built.play.code == 0, built.play.output
    with host.store(estate, "odj11").edit("it stops") as state:
        state["services"][layout.SERVICE]["state"] = "Stopped"
    try:
        with pytest.raises(LabError, match=r"No healthy connector of domain fabrikam\.test"):
            join.enrol(estate, "PC-WAITS", profile=PROFILES["fabrikam.test"])
        assert join.enrol(estate, f"PC-{secrets.token_hex(4).upper()}", profile=PROFILES["contoso.test"]).dn
    finally:
        with host.store(estate, "odj11").edit("it starts") as state:
            host.start_service(state["services"][layout.SERVICE])


def test_the_forests_are_separate(estate: Lab, tmp_path: Path) -> None:
    """Each has a realm, a name server, and an account of the same name with a password of its own."""
    names = [domain.name for domain in estate.domains]
    assert len({domain.passwords["odj-automation"] for domain in estate.domains}) == len(names)
    for domain in estate.domains:
        for realm, code in ((domain, 0), *((other, 1) for other in estate.domains if other != domain)):
            done = subprocess.run(
                ["kinit", "-c", str(tmp_path / "cc"), f"odj-automation@{realm.realm}"],
                input=domain.passwords["odj-automation"],
                env={**os.environ, "KRB5_CONFIG": str(estate.krb5_conf)},
                text=True,
                capture_output=True,
                check=False,
            )
            assert done.returncode == code, done.stderr
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.lifetime = [domain.dc_address], PATIENCE
        assert [str(each) for each in resolver.resolve(domain.dc, "A")] == [domain.dc_address]
        (record,) = resolver.resolve(f"_ldap._tcp.{domain.name}", "SRV")
        assert str(record.target) == f"{domain.dc}."
        for other in set(names) - {domain.name}:
            with pytest.raises(dns.resolver.NXDOMAIN):
                resolver.resolve(f"dc1.{other}", "A")
