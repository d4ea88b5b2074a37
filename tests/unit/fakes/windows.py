# SPDX-License-Identifier: GPL-3.0-or-later
"""A connector server in a few dictionaries: answers our questions, takes the module calls of our jobs."""

from __future__ import annotations

import base64
import hashlib
import ntpath
import time
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.probe import Look, Probe
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import WindowsError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import (
    CONFIG,
    ROOT,
    XML,
    entry_values,
    host_values,
    registry_values,
)

Value = dict[str, t.Any]
TICKS_AT_UNIX_EPOCH = 621_355_968_000_000_000


@dataclass
class FakeWindows:
    """A member server without a connector.

    Attributes:
        refuse_writes: Whether every call that could write fails the test.
        programs: What a file at a path does when it is run: the build it installs, and its exit code.
        broken: Ids of questions that are answered with an error.
    """

    name: str = "odj01"
    refuse_writes: bool = False
    host: Value = field(default_factory=host_values)
    registry: dict[str, Value] = field(default_factory=registry_values)
    files: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, Value] = field(default_factory=dict)
    service: Value = field(default_factory=lambda: {"exists": False})
    certificates: list[Value] = field(default_factory=list)
    events: dict[str, list[Value]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    programs: dict[str, tuple[str, int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    clock_offset: float = 0.0
    looks: int = 0
    calls: list[tuple[str, Value]] = field(default_factory=list)

    def look(self, probes: Sequence[Probe]) -> Look:
        self.looks += 1
        before = time.time()
        answers = {str(probe["id"]): self._answer(probe) for probe in probes}
        return Look(answers, before, time.time())

    def _answer(self, probe: Value) -> Value:
        if probe["id"] in self.broken:
            return {"ok": False, "ms": 0, "error": {"id": "AccessDenied", "message": "Zugriff verweigert"}}
        return {"ok": True, "ms": 0, "value": getattr(self, f"_{probe['kind']}")(probe)}

    def _host(self, _probe: Value) -> Value:
        ticks = int((time.time() + self.clock_offset) * 10_000_000) + TICKS_AT_UNIX_EPOCH
        return {**self.host, "ticks_start": ticks, "ticks_end": ticks}

    def _registry(self, probe: Value) -> Value:
        if "subkey_where" not in probe:
            return self.registry.get(probe["key"], {"exists": False, "values": {}})
        entries = self.entries if probe["view"] == 64 else {}
        return {"exists": True, "values": {}, "subkeys": [{"name": k, "values": v} for k, v in entries.items()]}

    def _file(self, probe: Value) -> Value:
        found = self.files.get(probe["path"])
        if found is None:
            return {"exists": False}
        limit = probe.get("content", 0)
        content = base64.b64encode(found[:limit]).decode()
        digest = hashlib.sha256(found).hexdigest()
        return {
            "exists": True,
            "directory": False,
            "sha256": digest,
            "content": content,
            "truncated": len(found) > limit,
        }

    def _service(self, _probe: Value) -> Value:
        return self.service

    def _certificate(self, _probe: Value) -> Value:
        return {"certificates": self.certificates}

    def _event(self, probe: Value) -> Value:
        found = self.events.get(probe["channel"])
        return {"exists": found is not None, "enabled": found is not None, "events": found or []}

    def _endpoint(self, probe: Value) -> Value:
        return {"targets": [self._target(target) for target in probe["targets"]]}

    def _target(self, target: Value) -> Value:
        stage = self.unreachable.get(target["host"])
        error = {"stage": stage, "message": "no"} if stage else None
        return {**target, "connected": stage in (None, "tls"), "tls": {"issuer": "CN=A CA"}, "error": error}

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

    def _run_win_reboot(self, _options: Value) -> Value:
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
        self.install(build)
        return {"rc": code}

    def _run_odj_server_change(self, options: Value) -> Value:
        old = self.files[options["path"]]
        if hashlib.sha256(old).hexdigest() != options["expected_sha256"]:
            return {"stale": True}
        self.files |= {options["path"]: base64.b64decode(options["content"]), options["backup_path"]: old}
        return {"stale": False, "backup_path": options["backup_path"]}

    def install(self, build: str, *, msi: bool = True) -> None:
        """Put a connector on the server as its set-up program would; account and configuration stay."""
        names = {"{B}": 0, "{M}": 1} if msi else {"{B}": 0}
        self.entries = {key: entry_values(build, kind) for key, kind in names.items()}
        self.files.setdefault(CONFIG, XML)
        if not self.service["exists"]:
            path = rf'"{ROOT}\ODJConnectorSvc\ODJConnectorSvc.exe"'
            self.service = {"exists": True, "state": "Stopped", "start_name": "LocalSystem", "path": path}

    def sign_in(self) -> None:
        """Do what the wizard's sign-in leaves."""
        self.service |= {"state": "Running", "start_name": r"CONTOSO\msaODJab1cd$"}
        self.certificates = [{"thumbprint": "AB", "not_after": "2999-01-01T00:00:00.0000000Z"}]
