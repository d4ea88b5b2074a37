# SPDX-License-Identifier: GPL-3.0-or-later
"""win_ping, win_file, win_tempfile, win_stat, slurp, win_get_url: files of the simulated server."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import ntpath
import secrets
import ssl
import typing as t
import urllib.error
import urllib.parse
import urllib.request

from odj_lab.store import State
from odj_lab.windows import filesystem
from odj_lab.windows.machine import Machine, seconds_of
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, WindowsError


def digest(data: bytes, algorithm: str) -> str:
    """Return a checksum in lower case hex."""
    return hashlib.new(algorithm, data).hexdigest()


def win_ping(machine: Machine, call: Call, options: Options) -> Result:
    """Answer with what was sent."""
    if options["data"] == "crash":
        raise ModuleFailure("boom")
    return {"ping": options["data"]}


def win_file(machine: Machine, call: Call, options: Options) -> Result:
    """Make or remove a file or a directory."""
    path, state_wanted = options["path"], options["state"]
    if "_diff_peek" in options:
        there = filesystem.find(machine.read(), path)
        return {"path": path, "change": False, "appears_binary": False, "state": "file" if there else "absent"}
    with machine.planned(f"win_file {path}", check_mode=call.check_mode) as state:
        file, directory = filesystem.find(state, path), filesystem.is_directory(state, path)
        if state_wanted == "absent":
            return {"changed": filesystem.remove(state, path)}
        if file or directory:
            return _present(state, options, file is not None)
        if state_wanted == "directory":
            filesystem.make_directory(state, path)
        elif state_wanted == "touch":
            _put(state, path, b"")
        else:
            raise ModuleFailure(f"path {path} will not be created")
    return {"changed": True}


def _present(state: State, options: Options, is_file: bool) -> Result:
    path, wanted = options["path"], options["state"]
    if wanted == "directory" and is_file:
        raise ModuleFailure(f"path {path} is not a directory")
    if wanted == "file" and not is_file:
        raise ModuleFailure(f"path {path} is not a file")
    if wanted == "touch" and is_file:
        _put(state, path, filesystem.content(state, path))
    return {"changed": wanted == "touch" and is_file}


def _put(state: State, path: str, data: bytes) -> None:
    try:
        filesystem.put(state, path, data)
    except WindowsError as error:
        raise ModuleFailure(str(error)) from error


def win_stat(machine: Machine, call: Call, options: Options) -> Result:
    """Say what lies at a path."""
    state, path = machine.read(), filesystem.normal(options["path"])
    record = filesystem.entry(state, path)
    common = {"path": filesystem.find(state, path) or path, "filename": filesystem.base(path), "exists": True}
    links = {"isjunction": False, "islnk": False, "isshared": False, "nlink": 1, "hlnk_targets": []}
    if record is None:
        if not filesystem.is_directory(state, path):
            return {"stat": {"exists": False}}
        made = {"attributes": "Directory", "isdir": True, "isreg": False, "lastwritetime": state["boot_time"]}
        return {"stat": {**common, **links, **made, "isarchive": False, "ishidden": False, "isreadonly": False}}
    data = base64.b64decode(record["content"])
    attributes = record["attributes"]
    stat = {
        "attributes": attributes,
        "isarchive": "Archive" in attributes,
        "ishidden": "Hidden" in attributes,
        "isreadonly": "ReadOnly" in attributes,
        "isdir": False,
        "isreg": True,
        "extension": ntpath.splitext(path)[1],
        "lastwritetime": seconds_of(record["last_write"]),
        "creationtime": seconds_of(record["last_write"]),
        "lastaccesstime": seconds_of(record["last_write"]),
        "owner": "BUILTIN\\Administrators",
    }
    if options["get_checksum"]:
        stat["checksum"] = digest(data, options["checksum_algorithm"])
    if options["get_size"]:
        stat["size"] = len(data)
    return {"stat": {**common, **links, **stat}}


def slurp(machine: Machine, call: Call, options: Options) -> Result:
    """Return a file's content."""
    state, path = machine.read(), options["src"]
    record = filesystem.entry(state, path)
    if record:
        return {"content": record["content"], "encoding": "base64"}
    directory = filesystem.is_directory(state, path)
    raise ModuleFailure(f"Path {path} is a directory" if directory else f"Path {path} is not found")


def win_get_url(machine: Machine, call: Call, options: Options) -> Result:
    """Download: addresses on loopback are really asked, others come from the state's `web`."""
    if options["checksum"] and options["checksum_url"]:
        raise ModuleFailure("parameters are mutually exclusive: checksum, checksum_url")
    url, state = options["url"], machine.read()
    dest = _destination(state, url, options["dest"])
    result: Result = {"url": url, "dest": dest, "elapsed": 0.0, "changed": False}
    algorithm, wanted = options["checksum_algorithm"], (options["checksum"] or "").strip().lower()
    present = filesystem.entry(state, dest)
    have = digest(base64.b64decode(present["content"]), algorithm) if present else None
    if not options["force"] and have and (not wanted or have == wanted):
        return {**result, "checksum_dest": have, "status_code": 304, "msg": "Not Modified"}
    data = _download(machine, state, url, dest)
    found = digest(data, algorithm)
    result |= {"checksum_src": found, "status_code": 200}
    if wanted and wanted != found:
        raise ModuleFailure(f"The checksum for {url} did not match '{wanted}', it was '{found}'", **result)
    result["msg"] = "OK"
    if have != found:
        with machine.planned(f"win_get_url {dest}", check_mode=call.check_mode) as changing:
            _put(changing, dest, data)
        result["changed"] = True
    if have == found or not call.check_mode:
        result |= {"checksum_dest": found, "size": len(data)}
    return result


def win_tempfile(machine: Machine, call: Call, options: Options) -> Result:
    """Make a new file or directory in the user's directory for temporary files."""
    folder = options["path"] or r"C:\Users\ansible\AppData\Local\Temp"
    path = f"{folder}\\{options['prefix']}{secrets.token_hex(4)}{options['suffix'] or ''}"
    with machine.planned(f"win_tempfile {path}", check_mode=call.check_mode) as state:
        if options["state"] == "directory":
            filesystem.make_directory(state, path)
        else:
            _put(state, path, b"")
    return {"changed": True, "state": options["state"], "path": path}


def _destination(state: State, url: str, dest: str) -> str:
    if filesystem.is_directory(state, dest):
        return f"{filesystem.normal(dest)}\\{urllib.parse.urlsplit(url).path.rpartition('/')[2]}"
    folder = dest if dest.endswith(("\\", "/")) else filesystem.parent(dest)
    if dest.endswith(("\\", "/")) or not filesystem.is_directory(state, folder):
        text = (
            f"The path '{folder}' does not exist for destination '{dest}', or is not visible to the current user. "
            "Ensure download destination folder exists (perhaps using win_file state=directory) before win_get_url "
            "runs."
        )
        raise ModuleFailure(text)
    return filesystem.normal(dest)


def _download(machine: Machine, state: State, url: str, dest: str) -> bytes:
    if url in state["web"]:
        return base64.b64decode(state["web"][url])
    host = urllib.parse.urlsplit(url).hostname or ""
    failure = f"Error downloading '{url}' to '{dest}': "
    if not _is_loopback(host):
        raise ModuleFailure(f"{failure}The remote name could not be resolved: '{host}'")
    context = ssl.create_default_context(cafile=str(machine.lab.ca_path))
    try:
        with urllib.request.urlopen(url, timeout=30, context=context) as response:  # noqa: S310 (loopback only)
            return t.cast(bytes, response.read())
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ModuleFailure(f"{failure}{error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


STAND_INS = (
    ModuleStandIn("ansible.windows.win_ping", win_ping, "answers"),
    ModuleStandIn("ansible.windows.win_file", win_file, "files and directories: absent, directory, file, touch"),
    ModuleStandIn("ansible.windows.win_tempfile", win_tempfile, "a new file or directory for temporary use"),
    ModuleStandIn("ansible.windows.win_stat", win_stat, "facts and checksum of a path"),
    ModuleStandIn("ansible.windows.slurp", slurp, "content of a file"),
    ModuleStandIn("ansible.windows.win_get_url", win_get_url, "download: loopback for real, others from `web`"),
)
