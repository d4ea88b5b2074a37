# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of odj_server_probe answers every kind as odj_server_probe.yml says."""

from __future__ import annotations

import base64
import hashlib
import time
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.windows.scenery import Change, Json, Site
from odj_lab.windows.machine import TICKS_OF_UNIX_EPOCH, iso

NDP = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
CHANNEL = "Microsoft-Intune-ODJConnectorService/Operational"
LOGIN = {"host": "login.microsoftonline.com", "port": 443, "tls": True}


def test_all_questions_come_in_one_remote_execution(site: Site) -> None:
    answers = site.probe({"kind": "host"}, {"kind": "service", "name": "netlogon"}, {"kind": "dream"}, {"kind": "file"})
    assert [answers[str(i)]["ok"] for i in range(4)] == [True, True, False, False]
    assert [answers[i]["error"]["id"] for i in ("2", "3")] == ["UnknownKind", "BadArgument"]
    assert len(site.executions()) == 1


def test_host_has_its_own_clock(site: Site, change: Change) -> None:
    with change("clock") as state:
        state["clock_offset_seconds"] = -600
    before = time.time()
    value = site.value({"kind": "host", "locate_dc": True})
    server = (value["ticks_start"] - TICKS_OF_UNIX_EPOCH) / 1e7
    assert before - 600 <= server <= time.time() - 600
    assert (value["name"], value["domain_role"], value["build"]) == ("ODJ01", 3, "20348")
    assert value["dc"] == "dc1.contoso.test"


def test_registry_values_subkeys_and_views(site: Site, change: Change) -> None:
    with change("entries") as state:
        for key, name in ((rf"{UNINSTALL}\a", "One"), (rf"{UNINSTALL}\b", "Two")):
            state["registry"][key] = {"values": {"DisplayName": {"kind": "String", "data": name}}}
        low = UNINSTALL.replace("SOFTWARE", "SOFTWARE\\WOW6432Node")
        state["registry"][rf"{low}\c"] = {"values": {"DisplayName": {"kind": "String", "data": "Two"}}}
    where = {"value": "displayname", "equals": "two"}
    ask = {"kind": "registry", "key": UNINSTALL.lower().replace("hklm", "HKLM"), "subkeys": True, "subkey_where": where}
    answers = site.probe(
        {"kind": "registry", "key": NDP, "values": ["Release", "Nothing"]},
        ask,
        {**ask, "view": 32},
        {"kind": "registry", "key": r"HKLM\SOFTWARE\Nobody"},
        {"kind": "registry", "key": r"HKCU\Software"},
    )
    assert answers["0"]["value"]["values"] == {"Release": {"kind": "DWord", "data": 528449}}
    assert [s["name"] for s in answers["1"]["value"]["subkeys"]] == ["b"]
    assert [s["name"] for s in answers["2"]["value"]["subkeys"]] == ["c"]
    assert answers["3"]["value"] == {"exists": False, "values": {}, "subkeys": [], "unreadable": []}
    assert answers["4"]["error"]["id"] == "BadArgument"


def test_cim_filters_and_its_errors(site: Site) -> None:
    ask = {"kind": "cim", "class": "Win32_Service", "properties": ["Name", "State", "Nothing"]}
    answers = site.probe(
        {**ask, "filter": "Name='w32time' AND State <> 'Stopped'"},
        {**ask, "filter": "Name LIKE 'w%' OR ProcessId = 701"},
        {**ask, "filter": "Name = 'nobody'"},
        {**ask, "filter": "Name ~ 'x'"},
        {**ask, "class": "Win32_Nothing"},
        {**ask, "namespace": r"root\nowhere"},
        {"kind": "cim", "namespace": r"root\rsop\computer", "class": "RSOP_GPO", "properties": ["name"]},
    )
    assert answers["0"]["value"]["instances"] == [{"Name": "W32Time", "State": "Running", "Nothing": None}]
    assert sorted(i["Name"] for i in answers["1"]["value"]["instances"]) == ["Netlogon", "W32Time", "WinRM"]
    assert answers["2"]["value"]["instances"] == []
    codes = [answers[i]["error"]["id"] for i in ("3", "4", "5")]
    assert codes == ["HRESULT 0x80041017", "HRESULT 0x80041010", "HRESULT 0x8004100e"]
    assert answers["6"]["value"]["instances"] == []


def test_file_facts_are_those_asked_for(site: Site, change: Change) -> None:
    data = b"0123456789"
    with change("file") as state:
        state["files"][r"C:\ProgramData\x\a.log"] = {
            "content": base64.b64encode(data).decode(),
            "last_write": "2026-01-02T03:04:05.0000000Z",
            "attributes": "Archive, ReadOnly",
            "file_version": "6.2501.2000.5",
            "product_version": None,
            "signature": None,
            "sddl": "D:(A;;FA;;;SY)",
        }
    path = {"kind": "file", "path": "c:/programdata/X/A.log"}
    answers = site.probe(
        path,
        {**path, "hash": True, "version": True, "signature": True, "acl": True, "content": 4, "tail": 3},
        {"kind": "file", "path": r"C:\ProgramData\x"},
        {"kind": "file", "path": r"C:\nothing"},
        {"kind": "directory", "path": r"C:\ProgramData", "pattern": "X*"},
        {"kind": "directory", "path": r"C:\Nothing"},
    )
    plain, full = answers["0"]["value"], answers["1"]["value"]
    assert plain == {
        "exists": True,
        "directory": False,
        "attributes": "Archive, ReadOnly",
        "last_write": "2026-01-02T03:04:05.0000000Z",
        "length": 10,
    }
    assert full["sha256"] == hashlib.sha256(data).hexdigest()
    assert full["version"] == {"file": "6.2501.2000.5", "product": ".".join("0000")}
    assert (full["signature"]["status"], full["sddl"]) == (2, "D:(A;;FA;;;SY)")
    assert (base64.b64decode(full["content"]), full["truncated"]) == (b"0123", True)
    assert base64.b64decode(full["tail"]) == b"789"
    assert answers["2"]["value"]["directory"]
    assert answers["3"]["value"] == {"exists": False}
    assert [entry["name"] for entry in answers["4"]["value"]["entries"]] == ["x"]
    assert not answers["5"]["value"]["exists"]


def test_service(site: Site) -> None:
    value = site.value({"kind": "service", "name": "W32TIME"})
    assert (value["state"], value["start_mode"], value["start_name"]) == ("Running", "Auto", "LocalSystem")
    assert site.value({"kind": "service", "name": "Nobody"}) == {"exists": False}


def _event(record: int, number: int, age: float, **more: t.Any) -> dict[str, t.Any]:
    facts = {"level": 4, "provider": "Lab", "user_sid": "S-1-5-18", "properties": ["a", "b"], "message": "text"}
    return {"id": number, "record_id": record, "time": iso(time.time() - age), **facts, **more}


@pytest.mark.parametrize(
    ("xpath", "expected"),
    [
        (None, [4, 3, 2, 1]),
        ("*[System[EventID=30130]]", [3, 1]),
        ("*[System[(EventID=30130 or EventID=30132) and TimeCreated[timediff(@SystemTime) <= 3600000]]]", [4, 3]),
        ("*[System[Provider[@Name='Other'] and Level<=2]]", [2]),
        ("Event/System[EventRecordID > 2]", [4, 3]),
        ("*[System/Security[@UserID='S-1-5-21-1']]", [2]),
        ("*[EventData[Data='b']]", [4, 3, 1]),
    ],
)
def test_events_newest_first_by_xpath(site: Site, change: Change, xpath: str | None, expected: list[int]) -> None:
    other = {"provider": "Other", "level": 2, "user_sid": "S-1-5-21-1", "properties": ["z"]}
    rows = [_event(1, 30130, 7200), _event(2, 1, 10, **other), _event(3, 30130, 60), _event(4, 30132, 5)]
    with change("events") as state:
        state["channels"][CHANNEL] = {"enabled": True, "events": rows}
    value = site.value({"kind": "event", "channel": CHANNEL, "xpath": xpath, "limit": 10})
    assert [event["record_id"] for event in value["events"]] == expected
    assert value["record_count"] == 4
    assert all("message" not in event for event in value["events"])


def test_events_missing_channel_limit_and_bad_query(site: Site, change: Change) -> None:
    with change("events") as state:
        state["channels"][CHANNEL] = {"enabled": False, "events": [_event(1, 1, 9), _event(2, 1, 8)]}
    ask = {"kind": "event", "channel": CHANNEL}
    answers = site.probe(
        {**ask, "limit": 1, "message": True},
        {**ask, "xpath": "*[System[contains(Provider, 'x')]]"},
        {"kind": "event", "channel": "Nothing/Here"},
    )
    assert [e["message"] for e in answers["0"]["value"]["events"]] == ["text"]
    assert answers["0"]["value"]["enabled"] is False
    assert answers["1"]["error"]["reason"] == "EventLogException"
    assert answers["2"]["value"] == {"exists": False, "enabled": False, "record_count": 0, "events": []}


def test_certificates_by_issuer_with_and_without_key(site: Site, change: Change) -> None:
    row: Json = {
        "subject": "CN=x",
        "serial": "01",
        "not_before": None,
        "not_after": None,
        "has_private_key": True,
        "eku": [],
    }
    keys = {"key_file": r"C:\ProgramData\Microsoft\Crypto\Keys\k", "key_sddl": "D:"}
    with change("certificates") as state:
        state["certificates"]["My"] = [
            {**row, "thumbprint": "AA", "issuer": "CN=One", **keys},
            {**row, "thumbprint": "BB", "issuer": "CN=Two"},
        ]
    (plain,) = site.value({"kind": "certificate", "store": "My", "issuer": "CN=One"})["certificates"]
    assert (plain["thumbprint"], plain["key_file"]) == ("AA", None)
    (with_key, __) = site.value({"kind": "certificate", "key_access": True})["certificates"]
    assert with_key["key_sddl"] == "D:"


def test_endpoints_direct(site: Site, change: Change) -> None:
    with change("network") as state:
        state["network"]["slow.test:443"] = {"addresses": ["198.51.100.1"], "connect": "timeout"}
        state["network"]["unknown.test:443"] = {"addresses": [], "connect": True}
    names = ("slow.test", "unknown.test", "other.test")
    targets = [LOGIN, *({"host": name, "port": 443, "tls": True} for name in names)]
    found = site.value({"kind": "endpoint", "targets": targets, "timeout_ms": 700})["targets"]
    assert (found[0]["connected"], found[0]["error"]) == (True, None)
    assert found[0]["tls"]["issuer"].startswith("CN=Microsoft Azure RSA")
    assert [target["error"]["stage"] for target in found[1:]] == ["connect", "dns", "connect"]
    assert found[1]["ms"] == 700


def test_endpoints_through_a_proxy(site: Site, change: Change) -> None:
    with change("network") as state:
        state["network"]["login.microsoftonline.com:443"]["direct"] = False
        state["proxies"]["proxy.test:8080"] = {
            "connect": True,
            "status_of": {"manage.microsoft.com:443": 407},
            "tls": {"issuer": "CN=Inspection"},
        }
    targets = [LOGIN, {"host": "manage.microsoft.com", "port": 443}]
    direct = site.value({"kind": "endpoint", "targets": targets})["targets"]
    assert direct[0]["error"]["stage"] == "connect"
    ask = {"kind": "endpoint", "targets": targets}
    proxied = site.value({**ask, "proxy": "http://proxy.test:8080"})["targets"]
    assert (proxied[0]["connected"], proxied[0]["tls"]["issuer"]) == (True, "CN=Inspection")
    assert (proxied[1]["proxy_status"], proxied[1]["error"]["stage"]) == (407, "proxy")
    absent = site.value({**ask, "proxy": "http://nobody.test:1"})["targets"]
    assert absent[0]["error"]["stage"] == "connect"


def test_only_the_system_may_ask_for_an_account(site: Site, change: Change) -> None:
    with change("account") as state:
        state["accounts"]["svcOdj"] = {"state": 4}
    ask = {"kind": "account", "name": "SVCODJ"}
    assert site.probe(ask)["0"]["error"]["id"] == "NoCredentials"
    assert site.value(ask, system=True) == {"status": 0, "state": 4}


def test_rights_and_constrained_language(site: Site, change: Change) -> None:
    ask = {"kind": "rights", "names": ["SeServiceLogonRight", "SeDenyServiceLogonRight"]}
    held = site.value(ask)["rights"]
    assert held == {"SeServiceLogonRight": [{"sid": "S-1-5-80-0", "name": None}], "SeDenyServiceLogonRight": []}
    with change("lock down") as state:
        state["language_mode"] = "ConstrainedLanguage"
    answers = site.probe(
        {"kind": "account", "name": "x"},
        {"kind": "certificate", "key_access": True},
        {"kind": "certificate"},
        {"kind": "endpoint", "targets": [LOGIN]},
    )
    assert [answers[i]["ok"] for i in "0123"] == [False, True, True, True]
    assert answers["0"]["error"]["id"] == "LanguageMode"
    assert answers["3"]["value"]["targets"][0]["tls"] is None


def test_a_probe_can_be_made_to_fail_alone(site: Site, change: Change) -> None:
    with change("fault") as state:
        state["faults"] = [{"kind": "probe_service"}]
    answers = site.probe({"kind": "service", "name": "W32Time"}, {"kind": "host"})
    assert [answers[i]["ok"] for i in "01"] == [False, True]
    assert answers["0"]["error"]["hresult"] == -2147024891  # access denied
