# SPDX-License-Identifier: GPL-3.0-or-later
"""The product in a real directory: sign-in, rights, joins, heartbeats."""

from __future__ import annotations

import re
import time
from pathlib import Path

import ldap3
import pytest
from ldap3.core.exceptions import LDAPInsufficientAccessRightsResult

from ansible_collections.hybridjoin.odj.tests.integration.product.scene import install
from odj_lab import audit, directory, population
from odj_lab import directory_acl as acl
from odj_lab.cloud import connectors
from odj_lab.processes import LabError
from odj_lab.product import accounts, builds, heartbeat, host, join, layout, services, sign_in, wizard
from odj_lab.settings import Domain, Lab

COMPUTER_CLASS = "bf967a86-0de6-11d0-a285-00aa003049e2"


@pytest.fixture(scope="module")
def account(estate: Lab) -> accounts.ServiceAccount:
    """Return the account of odj01 after a sign-in by somebody who may not write the OUs' permissions."""
    install(estate, "odj01")
    return sign_in.sign_in(estate, "odj01")


def delegate(domain: Domain, dn: str, sid: str) -> None:
    """Allow an account to create computers in an OU, as odj-automation would."""
    with directory.connected(domain, "odj-automation") as connection:
        name = next(a["name"] for a in population.service_accounts(domain) if a["sid"] == sid)
        entry = acl.allow(
            directory.sid_of(connection, domain, name),
            acl.CREATE_CHILD,
            directory.schema_guid(connection, domain, "computer"),
        )
        acl.grant(connection, dn, entry)


def events(lab: Lab, server: str, event_id: int) -> list[dict[str, object]]:
    log = host.store(lab, server).read()["channels"][layout.CHANNELS[1]]["events"]
    return [event for event in log if event["id"] == event_id]


def test_sign_in_makes_account_link_certificate_and_entry(estate: Lab, account: accounts.ServiceAccount) -> None:
    assert re.fullmatch(r"msaODJ[A-Za-z0-9]{5}", account["name"])
    with directory.connected(estate.domains[0], "Administrator") as connection:
        entry = directory.find(
            connection, estate.domains[0], f"{account['name']}$", "objectClass", "msDS-HostServiceAccountBL"
        )
    assert entry is not None
    assert b"msDS-ManagedServiceAccount" in entry["raw_attributes"]["objectClass"]
    assert entry["raw_attributes"]["msDS-HostServiceAccountBL"] == [estate.domains[0].computer_dn("odj01").encode()]
    state = host.store(estate, "odj01").read()
    service = state["services"]["ODJConnectorSvc"]
    assert (service["state"], service["start_name"]) == ("Running", f"CONTOSO\\{account['name']}$")
    assert account["sid"] in state["user_rights"][services.LOGON_RIGHT]
    assert [c["issuer"] for c in state["certificates"]["My"]] == [sign_in.ISSUER]
    shown = next(c for c in connectors.listed(estate) if c["id"] == host.product(state)["connector_id"])
    assert (shown["state"], shown["version"]) == ("active", builds.NEWEST)
    assert "0x8007202F" in (host.read_file(state, layout.WIZARD_LOG) or b"").decode()


def test_account_password_is_nowhere_in_the_state(estate: Lab, account: accounts.ServiceAccount) -> None:
    secret = accounts.password(estate.domains[0], account["name"])
    folders = (estate.server_dir("odj01"), estate.cloud_dir)
    for path in (p for folder in folders for p in folder.iterdir() if p.is_file()):
        assert secret not in path.read_text(encoding="utf-8", errors="replace"), path


@pytest.mark.parametrize("via", ["net", "ldap"])
def test_join_needs_the_delegation(estate: Lab, account: accounts.ServiceAccount, via: str) -> None:
    unit = estate.domains[0].organizational_units[("net", "ldap").index(via)]
    before = len(events(estate, "odj01", 30132))
    denied = join.enrol(estate, f"{via}-DENIED", unit=unit, via=via)
    assert "access denied" in denied.error
    assert population.computer(estate.domains[0], f"{via}-DENIED") is None
    failures = events(estate, "odj01", 30132)
    assert len(failures) == before + 1
    assert "DiagnosticCode: 0x00000800" in str(failures[-1]["message"])

    delegate(estate.domains[0], unit, account["sid"])
    joined = join.enrol(estate, f"{via}-JOINED", unit=unit, via=via)
    assert joined.error == ""
    found = population.computer(estate.domains[0], f"{via}-JOINED")
    assert found == {"dn": f"CN={via.upper()}-JOINED,{unit}", "owner": account["sid"]} or found == {
        "dn": f"CN={via}-JOINED,{unit}",
        "owner": account["sid"],
    }
    success = events(estate, "odj01", 30130)[-1]
    assert success["user_sid"] == account["sid"]
    assert f"DeviceName: {via}-JOINED" in str(success["message"])


def test_name_that_is_taken_is_refused(estate: Lab, account: accounts.ServiceAccount) -> None:
    with pytest.raises(LabError, match="exists already"):
        join.enrol(estate, "ODJ02")


def test_binds_are_counted_by_the_domain_controller(estate: Lab) -> None:
    begun = time.time()
    for __ in range(2):
        with directory.connected(estate.domains[0], "odj-automation"):
            pass
    seen = [bind for bind in audit.ldap_binds(estate.domains[0], begun) if bind["account"] == "odj-automation"]
    assert [(bind["service"], bind["status"]) for bind in seen] == [("simple bind/TLS", "NT_STATUS_OK")] * 2


def test_person_with_ou_rights_writes_exactly_one_entry(estate: Lab) -> None:
    unit = estate.domains[0].organizational_units[2]
    install(estate, "odj02")
    with host.store(estate, "odj02").edit("test") as state:
        content = host.read_file(state, layout.WIZARD_CONFIG) or b""
        listed = f'"{layout.OU_KEY}" value="{unit}"'.encode()
        host.put_file(state, layout.WIZARD_CONFIG, content.replace(f'"{layout.OU_KEY}" value=""'.encode(), listed))
    before = audit.descriptor(estate.domains[0], unit)
    made = sign_in.sign_in(estate, "odj02", with_ou_rights=True)
    entry = f"(OA;;CC;{COMPUTER_CLASS};;{made['sid']})"
    after = audit.descriptor(estate.domains[0], unit)
    assert after.count(entry) == 1
    assert after.replace(entry, "") == before
    assert audit.descriptor(estate.domains[0], estate.domains[0].computers_container).count(made["sid"]) == 0


def test_second_sign_in_makes_another_account(estate: Lab) -> None:
    install(estate, "odj03")
    first, second = sign_in.sign_in(estate, "odj03"), sign_in.sign_in(estate, "odj03")
    assert first["name"] != second["name"]
    state = host.store(estate, "odj03").read()
    assert state["services"]["ODJConnectorSvc"]["start_name"].endswith(f"{second['name']}$")
    assert len(state["certificates"]["My"]) == 1


def test_withheld_right_keeps_the_service_from_starting(estate: Lab) -> None:
    install(estate, "odj03")
    with host.store(estate, "odj03").edit("test") as state:
        state["faults"].append({"kind": "logon_right_withheld"})
    said: list[str] = []
    sign_in.sign_in(estate, "odj03", said.append)
    assert wizard.NOT_STARTED in said
    with host.store(estate, "odj03").edit("somebody starts it") as state:
        state["faults"].clear()
        host.start_service(state["services"]["ODJConnectorSvc"])
    services.on_service(estate, "odj03", "odjconnectorsvc", "start")
    entry = host.store(estate, "odj03").read()["services"]["ODJConnectorSvc"]
    assert (entry["state"], entry["exit_code"]) == ("Stopped", services.LOGON_FAILURE)


def test_unreachable_sign_in_page_and_missing_connector_are_said(estate: Lab) -> None:
    with host.store(estate, "odj03").edit("test") as state:
        state["network"]["portal.manage.microsoft.com:443"]["connect"] = False
    with pytest.raises(LabError, match=r"does not reach portal\.manage\.microsoft\.com"):
        sign_in.sign_in(estate, "odj03")
    install(estate, "odj03", switches="/uninstall /quiet")
    with pytest.raises(LabError, match="No connector is installed on odj03"):
        sign_in.sign_in(estate, "odj03")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "ODJConnectorSvc", "state"), "Stopped"),
        (("network", "manage.microsoft.com:443", "connect"), False),
        (("up",), False),
    ],
)
def test_only_a_working_connector_beats(
    estate: Lab, account: accounts.ServiceAccount, path: tuple[str, ...], value: object
) -> None:
    assert "odj01" in heartbeat.beat_all(estate)
    store = host.store(estate, "odj01")
    *above, last = path
    with store.edit("test") as state:
        place = state
        for key in above:
            place = place[key]
        old, place[last] = place[last], value
    assert "odj01" not in heartbeat.beat_all(estate)
    with store.edit("test") as state:
        place = state
        for key in above:
            place = place[key]
        place[last] = old
    assert "odj01" in heartbeat.beat_all(estate)


def test_join_without_a_healthy_connector(estate: Lab, account: accounts.ServiceAccount) -> None:
    stopped = []
    for server in ("odj01", "odj02"):
        with host.store(estate, server).edit("test") as state:
            entry = host.service(state, layout.SERVICE)
            if entry is not None and entry["state"] == "Running":
                entry["state"] = "Stopped"
                stopped.append(server)
    said: list[str] = []
    with pytest.raises(LabError, match=r"No healthy connector of domain contoso\.test"):
        join.enrol(estate, "LAB-WAITS", said.append)
    for server in stopped:
        assert f"the connector on {server} does not answer; Intune asks another one" in said
        with host.store(estate, server).edit("test") as state:
            host.start_service(state["services"]["ODJConnectorSvc"])


def test_automation_account_holds_only_what_is_documented(estate: Lab) -> None:
    unit = estate.domains[0].organizational_units[0]
    computer = estate.domains[0].computer_dn("odj01")
    account = f"CN=svcOdjTest,{estate.domains[0].msa_container}"
    with directory.connected(estate.domains[0], "odj-automation") as connection:
        connection.add(account, accounts.CLASS, {"sAMAccountName": "svcOdjTest$", "userAccountControl": 4096})
        connection.delete(account)
        acl.grant(connection, unit)
        for refused in (
            lambda: connection.add(f"CN=X,{unit}", "computer", {"sAMAccountName": "X$"}),
            lambda: connection.add(f"OU=X,{unit}", "organizationalUnit"),
            lambda: connection.add(f"CN=X,{estate.domains[0].msa_container}", "user", {"sAMAccountName": "X"}),
            lambda: connection.modify(computer, {"description": [(ldap3.MODIFY_REPLACE, ["x"])]}),
            lambda: connection.modify(computer, {"msDS-HostServiceAccount": [(ldap3.MODIFY_REPLACE, [computer])]}),
            lambda: acl.grant(
                connection, f"OU=Servers,{estate.domains[0].base_dn}", acl.allow(b"\x01\x01" + bytes(6) + b"\1" * 4, 1)
            ),
        ):
            with pytest.raises(LDAPInsufficientAccessRightsResult):
                refused()


def test_inventory_is_private_and_names_what_is_there(estate: Lab) -> None:
    from odj_lab import inventory

    path = inventory.path(estate)
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text(encoding="utf-8")
    assert builds.checksum(builds.NEWEST) in text
    assert Path(builds.installer_path(estate, builds.NEWEST)).read_bytes() == builds.make_bootstrapper(builds.NEWEST)
