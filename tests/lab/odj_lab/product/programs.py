# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when somebody runs the connector's installer, or the uninstall command of its entry, on a server.

Microsoft documents neither switches nor exit codes; these are Burn's standard ones. Choices of the lab: an upgrade in
place keeps configuration and account; an update over a legacy connector and a downgrade are refused; uninstalling
leaves account, certificate and Intune's entry where they are.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from odj_lab.product import builds, host, layout, services
from odj_lab.settings import Lab
from odj_lab.store import State
from odj_lab.windows import filesystem, registry
from odj_lab.windows.machine import fault

SUCCESS, SUCCESS_RESTART, FAILURE, CANCELLED = 0, 3010, 1603, 1602
OTHER_VERSION, UNKNOWN_PRODUCT, NOT_FOUND, NOT_A_PROGRAM = 1638, 1605, 2, 193
OLDEST_WINDOWS = 14393


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program leaves: its exit code and what it printed."""

    rc: int
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A command line understood: which build, to be removed or not, without a window or not, with which log file."""

    build: str
    uninstall: bool
    quiet: bool
    log: str


def execute(lab: Lab, server: str, command_line: str) -> ProgramResult:
    """Run a program on a server as its command line says; the server's state changes as the program would change it."""
    words = [word.replace('"', "") for word in re.findall(r'(?:"[^"]*"|[^\s"])+', command_line)]
    store = host.store(lab, server)
    state = store.read()
    order = _understand(state, words)
    if isinstance(order, ProgramResult):
        return order
    host.wait(float(host.product(state).get("install_seconds", 0.5)))
    with store.edit(f"run {words[0]}") as state:
        result = _obstacle(state, order) or _carry_out(state, order)
        if order.log:
            host.put_file(state, order.log, f"Exit code: 0x{result.rc:x} {result.stderr}\r\n".encode("utf-16"))
    return result


def _understand(state: State, words: list[str]) -> Order | ProgramResult:
    if not words:
        return ProgramResult(NOT_FOUND, stderr="The system cannot find the file specified.")
    switches = [word.lower() for word in words[1:]]
    quiet = any(switch in ("/quiet", "/q", "/qn", "/s", "-quiet", "-q") for switch in switches)
    log = next((words[i + 2] for i, s in enumerate(switches[:-1]) if s in ("/log", "/l", "-log", "/l*v")), "")
    if words[0].lower().rpartition("\\")[2] in ("msiexec", "msiexec.exe"):
        return _understand_msiexec(state, " ".join(words[1:]), quiet, log)
    content = host.read_file(state, words[0])
    if content is None:
        return ProgramResult(NOT_FOUND, stderr=f"The system cannot find the file specified: {words[0]}")
    build = builds.build_of(content)
    if build is None:
        return ProgramResult(NOT_A_PROGRAM, stderr=f"{words[0]} is not a valid Win32 application.")
    return Order(build, any(switch in ("/uninstall", "-uninstall") for switch in switches), quiet, log)


def _understand_msiexec(state: State, arguments: str, quiet: bool, log: str) -> Order | ProgramResult:
    found = re.search(r"/(?:x|uninstall)\s*(\{[0-9A-Fa-f-]+\})", arguments, re.IGNORECASE)
    installed = host.product(state).get("build")
    if not found or not installed or found[1].upper() != layout.msi_code(installed):
        return ProgramResult(UNKNOWN_PRODUCT, stderr="This action is only valid for products that are installed.")
    return Order(installed, uninstall=True, quiet=quiet, log=log)


def _obstacle(state: State, order: Order) -> ProgramResult | None:
    """Return why nothing happens, or None."""
    if not order.quiet:
        text = "The setup opened its window and waits for somebody; nobody sees a window in this session (no /quiet)."
        return ProgramResult(CANCELLED, stderr=text)
    planned = host.product(state).get("exit_codes") or []
    if planned and planned[0] not in (SUCCESS, SUCCESS_RESTART):
        return ProgramResult(int(planned.pop(0)), stderr="The setup failed because a test wants that.")
    return None if order.uninstall else _obstacle_to_install(state, order)


def _obstacle_to_install(state: State, order: Order) -> ProgramResult | None:
    if int(state["os"]["build"]) < OLDEST_WINDOWS:
        text = "Windows Server 2016 or later is required for this setup to complete"
        return ProgramResult(FAILURE, stderr=text)
    if fault(state, "disk_full"):
        return ProgramResult(FAILURE, stderr="There is not enough space on the disk.")
    installed = host.product(state).get("build")
    if not installed or installed == order.build:
        return None
    if builds.is_legacy(installed):
        return ProgramResult(FAILURE, stderr=f"The legacy connector {installed} has to be uninstalled first.")
    if builds.number(order.build) < builds.number(installed):
        return ProgramResult(OTHER_VERSION, stderr=f"A newer version of this product is installed: {installed}.")
    return None


def _carry_out(state: State, order: Order) -> ProgramResult:
    product = host.product(state)
    installed = product.get("build")
    if order.uninstall and installed == order.build:
        _remove(state, installed)
        product["build"] = None
    elif not order.uninstall and installed != order.build:
        _install(state, order.build, installed)
        product["build"] = order.build
        services.after_install(state)
    planned = product.get("exit_codes") or []
    return ProgramResult(int(planned.pop(0)) if planned else SUCCESS)


def _install(state: State, build: str, before: str | None) -> None:
    facts: dict[str, t.Any] = {"file_version": build, "product_version": build, "signature": builds.signature()}
    for path in (layout.SERVICE_EXE, layout.WIZARD_EXE):
        host.put_file(state, path, f"MZ {path} {build}".encode(), **facts)
    for path, content in layout.configuration(build).items():
        if host.read_file(state, path) is None:
            host.put_file(state, path, content)
    if before:
        _remove_entries(state, before)
    host.put_file(state, layout.cached_bundle(build), builds.make_bootstrapper(build), **facts)
    for key, values in layout.uninstall_entries(build).items():
        host.put_key(state, key, values)
    for channel in layout.CHANNELS:
        state["channels"].setdefault(channel, {"enabled": True, "events": []})
    if host.service(state, layout.SERVICE) is None:
        state["services"][layout.SERVICE] = _fresh_service()


def _fresh_service() -> State:
    return {
        "display_name": layout.SERVICE_DISPLAY_NAME,
        "state": "Stopped",
        "start_mode": "Auto",
        "delayed": False,
        "start_name": "LocalSystem",
        "path": f'"{layout.SERVICE_EXE}"',
        "process_id": 0,
        "exit_code": 1077,  # ERROR_SERVICE_NEVER_STARTED
        "service_exit_code": 0,
        "managed_account": None,
    }


def _remove(state: State, build: str) -> None:
    _remove_entries(state, build)
    filesystem.remove(state, layout.ROOT)
    state["services"].pop(host.key_of(state["services"], layout.SERVICE), None)
    for channel in layout.CHANNELS:
        state["channels"].pop(channel, None)


def _remove_entries(state: State, build: str) -> None:
    for key in layout.uninstall_entries(build):
        registry.remove(state, key)
    filesystem.remove(state, filesystem.parent(layout.cached_bundle(build)))
