# SPDX-License-Identifier: GPL-3.0-or-later
"""win_regedit."""

from __future__ import annotations

import base64
import re
import typing as t

from odj_lab.windows import registry
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, NotSimulated

KINDS = {
    "none": "None",
    "binary": "Binary",
    "dword": "DWord",
    "expandstring": "ExpandString",
    "multistring": "MultiString",
    "string": "String",
    "qword": "QWord",
}
DEFAULT = "(default)"
LIMITS = {"dword": 1 << 32, "qword": 1 << 64}


def win_regedit(machine: Machine, call: Call, options: Options) -> Result:
    """Write or remove a key or a value."""
    path, name = options["path"], options["name"] or None
    if not re.match(r"(?i)HK(CC|CR|CU|LM|U):\\", path):
        text = "is not a valid powershell path, see module documentation for examples."
        raise ModuleFailure(f"path: {path} {text}")
    if options["hive"]:
        raise NotSimulated("the option hive of win_regedit")
    key = registry.normal(path)
    with machine.planned(f"win_regedit {path}", check_mode=call.check_mode) as state:
        if options["state"] == "absent":
            return {"changed": _absent(state, key, name, options), "data_changed": False, "data_type_changed": False}
        created = not registry.exists(state, key)
        registry.put(state, key)
        data = _data(options, name)
        if data is None:
            return {"changed": created, "data_changed": False, "data_type_changed": False}
        kind = KINDS[options["type"] if name else "string"]
        before = registry.value(state, key, name or DEFAULT)
        registry.put(state, key, name or DEFAULT, kind, data)
    data_changed = before is not None and before["data"] != data
    kind_changed = before is not None and before["kind"] != kind
    return {
        "changed": created or before is None or data_changed or kind_changed,
        "data_changed": data_changed,
        "data_type_changed": kind_changed,
    }


def _absent(state: dict[str, t.Any], key: str, name: str | None, options: Options) -> bool:
    if options["delete_key"] and name is None:
        there = registry.exists(state, key)
        registry.remove(state, key)
        return there
    there = registry.value(state, key, name or DEFAULT) is not None
    registry.remove_value(state, key, name or DEFAULT)
    return there


def _data(options: Options, name: str | None) -> t.Any:
    kind, data = options["type"] if name else "string", options["data"]
    if kind in LIMITS:
        number = int(str(data or 0), 0)
        if number >= LIMITS[kind]:
            raise ModuleFailure(f"data cannot be larger than {LIMITS[kind] - 1:#x} when type is {kind}")
        return number
    if kind in {"binary", "none"}:
        return base64.b64encode(_bytes(data)).decode()
    if kind == "multistring":
        return [str(item) for item in data] if isinstance(data, list) else [] if data is None else [str(data)]
    return str(data) if data is not None else ("" if name else None)


def _bytes(data: t.Any) -> bytes:
    if isinstance(data, list):
        return bytes(int(item) for item in data)
    if isinstance(data, int):
        return bytes([data])
    return bytes.fromhex(re.sub("[^0-9a-f]", "", str(data or "").lower().removeprefix("hex:")))


STAND_INS = (ModuleStandIn("ansible.windows.win_regedit", win_regedit, "keys and values of the registry"),)
