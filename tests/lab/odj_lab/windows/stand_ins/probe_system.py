# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about the system: host, cim, service, event, rights."""

from __future__ import annotations

import typing as t

from odj_lab.store import State
from odj_lab.windows import accounts, wql, xpath
from odj_lab.windows.machine import iso, server_time, ticks
from odj_lab.windows.stand_ins import services
from odj_lab.windows.stand_ins.probing import Look, Probe, argument
from odj_lab.windows.stand_ins.table import Result
from odj_lab.windows.trouble import Refused, WindowsError

DEFAULT_NAMESPACE = r"root\cimv2"
NO_CLASS, NO_NAMESPACE, BAD_QUERY = 0x80041010, 0x8004100E, 0x80041017
DEFAULT_EVENTS = 100
STANDALONE_SERVER = 2


def host(look: Look, probe: Probe) -> Result:
    """Clock, names, system, PowerShell."""
    state = look.state
    member = state["domain_role"] not in (0, STANDALONE_SERVER)
    now = server_time(state)
    return {
        "name": state["name"],
        "dns_host_name": state["fqdn"].partition(".")[0],
        "domain": state["domain"] if member else "WORKGROUP",
        "part_of_domain": member,
        "domain_role": state["domain_role"],
        "os_version": state["os"]["version"],
        "build": state["os"]["build"],
        "boot_time": iso(state["boot_time"]),
        "product_type": state["os"]["product_type"],
        "ticks_start": ticks(now),
        "ticks_end": ticks(server_time(state)),
        "powershell": {**state["powershell"], "language_mode": state["language_mode"]},
        "bits": 64,
        "elevated": state["elevated"],
        "dc": state["dc"] if probe.get("locate_dc") and member else None,
    }


def cim(look: Look, probe: Probe) -> Result:
    """Instances of a class: some derived from the state, others written in it."""
    name, wanted = argument(probe, "class"), argument(probe, "properties")
    namespace = (probe.get("namespace") or DEFAULT_NAMESPACE).replace("/", "\\")
    rows = _instances(look.state, namespace, name)
    try:
        chosen = wql.chosen(rows, probe.get("filter") or "")
    except wql.BadFilter as error:
        raise _cim_error(BAD_QUERY, "InvalidArgument", str(error)) from error
    return {"instances": [{key: _property(row, key) for key in wanted} for row in chosen]}


def _property(row: dict[str, t.Any], name: str) -> t.Any:
    return next((value for key, value in row.items() if key.casefold() == name.casefold()), None)


def _instances(state: State, namespace: str, name: str) -> list[dict[str, t.Any]]:
    written = {key.casefold(): rows for key, rows in state["cim"].items()}
    full = f"{namespace}:{name}".casefold()
    if full in written:
        return t.cast("list[dict[str, t.Any]]", written[full])
    derived = {
        "win32_service": _win32_service,
        "win32_computersystem": _win32_computer_system,
        "win32_operatingsystem": _win32_operating_system,
    }
    if namespace.casefold() == DEFAULT_NAMESPACE and name.casefold() in derived:
        return derived[name.casefold()](state)
    spaces = {DEFAULT_NAMESPACE, *(key.rpartition(":")[0] for key in written)}
    if namespace.casefold() not in spaces:
        raise _cim_error(NO_NAMESPACE, "MetadataError", "Invalid namespace")
    raise _cim_error(NO_CLASS, "MetadataError", "Invalid class")


def _cim_error(code: int, category: str, text: str) -> WindowsError:
    return WindowsError(
        text, hresult=0x80131500, reason="CimException", error_id=f"HRESULT 0x{code:08x}", category=category
    )


def _win32_service(state: State) -> list[dict[str, t.Any]]:
    return [
        {
            "Name": name,
            "DisplayName": record["display_name"],
            "State": record["state"],
            "StartMode": record["start_mode"],
            "DelayedAutoStart": record["delayed"],
            "StartName": record["start_name"],
            "PathName": record["path"],
            "ProcessId": record["process_id"],
            "ExitCode": record["exit_code"],
            "ServiceSpecificExitCode": record["service_exit_code"],
        }
        for name, record in state["services"].items()
    ]


def _win32_computer_system(state: State) -> list[dict[str, t.Any]]:
    member = state["domain_role"] not in (0, STANDALONE_SERVER)
    return [
        {
            "Name": state["name"],
            "DNSHostName": state["fqdn"].partition(".")[0],
            "Domain": state["domain"] if member else "WORKGROUP",
            "PartOfDomain": member,
            "DomainRole": state["domain_role"],
        }
    ]


def _win32_operating_system(state: State) -> list[dict[str, t.Any]]:
    system = state["os"]
    return [
        {
            "Version": system["version"],
            "BuildNumber": system["build"],
            "ProductType": system["product_type"],
            "LastBootUpTime": iso(state["boot_time"]),
        }
    ]


def service(look: Look, probe: Probe) -> Result:
    """Facts of one service, by its exact name."""
    name = argument(probe, "name").casefold()
    found = next((key for key in look.state["services"] if key.casefold() == name), None)
    if found is None:
        return {"exists": False}
    record: services.Record = look.state["services"][found]
    wanted = ("display_name", "state", "start_mode", "delayed", "start_name", "path", "process_id", "exit_code")
    name = str(record["start_name"])
    managed = look.full_language and name.partition("@")[0].endswith("$")
    sid = accounts.sid_of(look.machine, look.state, name) if managed else None
    facts = {key: record[key] for key in (*wanted, "service_exit_code", "managed_account")}
    return {"exists": True, **facts, "start_sid": sid}


def event(look: Look, probe: Probe) -> Result:
    """Events of a channel, newest first."""
    name = argument(probe, "channel").casefold()
    channel = next((c for key, c in look.state["channels"].items() if key.casefold() == name), None)
    if channel is None:
        return {"exists": False, "enabled": False, "record_count": 0, "events": []}
    rows = sorted(channel["events"], key=lambda row: int(row["record_id"]), reverse=True)
    try:
        matches = xpath.matcher(probe.get("xpath") or "*", now=server_time(look.state))
        found = [row for row in rows if matches({**row, "channel": probe["channel"]})]
    except xpath.BadQuery as error:
        text = "The specified query is invalid"  # this cmdlet puts its message into the error id
        raise WindowsError(
            f"{text} ({error})", hresult=0x80073A99, reason="EventLogException", error_id=text
        ) from error
    limit = int(probe.get("limit") or DEFAULT_EVENTS)
    shown = [_event(row, with_message=bool(probe.get("message"))) for row in found[:limit]]
    return {"exists": True, "enabled": channel["enabled"], "record_count": len(rows), "events": shown}


def _event(row: dict[str, t.Any], *, with_message: bool) -> Result:
    kept = {key: row.get(key) for key in ("id", "level", "time", "record_id", "provider", "user_sid")}
    message = {"message": row.get("message") or ""} if with_message else {}
    return {**kept, "properties": [str(value) for value in row.get("properties", [])], **message}


def rights(look: Look, probe: Probe) -> Result:
    """Who holds user rights; needs an elevated logon."""
    names = argument(probe, "names")
    if not look.state["elevated"]:
        raise Refused("ProgramFailed", "secedit.exe ended with code 1")
    held = look.state["user_rights"]
    return {"rights": {name: [{"sid": sid, "name": None} for sid in held.get(name, [])] for name in names}}


KINDS = {"host": host, "cim": cim, "service": service, "event": event, "rights": rights}
