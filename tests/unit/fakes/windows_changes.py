# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake connector server, taking the module calls of our jobs as well."""

from __future__ import annotations

import base64
import hashlib
import ntpath
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import WindowsError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, Value


@dataclass
class ChangingWindows(FakeWindows):
    """A server that can be changed.

    Attributes:
        refuse_writes: Whether every call that could write fails the test.
        programs: What a file of a name does when it is run: the build it installs, and its exit code.
        broken_service: What Windows says when the service is started; "" when that works.
        waits_for_restart: Whether what an installer does shows after a restart only.
        does_nothing: Whether an installer ends and has done nothing.
        restart_brings: The build that the next restart brings.
        calls: Modules that were called, with their options.
        held: Files that a scanner holds, so that they cannot be removed.
    """

    refuse_writes: bool = False
    broken_service: str = ""
    waits_for_restart: bool = False
    does_nothing: bool = False
    restart_brings: str = ""
    programs: dict[str, tuple[str, int]] = field(default_factory=dict)
    calls: list[tuple[str, Value]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def find_file(self, path: str) -> str:
        return path

    def run_action(self, tried: str, action: str, options: Mapping[str, object]) -> Value:
        return self.run_module(tried, action, options)

    def run_module(self, tried: str, module: str, options: Mapping[str, t.Any]) -> Value:
        if self.refuse_writes:
            raise AssertionError(f"{module} was called, which writes")
        self.calls.append((module, dict(options)))
        result = t.cast(Value, getattr(self, f"_run_{module.rpartition('.')[2]}")(dict(options)))
        if result.get("failed"):
            raise WindowsError(tried, on=self.name, result=result)
        return result

    def _run_win_tempfile(self, options: Value) -> Value:
        return {"path": rf"C:\Temp\{options['prefix']}1"}

    def _run_win_copy(self, options: Value) -> Value:
        self.files[options["dest"]] = open(options["src"], "rb").read()  # noqa: SIM115, PTH123
        return {}

    def _run_win_get_url(self, options: Value) -> Value:
        self.files[options["dest"]] = b"from the web"
        return {}

    def _run_win_file(self, options: Value) -> Value:
        self.files = {path: data for path, data in self.files.items() if ntpath.dirname(path) != options["path"]}
        return {}

    def _run_win_service(self, options: Value) -> Value:
        if options.get("start_mode"):
            self.service["start_mode"] = "Auto"
        if options.get("state") == "started":
            if self.broken_service:
                return {"failed": True, "msg": self.broken_service}
            self.service |= {"state": "Running", "exit_code": 0}
        return {}

    def _run_win_regedit(self, options: Value) -> Value:
        key = options["path"].replace(":", "")
        values = self.registry.setdefault(key, {"exists": True, "values": {}})["values"]
        values.pop(options["name"], None)
        if options.get("state") != "absent":
            values[options["name"]] = {"kind": "String", "data": options["data"]}
        return {}

    def _run_win_reboot(self, _options: Value) -> Value:
        self.restart()
        return {"rebooted": True}

    def _run_win_package(self, options: Value) -> Value:
        if options["state"] == "absent":
            known = self.entries.pop(options["product_id"], None)
            self.files.pop(CONFIG, None)
            return {"rc": 0, "changed": known is not None}
        if hashlib.sha256(self.files[options["path"]]).hexdigest() != options["checksum"]:
            return {"failed": True, "msg": "the checksum did not match"}
        build, code = self.programs[ntpath.basename(options["path"])]
        if code not in options["expected_return_code"]:
            return {"failed": True, "msg": "unexpected rc", "rc": code, "stdout": "0x80070643", "stderr": ""}
        if self.waits_for_restart:
            self.restart_brings = build
        elif not self.does_nothing:
            self.install(build)
        return {"rc": code}

    def restart(self) -> None:
        """Start the server anew: what an installer left for that is done, a moment later than anything before."""
        self.clock.sleep(60)
        self.host["boot_time"] = self.clock.now().isoformat()
        self.clock.sleep(60)
        if self.restart_brings:
            self.install(self.restart_brings)
            self.restart_brings = ""

    def _run_odj_server_change(self, options: Value) -> Value:
        old = self.files[options["path"]]
        if hashlib.sha256(old).hexdigest() != options["expected_sha256"]:
            return {"stale": True}
        self.files |= {options["path"]: base64.b64decode(options["content"]), options["backup_path"]: old}
        backups = sorted(path for path in self.files if path.startswith(options["path"]) and path.endswith("Z.bak"))
        old_ones = backups[: len(backups) - options["keep_backups"]] if options["keep_backups"] else []
        self.files = {path: data for path, data in self.files.items() if path not in old_ones or path in self.held}
        left = [path for path in old_ones if path in self.held]
        return {"stale": False, "backup_path": options["backup_path"], "backups_not_removed": left}
