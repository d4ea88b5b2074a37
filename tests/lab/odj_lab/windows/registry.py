# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry inside a server's state: keys without regard to case, as a 64-bit program sees them."""

from __future__ import annotations

import re
import typing as t

from odj_lab.store import State

ROOTS = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
}
SPLIT = "hklm\\software\\"
NODE = "WOW6432Node"


def normal(key: str, view: int = 64) -> str:
    """Return a key as the state writes it: short root, no colon, the 32-bit view by its literal WOW6432Node path."""
    root, __, rest = re.sub(r"\\+", r"\\", key.replace("/", "\\")).strip("\\").partition("\\")
    root = root.rstrip(":")
    text = f"{ROOTS.get(root.upper(), root.upper())}\\{rest}".rstrip("\\")
    below = text[len(SPLIT) :]
    if view == 32 and text.casefold().startswith(SPLIT) and not below.casefold().startswith(NODE.casefold()):
        return f"{text[: len(SPLIT)]}{NODE}\\{below}"
    return text


def find(state: State, key: str) -> str | None:
    """Return a key as the state writes it, or None when no values were written there."""
    wanted = key.casefold()
    return next((k for k in state["registry"] if k.casefold() == wanted), None)


def exists(state: State, key: str) -> bool:
    """Whether a key is there: written down, or because something lies below it."""
    wanted = key.casefold()
    return any(k.casefold() == wanted or k.casefold().startswith(wanted + "\\") for k in state["registry"])


def values(state: State, key: str) -> dict[str, dict[str, t.Any]]:
    """Return a key's values by name: kind and data."""
    found = find(state, key)
    return dict(state["registry"][found]["values"]) if found else {}


def value(state: State, key: str, name: str) -> dict[str, t.Any] | None:
    """Return one value (kind, data) without regard to case, or None."""
    present = values(state, key)
    return next((v for n, v in present.items() if n.casefold() == name.casefold()), None)


def subkeys(state: State, key: str) -> list[str]:
    """Return the names of the keys right below one, sorted."""
    below = key.casefold() + "\\"
    names = {k[len(below) :].partition("\\")[0] for k in state["registry"] if k.casefold().startswith(below)}
    return sorted(names, key=str.casefold)


def put(state: State, key: str, name: str | None = None, kind: str = "String", data: t.Any = None) -> None:
    """Write a key, and a value in it when a name is given. Kinds are those of RegistryValueKind."""
    found = find(state, key) or key
    present = state["registry"].setdefault(found, {"values": {}})["values"]
    if name is not None:
        old = next((n for n in present if n.casefold() == name.casefold()), name)
        present[old] = {"kind": kind, "data": data}


def remove_value(state: State, key: str, name: str) -> None:
    """Remove one value."""
    found = find(state, key)
    present = state["registry"][found]["values"] if found else {}
    for old in [n for n in present if n.casefold() == name.casefold()]:
        del present[old]


def remove(state: State, key: str) -> None:
    """Remove a key with all below it."""
    wanted = key.casefold()
    state["registry"] = {
        k: v
        for k, v in state["registry"].items()
        if k.casefold() != wanted and not k.casefold().startswith(wanted + "\\")
    }
