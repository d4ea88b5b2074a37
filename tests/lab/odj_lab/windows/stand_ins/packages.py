# SPDX-License-Identifier: GPL-3.0-or-later
"""win_package and win_command: programs that run on the simulated server."""

from __future__ import annotations

import datetime
import re
import typing as t

from odj_lab.store import State
from odj_lab.windows import filesystem, programs, registry
from odj_lab.windows.machine import Machine
from odj_lab.windows.payload import Call
from odj_lab.windows.stand_ins import commands
from odj_lab.windows.stand_ins.files import digest
from odj_lab.windows.stand_ins.table import ModuleStandIn, Options, Result
from odj_lab.windows.trouble import ModuleFailure, NotSimulated

UNINSTALL = r"Microsoft\Windows\CurrentVersion\Uninstall"
PRODUCT_CODE = re.compile(r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", re.IGNORECASE)
RESTART_NEEDED = 3010
FILE_NOT_FOUND = 2


def escaped(argument: str) -> str:
    """Quote one argument for a command line of Windows, as Ansible does."""
    if argument and not re.search(r'[\s"]', argument):
        return argument
    text = re.sub(r"(\\*)\"", r'\1\1\\"', argument)
    return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'


def win_package(machine: Machine, call: Call, options: Options) -> Result:
    """Run an installer or an uninstall command when the package is not yet as wanted."""
    _check_package(options)
    state, path = machine.read(), options["path"]
    if path and re.match("(?i)http", path):
        raise NotSimulated("win_package with a URL")
    if path and not call.check_mode and filesystem.find(state, path) is None:
        raise ModuleFailure(f"the file at the path '{path}' cannot be reached", reboot_required=False)
    present = options["state"] == "present"
    key = _uninstall_key(state, options["product_id"])
    result: Result = {"changed": present != _installed(state, options, key), "rc": 0, "reboot_required": False}
    if not result["changed"] or call.check_mode:
        return result
    if present and path:
        _verify(state, options, result)
    return _run(machine, options, _command_line(state, options, key), result)


def _check_package(options: Options) -> None:
    if options["creates_version"] and not options["creates_path"]:
        raise ModuleFailure("missing parameter(s) required by 'creates_version': creates_path")
    if options["state"] == "present" and not options["path"]:
        raise ModuleFailure("state is present but all of the following are missing: path")
    if not options["path"] and not options["product_id"]:
        raise ModuleFailure("state is absent but any of the following are missing: path, product_id")


def _uninstall_key(state: State, product_id: str | None) -> str | None:
    for root in ("SOFTWARE", r"SOFTWARE\WOW6432Node"):
        key = rf"HKLM\{root}\{UNINSTALL}\{product_id}"
        if product_id and registry.exists(state, key):
            return key
    return None


def _installed(state: State, options: Options, key: str | None) -> bool:
    installed = key is not None
    if options["creates_path"]:
        path = options["creates_path"]
        record = filesystem.entry(state, path)
        installed = record is not None or filesystem.is_directory(state, path)
        if options["creates_version"] and installed:
            installed = record is not None and record["file_version"] == options["creates_version"]
    if options["creates_service"]:
        wanted = options["creates_service"].casefold()
        installed = any(name.casefold() == wanted for name in state["services"])
    return installed


def _verify(state: State, options: Options, result: Result) -> None:
    path = options["path"]
    record = filesystem.entry(state, path) or {}  # there is one, it was looked for before
    found = digest(filesystem.content(state, path), options["checksum_algorithm"]).upper()
    result["checksum"] = found
    wanted = options["checksum"]
    if wanted and wanted.upper() != found:
        raise ModuleFailure(f"The checksum for {path} did not match '{wanted}', it was '{found}'", **result)
    status = (record.get("signature") or {}).get("status_name", "NotSigned")
    if options["verify_signature"] and status != "Valid":
        text = f"Authenticode check failed: File '{path}': signature status is '{status}', expected 'Valid'"
        raise ModuleFailure(text, **result)


def _command_line(state: State, options: Options, key: str | None) -> str:
    arguments = options["arguments"]
    tail = " ".join(escaped(str(a)) for a in arguments) if isinstance(arguments, list) else str(arguments or "")
    path, product_id = options["path"], options["product_id"] or ""
    is_package = PRODUCT_CODE.fullmatch(product_id) and key and registry.value(state, key, "WindowsInstaller")
    if (path or "").lower().endswith(".msi"):
        action = "/i" if options["state"] == "present" else "/x"
        return f"msiexec.exe {action} {escaped(path)} /quiet /norestart {tail}".strip()
    if is_package and options["provider"] in {"auto", "msi"}:
        return f"msiexec.exe /x {product_id} /quiet /norestart {tail}".strip()
    if path:
        return f"{escaped(path)} {tail}".strip()
    for name in ("QuietUninstallString", "UninstallString"):
        found = registry.value(state, key or "", name)
        if found:
            return f"{filesystem.expand(found['data'])} {tail}".strip()
    raise ModuleFailure(f"Failed to find registry uninstall string at registry path '{key}'")


def _run(machine: Machine, options: Options, command_line: str, result: Result) -> Result:
    ran = _program(machine, command_line)
    result["rc"] = ran.rc
    if ran.rc not in options["expected_return_code"]:
        text = f"unexpected rc from '{command_line}': see rc, stdout, and stderr for more details"
        raise ModuleFailure(text, **{**result, "stdout": ran.stdout, "stderr": ran.stderr})
    # The module says so itself, because Ansible takes a code other than 0 for a failure otherwise.
    result |= {"failed": False, "reboot_required": ran.rc == RESTART_NEEDED}
    return result


def _program(machine: Machine, command_line: str) -> programs.ProgramResult:
    own = commands.find(command_line)
    return own(machine, command_line) if own else programs.run(machine, command_line)


def win_command(machine: Machine, call: Call, options: Options) -> Result:
    """Run a program."""
    ways = ("_raw_params", "argv", "cmd")
    given = [name for name in ways if options.get(name)]
    if len(given) != 1:
        problem = "parameters are mutually exclusive" if given else "one of the following is required"
        raise ModuleFailure(f"{problem}: {', '.join(ways)}")
    line = options[given[0]]
    command_line = " ".join(escaped(str(word)) for word in line) if isinstance(line, list) else line.strip()
    if call.check_mode:
        return {"changed": False, "skipped": True, "msg": "remote module does not support check mode"}
    skip = _reason_to_skip(machine.read(), options)
    if skip:
        return {"changed": False, "skipped": True, "msg": skip, "cmd": command_line, "rc": 0}
    begin = datetime.datetime.now(datetime.UTC)
    ran = _program(machine, command_line)
    end = datetime.datetime.now(datetime.UTC)
    result: Result = {
        "changed": True,
        "cmd": command_line,
        "rc": ran.rc,
        "stdout": ran.stdout,
        "stderr": ran.stderr,
        "start": f"{begin:%Y-%m-%d %H:%M:%S.%f}",
        "end": f"{end:%Y-%m-%d %H:%M:%S.%f}",
        "delta": str(end - begin),
    }
    if ran.rc == FILE_NOT_FOUND and not ran.stdout:
        raise ModuleFailure(f"Failed to run: '{command_line}': {ran.stderr}", **{**result, "changed": False})
    if ran.rc != 0:
        raise ModuleFailure("non-zero return code", **result)
    return result


def _reason_to_skip(state: State, options: Options) -> str | None:
    def there(path: str) -> bool:
        return filesystem.find(state, path) is not None or filesystem.is_directory(state, path)

    creates, removes = t.cast("str | None", options["creates"]), t.cast("str | None", options["removes"])
    if creates and there(creates):
        return f"skipped, since {creates} exists"
    if removes and not there(removes):
        return f"skipped, since {removes} does not exist"
    return None


STAND_INS = (
    ModuleStandIn("ansible.windows.win_package", win_package, "installed by product id or creates_*; runs programs"),
    ModuleStandIn(
        "ansible.windows.win_command", win_command, "runs the lab's programs and a few of Windows", ("_raw_params",)
    ),
)
