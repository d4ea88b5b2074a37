# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input ends with an error that names it, before anything was changed anywhere."""

from __future__ import annotations

import shutil
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.staging import first_day
from odj_lab import audit, inventory, plays
from odj_lab.settings import Lab
from odj_lab.store import JsonStore

SITE = "hybridjoin.odj.site"
SERVERS = ("odj01", "odj02")
FAST = {"odj_poll_interval": 1, "odj_active_timeout": 5, "odj_sign_in": "stop"}


@pytest.fixture(scope="module")
def estate(lab: Lab) -> Iterator[Lab]:
    inventory.write(lab, SERVERS)
    with first_day(lab):
        yield lab


def server_store(lab: Lab, server: str) -> JsonStore:
    return JsonStore(lab.server_dir(server) / "state.json")


def everything(lab: Lab) -> dict[str, t.Any]:
    """All that a play could change: what is on the servers, and the descriptors of the OUs."""
    domain = lab.domains[0]
    kept = ("files", "registry", "services", "user_rights", "boot_time")
    servers = {name: {key: server_store(lab, name).read()[key] for key in kept} for name in SERVERS}
    return {**servers, "acls": audit.descriptors(domain, *domain.organizational_units)}


@contextmanager
def changed(store: JsonStore, **values: t.Any) -> Iterator[None]:
    """Set top-level values of a state for a while."""
    before = store.read()
    with store.edit("bad input") as state:
        state.update(values)
    try:
        yield
    finally:
        with store.edit("bad input is over") as state:
            state.update({key: before[key] for key in values})


FIRST = ("--limit", "odj01")
"""For what one server says as well as two."""


def refused(lab: Lab, *words: str, playbook: str = SITE, **variables: object) -> str:
    """Run a playbook, see that it failed and changed nothing, and return what it printed on one line."""
    before = everything(lab)
    play = plays.run(lab, playbook, *words, variables={**FAST, **variables}, warm=True)
    assert play.code != 0, play.output
    assert everything(lab) == before
    assert not any(play.changed().values())
    return " ".join(play.output.split())


def test_unknown_organizational_unit(estate: Lab) -> None:
    unit = f"OU=Nowhere,{estate.domains[0].base_dn}"
    said = refused(estate, odj_organizational_units=[f"OU=Autopilot,{estate.domains[0].base_dn}", unit])
    for server in SERVERS:
        assert f"{server} is not ready to be a connector server" in said
    assert f"{unit} does not exist" in said


def test_malformed_distinguished_name(estate: Lab) -> None:
    assert "OU=Autopilot,contoso" in refused(estate, *FIRST, odj_organizational_units=["OU=Autopilot,contoso"])


def test_wrong_checksum(estate: Lab) -> None:
    installer = inventory.installer(estate)
    said = refused(estate, *FIRST, odj_installer={**installer, "checksum": "0" * 64})
    assert "0" * 64 in said
    assert installer["checksum"] in said


def test_the_preflight_finds_that_the_installer_is_not_there(estate: Lab) -> None:
    """U5."""
    installer = {**inventory.installer(estate), "src": "NoSuchInstaller.exe"}
    said = refused(estate, *FIRST, playbook="hybridjoin.odj.preflight", odj_installer=installer)
    assert "There is no NoSuchInstaller.exe on the controller" in said


def test_an_installer_beside_the_inventory_is_found(estate: Lab) -> None:
    """U5: as the README has it."""
    installer = inventory.installer(estate)
    beside = estate.home / "BesideTheInventory.exe"
    shutil.copy(installer["src"], beside)
    try:
        named = {**FAST, "odj_installer": {**installer, "src": beside.name}}
        play = plays.run(estate, SITE, *FIRST, "--tags", "prereqs,connector", "--check", variables=named, warm=True)
    finally:
        beside.unlink()
    assert play.code == 0, play.output
    assert play.changed() == {"odj01": 1}


def test_legacy_installer(estate: Lab) -> None:
    installer = inventory.installer(estate)
    assert "6.2407.2000.8" in refused(estate, *FIRST, odj_installer={**installer, "version": "6.2407.2000.8"})


def test_unreachable_server(estate: Lab) -> None:
    with changed(server_store(estate, "odj02"), up=False):
        said = refused(estate, "--limit", "odj02")
    assert "odj02" in said
    assert "UNREACHABLE" in said


def test_unreachable_domain_controller(estate: Lab) -> None:
    settings = inventory.access(estate.domains[0])
    nowhere = f"{estate.net}.99"
    assert nowhere in refused(estate, *FIRST, odj_directory={**settings, "server": nowhere})


def test_expired_secret(estate: Lab) -> None:
    cloud = JsonStore(estate.cloud_dir / "state.json")
    apps = cloud.read()["apps"]
    for app in apps.values():
        for secret in app["secrets"]:
            secret["expires"] = 0
    with changed(cloud, apps=apps):
        said = refused(estate, *FIRST)
    assert "7000222" in said
    assert estate.passwords["graph-app"] not in said


def test_account_that_may_not_delegate(estate: Lab) -> None:
    said = refused(estate, *FIRST, odj_directory=inventory.access(estate.domains[0], "intune-admin"))
    assert f"OU=Autopilot,{estate.domains[0].base_dn} cannot be delegated" in said


def test_wrong_password_of_the_directory(estate: Lab) -> None:
    settings = inventory.access(estate.domains[0])
    said = refused(estate, *FIRST, odj_directory={**settings, "password": "not-the-password"})
    assert "odj-automation" in said
    assert "not-the-password" not in said


def test_unmet_prerequisites_come_all_at_once(estate: Lab) -> None:
    store = server_store(estate, "odj01")
    state = store.read()
    key = next(k for k in state["registry"] if k.endswith(r"NDP\v4\Full"))
    registry = {**state["registry"], key: {"values": {"Release": {"kind": "DWord", "data": 394802}}}}
    network = {k: v for k, v in state["network"].items() if not k.startswith("manage.microsoft.com")}
    with changed(store, registry=registry, network=network):
        said = refused(estate, "--limit", "odj01", odj_organizational_units=[f"OU=Nowhere,{estate.domains[0].base_dn}"])
    for finding in ("dotnet_framework", "manage.microsoft.com", "OU=Nowhere"):
        assert finding in said


def test_check_mode_changes_nothing_and_is_no_error(estate: Lab) -> None:
    before = everything(estate)
    play = plays.run(estate, SITE, "--check", "--diff", variables=FAST)
    assert play.code == 0, play.output
    assert everything(estate) == before
    assert "6.2604.2000.3" in play.output
