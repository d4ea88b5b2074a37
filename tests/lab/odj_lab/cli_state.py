# SPDX-License-Identifier: GPL-3.0-or-later
"""Values inside a server's or the cloud's state, named by a path: how tests and people set a scene."""

from __future__ import annotations

import json
import typing as t

from odj_lab.processes import LabError
from odj_lab.settings import Lab
from odj_lab.store import JsonStore

PATH_HELP = "keys joined by dots (services.ODJConnectorSvc.state), or a JSON pointer when a key has dots (/a.b/c)"


def get(lab: Lab, target: str, path: str) -> object:
    """Return a value.

    Raises:
        LabError: There is no such lab or value.

    """
    value: t.Any = _store(lab, target).read()
    for key in _keys(path):
        value = _child(value, key, path)
    return t.cast(object, value)


def put(lab: Lab, target: str, path: str, text: str) -> None:
    """Set a value; text that is not JSON is taken as it is. The last key may be new; "-" appends to a list.

    Raises:
        LabError: There is no such lab, or nothing at the path above the last key.

    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    *above, last = _keys(path) or [""]
    with _store(lab, target).edit(f"set {path}") as state:
        place: t.Any = state
        for key in above:
            place = _child(place, key, path)
        if isinstance(place, list) and last == "-":
            place.append(value)
        elif isinstance(place, list):
            _child(place, last, path)
            place[int(last)] = value
        elif isinstance(place, dict) and last:
            place[last] = value
        else:
            raise LabError(f"Nothing can be set at {path!r}.")


def _keys(path: str) -> list[str]:
    if path.startswith("/"):
        return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    return path.split(".") if path else []


def _child(value: t.Any, key: str, path: str) -> t.Any:
    try:
        return value[int(key)] if isinstance(value, list) else value[key]
    except (KeyError, IndexError, ValueError, TypeError):
        raise LabError(f"There is no {key!r} in {path!r}.") from None


def _store(lab: Lab, target: str) -> JsonStore:
    if not lab.path.exists():
        raise LabError("There is no lab yet: bring it up first.")
    if target != "cloud":
        lab.domain_of(target)
    return JsonStore((lab.cloud_dir if target == "cloud" else lab.server_dir(target)) / "state.json")
