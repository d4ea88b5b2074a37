# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about what is stored: registry, file, directory, certificate."""

from __future__ import annotations

import base64
import typing as t

from odj_lab.store import State
from odj_lab.windows import filesystem, registry
from odj_lab.windows.machine import iso
from odj_lab.windows.stand_ins.files import digest
from odj_lab.windows.stand_ins.probing import Look, Probe, argument
from odj_lab.windows.stand_ins.table import Result
from odj_lab.windows.trouble import Refused

DEFAULT_ENTRIES = 100
NO_VERSION = "0.0.0.0"  # noqa: S104 (a version, not an address)
UNSIGNED = {
    "status": 2,
    "status_name": "NotSigned",
    "subject": None,
    "issuer": None,
    "thumbprint": None,
    "not_after": None,
    "timestamped": False,
}
CERTIFICATE = ("thumbprint", "subject", "issuer", "serial", "not_before", "not_after", "has_private_key", "eku")


def registry_key(look: Look, probe: Probe) -> Result:
    """Values and sub-keys of a key."""
    key, state = argument(probe, "key"), look.state
    if not key.upper().startswith(("HKLM\\", "HKU\\")):
        raise Refused("BadArgument", "a key starts with HKLM\\ or HKU\\")
    key = registry.normal(key, int(probe.get("view") or 64))
    if not registry.exists(state, key):
        return {"exists": False, "values": {}, "subkeys": [], "unreadable": []}
    subkeys, unreadable = [], []
    denied = {one.casefold() for one in state.get("denied_keys", [])}
    for name in registry.subkeys(state, key) if probe.get("subkeys") else []:
        if f"{key}\\{name}".casefold() in denied:
            unreadable.append({"name": name, "message": "Requested registry access is not allowed."})
            continue
        values = _values(state, f"{key}\\{name}", probe.get("subkey_values"))
        if _wanted(values, probe.get("subkey_where")):
            subkeys.append({"name": name, "values": values})
    values = _values(state, key, probe.get("values"))
    return {"exists": True, "values": values, "subkeys": subkeys, "unreadable": unreadable}


def _values(state: State, key: str, names: list[str] | None) -> dict[str, t.Any]:
    wanted = None if names is None else {name.casefold() for name in names}
    found = registry.values(state, key).items()
    return {name: value for name, value in found if wanted is None or name.casefold() in wanted}


def _wanted(values: dict[str, t.Any], where: dict[str, t.Any] | None) -> bool:
    if not where:
        return True
    found = next((v for n, v in values.items() if n.casefold() == str(where["value"]).casefold()), None)
    return found is not None and str(found["data"]).casefold() == str(where["equals"]).casefold()


def file(look: Look, probe: Probe) -> Result:
    """Facts of a file, and as much of its content as is asked for."""
    path, state = argument(probe, "path"), look.state
    record = filesystem.entry(state, path)
    if record is None:
        return _directory_facts(state, path, probe)
    data = base64.b64decode(record["content"])
    answer: Result = {
        "exists": True,
        "directory": False,
        "attributes": record["attributes"],
        "last_write": record["last_write"],
        "length": len(data),
    }
    if probe.get("acl"):
        answer["sddl"] = record["sddl"]
    if probe.get("hash"):
        answer["sha256"] = digest(data, "sha256")
    if probe.get("version"):
        versions = (record.get("file_version") or NO_VERSION, record.get("product_version") or NO_VERSION)
        answer["version"] = dict(zip(("file", "product"), versions, strict=True))
    if probe.get("signature"):
        answer["signature"] = record.get("signature") or UNSIGNED
    return {**answer, **_parts(look, probe, data)}


def _directory_facts(state: State, path: str, probe: Probe) -> Result:
    if not filesystem.is_directory(state, path):
        return {"exists": False}
    rights = {"sddl": filesystem.INHERITED_SDDL} if probe.get("acl") else {}
    times = {"attributes": "Directory", "last_write": iso(state["boot_time"])}
    return {"exists": True, "directory": True, **times, **rights}


def _parts(look: Look, probe: Probe, data: bytes) -> Result:
    answer: Result = {}
    if probe.get("content"):
        limit = int(probe["content"])
        answer["truncated"] = len(data) > limit
        answer["content"] = base64.b64encode(data[:limit]).decode()
    if probe.get("tail"):
        begin = max(0, len(data) - int(probe["tail"]))
        if begin and not look.full_language:
            raise Refused("LanguageMode", "the end of a file needs full language mode")
        answer["tail"] = base64.b64encode(data[begin:]).decode()
    return answer


def directory(look: Look, probe: Probe) -> Result:
    """List what lies in a directory."""
    path, limit = argument(probe, "path"), int(probe.get("limit") or DEFAULT_ENTRIES)
    if not filesystem.is_directory(look.state, path):
        return {"exists": False, "entries": [], "truncated": False}
    found = filesystem.listing(look.state, path, probe.get("pattern") or "*")
    return {"exists": True, "entries": found[:limit], "truncated": len(found) > limit}


def certificate(look: Look, probe: Probe) -> Result:
    """Certificates of a store of the computer."""
    store, issuer = probe.get("store") or "My", probe.get("issuer")
    stores: dict[str, list[Result]] = {name.casefold(): held for name, held in look.state["certificates"].items()}
    held = stores.get(store.casefold(), [])
    chosen = [row for row in held if not issuer or row["issuer"].casefold() == issuer.casefold()]
    return {"certificates": [_certificate(look, row, with_key=bool(probe.get("key_access"))) for row in chosen]}


def _certificate(look: Look, row: dict[str, t.Any], *, with_key: bool) -> Result:
    asked = with_key and bool(row.get("has_private_key"))
    seen = asked and look.full_language
    key = {name: row.get(name) if seen else None for name in ("key_file", "key_sddl")}
    problem = "LanguageMode, this question needs full language mode" if asked and not seen else None
    if seen and not key["key_sddl"]:
        problem = "the key is in no file that could be found"
    return {**{name: row.get(name) for name in CERTIFICATE}, **key, "key_error": problem}


KINDS = {"registry": registry_key, "file": file, "directory": directory, "certificate": certificate}
