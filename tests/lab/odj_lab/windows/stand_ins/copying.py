# SPDX-License-Identifier: GPL-3.0-or-later
"""win_copy: the four modes that its action plugin drives (query, single, explode, remote)."""

from __future__ import annotations

import base64
import io
import typing as t
import zipfile

from odj_lab.store import State
from odj_lab.windows import filesystem
from odj_lab.windows.machine import Machine, filetime, server_time
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.files import digest
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, WindowsError

SLASHES = ("\\", "/")


def win_copy(machine: Machine, call: Call, options: Options) -> Result:
    """Do one step of a copy."""
    mode = options.get("_copy_mode", "single")
    step = {"query": _query, "single": _single, "explode": _explode, "remote": _remote}.get(mode)
    if step is None:
        raise ModuleFailure(f"Get-AnsibleParam: Argument _copy_mode needs to be one of the known modes, got {mode}")
    with machine.planned(f"win_copy {mode} to {options['dest']}", check_mode=call.check_mode) as state:
        try:
            return step(state, options)
        except WindowsError as error:
            raise ModuleFailure(f"Unhandled exception while executing module: {error}") from error


def _query(state: State, options: Options) -> Result:
    files = [file for file in options.get("files") or [] if _differs(state, options, file)]
    directories = []
    for directory in options.get("directories") or []:
        path = _join(options["dest"], directory["dest"])
        if filesystem.find(state, path):
            text = f"cannot copy folder to dest '{path}': object at path is already a file"
            raise ModuleFailure(text)
        if not filesystem.is_directory(state, path):
            directories.append(directory)
    return {"changed": False, "files": files, "directories": directories, "symlinks": []}


def _differs(state: State, options: Options, file: dict[str, t.Any]) -> bool:
    path = _join(options["dest"], file["dest"])
    if filesystem.is_directory(state, path):
        path = _join(path, file["src"].rpartition("/")[2])
    if filesystem.is_directory(state, path):
        raise ModuleFailure(f"cannot copy file to dest '{path}': object at path is already a directory")
    record = filesystem.entry(state, path)
    if record is None:
        return True
    return bool(options["force"]) and digest(base64.b64decode(record["content"]), "sha1") != file["checksum"]


def _single(state: State, options: Options) -> Result:
    data = _source(state, options["src"])
    dest = _final(state, options["dest"], options.get("_original_basename") or "")
    result: Result = {"changed": True}
    if options["backup"]:
        result["backup_file"] = _backup(state, dest)
    filesystem.put(state, dest, data)
    return result


def _explode(state: State, options: Options) -> Result:
    archive = zipfile.ZipFile(io.BytesIO(_source(state, options["src"])))
    for item in archive.infolist():
        encoded = item.filename.rstrip("/\\")
        name = base64.b64decode(encoded).decode().replace("/", "\\")
        path = _join(options["dest"], name)
        folder = path if item.is_dir() else filesystem.parent(path)
        filesystem.make_directory(state, folder)
        if not item.is_dir():
            filesystem.put(state, path, archive.read(item))
    return {"changed": True}


def _remote(state: State, options: Options) -> Result:
    source = options["src"]
    if filesystem.is_directory(state, source):
        raise ModuleFailure("The lab has no stand-in for win_copy with remote_src of a directory.")
    data = _source(state, source)
    name = filesystem.base(source)
    dest = _final(state, options["dest"], name)
    record = filesystem.entry(state, dest)
    same = record is not None and base64.b64decode(record["content"]) == data
    result: Result = {
        "changed": record is None or (bool(options["force"]) and not same),
        "src": source,
        "dest": dest,
        "operation": "file_copy",
        "original_basename": name,
        "checksum": digest(data, "sha1"),
        "size": len(data),
    }
    if result["changed"]:
        if options["backup"]:
            result["backup_file"] = _backup(state, dest)
        filesystem.put(state, dest, data)
    return result


def _source(state: State, path: str) -> bytes:
    if filesystem.find(state, path) is None:
        raise ModuleFailure(f"Cannot copy src file: '{path}' as it does not exist")
    return filesystem.content(state, path)


def _final(state: State, dest: str, name: str) -> str:
    folder_meant = dest.endswith(SLASHES)
    if folder_meant:
        filesystem.make_directory(state, dest)
    path = _join(dest, name) if folder_meant or filesystem.is_directory(state, dest) else filesystem.normal(dest)
    if not filesystem.is_directory(state, filesystem.parent(path)):
        raise ModuleFailure(f"Destination directory '{filesystem.parent(path)}' does not exist")
    return path


def _backup(state: State, path: str) -> str | None:
    if filesystem.find(state, path) is None:
        return None
    copy = f"{path}.{filetime(server_time(state))}.bak"
    filesystem.put(state, copy, filesystem.content(state, path))
    return copy


def _join(folder: str, name: str) -> str:
    return filesystem.normal(f"{folder}\\{name}")


STAND_INS = (
    ModuleStandIn(
        "ansible.windows.win_copy",
        win_copy,
        "the module's four modes; query, single and explode come from its action plugin",
        internal=("files", "directories", "symlinks"),
    ),
)
