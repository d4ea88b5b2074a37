# SPDX-License-Identifier: GPL-3.0-or-later
"""The file system inside a server's state: paths without regard to case, files as base64, directories implied."""

from __future__ import annotations

import base64
import fnmatch
import ntpath
import re
import typing as t

from odj_lab.store import State
from odj_lab.windows import programs
from odj_lab.windows.machine import fault, iso, server_time
from odj_lab.windows.trouble import DISK_FULL, FILE_NOT_FOUND, PATH_NOT_FOUND, WindowsError

ENVIRONMENT = {
    "appdata": r"C:\Users\ansible\AppData\Roaming",
    "localappdata": r"C:\Users\ansible\AppData\Local",
    "programdata": r"C:\ProgramData",
    "programfiles": r"C:\Program Files",
    "programfiles(x86)": r"C:\Program Files (x86)",
    "public": r"C:\Users\Public",
    "systemdrive": "C:",
    "systemroot": r"C:\Windows",
    "temp": r"C:\Users\ansible\AppData\Local\Temp",
    "tmp": r"C:\Users\ansible\AppData\Local\Temp",
    "userprofile": r"C:\Users\ansible",
    "windir": r"C:\Windows",
}
INHERITED_SDDL = "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"


def expand(text: str) -> str:
    """Replace `%NAME%` by the server's environment; unknown names stay."""
    return re.sub(r"%([^%]+)%", lambda m: ENVIRONMENT.get(m[1].lower(), m[0]), text)


def normal(path: str) -> str:
    r"""Return a path without variables, slashes, `.` and `..`, and without a backslash at its end (but `C:\`)."""
    text = ntpath.normpath(expand(path))
    return f"{text}\\" if re.fullmatch(r"[A-Za-z]:", text) else text


def parent(path: str) -> str:
    """Return the directory that holds a path."""
    return normal(normal(path).rpartition("\\")[0])


def base(path: str) -> str:
    """Return the last part of a path."""
    return normal(path).rpartition("\\")[2]


def find(state: State, path: str) -> str | None:
    """Return a file's path as the state writes it, or None."""
    wanted = normal(path).casefold()
    return next((key for key in state["files"] if key.casefold() == wanted), None)


def entry(state: State, path: str) -> dict[str, t.Any] | None:
    """Return a file's record, or None."""
    key = find(state, path)
    return None if key is None else t.cast("dict[str, t.Any]", state["files"][key])


def content(state: State, path: str) -> bytes:
    """Return a file's bytes.

    Raises:
        WindowsError: There is no such file.

    """
    found = entry(state, path)
    if found is None:
        raise missing(path)
    return base64.b64decode(found["content"])


def missing(path: str) -> WindowsError:
    """Return the error that a missing path gives."""
    return WindowsError(
        f"Cannot find path '{path}' because it does not exist.",
        hresult=FILE_NOT_FOUND,
        reason="ItemNotFoundException",
        error_id="PathNotFound",
        category="ObjectNotFound",
    )


def is_directory(state: State, path: str) -> bool:
    """Whether a directory is there: written down, or because something lies in it."""
    wanted = normal(path).casefold()
    below = wanted.rstrip("\\") + "\\"
    known = (*state["directories"], *state["files"])
    return any(item.casefold() == wanted for item in state["directories"]) or any(
        item.casefold().startswith(below) for item in known
    )


def make_directory(state: State, path: str) -> None:
    """Write a directory and its parents down."""
    path = normal(path)
    if not is_directory(state, path):
        state["directories"].append(path)


def put(state: State, path: str, data: bytes, **facts: t.Any) -> dict[str, t.Any]:
    """Write a file; rights and attributes of an older one stay unless given. Return its record.

    Raises:
        WindowsError: The directory is missing, or the disk is full by a fault.

    """
    path = find(state, path) or normal(path)
    if not is_directory(state, parent(path)):
        text = f"Could not find a part of the path '{path}'."
        raise WindowsError(text, hresult=PATH_NOT_FOUND, reason="DirectoryNotFoundException")
    if fault(state, "disk_full"):
        raise WindowsError("There is not enough space on the disk.", hresult=DISK_FULL, reason="IOException")
    record = {
        "attributes": "Archive",
        "sddl": INHERITED_SDDL,
        **state["files"].get(path, {}),
        **programs.described(data),
        "content": base64.b64encode(data).decode(),
        "last_write": iso(server_time(state)),
        **facts,
    }
    state["files"][path] = record
    return record


def remove(state: State, path: str) -> bool:
    """Remove a file, or a directory with all in it; say whether something was there."""
    wanted = normal(path).casefold()
    below = wanted.rstrip("\\") + "\\"

    def goes(item: str) -> bool:
        return item.casefold() == wanted or item.casefold().startswith(below)

    count = len(state["files"]) + len(state["directories"])
    state["files"] = {key: value for key, value in state["files"].items() if not goes(key)}
    state["directories"] = [item for item in state["directories"] if not goes(item)]
    return len(state["files"]) + len(state["directories"]) != count


def listing(state: State, path: str, pattern: str = "*") -> list[dict[str, t.Any]]:
    """Return what lies in a directory, by name: name, directory, length, last_write."""
    below = normal(path).rstrip("\\").casefold() + "\\"
    found: dict[str, dict[str, t.Any]] = {}
    for item in (*state["directories"], *state["files"]):
        if not item.casefold().startswith(below):
            continue
        name, __, rest = item[len(below) :].partition("\\")
        record = None if rest else state["files"].get(item)
        if name and (record or name.casefold() not in found):
            found[name.casefold()] = _listed(state, name, record)
    return [found[key] for key in sorted(found) if fnmatch.fnmatchcase(key, pattern.casefold())]


def _listed(state: State, name: str, record: dict[str, t.Any] | None) -> dict[str, t.Any]:
    if record is None:
        boot = iso(state["boot_time"])
        return {"name": name, "directory": True, "length": None, "last_write": boot}
    length = len(base64.b64decode(record["content"]))
    return {"name": name, "directory": False, "length": length, "last_write": record["last_write"]}
