# SPDX-License-Identifier: GPL-3.0-or-later
"""A connector server in a few dictionaries that answers our questions."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import (
    SUBSETS,
    Scope,
    facts_of,
    probes_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Probe, Snapshot
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import (
    CONFIG,
    ROOT,
    XML,
    Value,
    entry_values,
    host_values,
    registry_values,
)

ALL = Scope(frozenset(SUBSETS))
ACCOUNT_SID = "S-1-5-21-1-2-3-1601"
YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)


@dataclass
class FakeWindows:
    """A member server without a connector.

    Attributes:
        broken: Ids of questions that are answered with an error.
        untrusted: Hosts whose certificate the server does not trust.
        forgotten: Hosts of which an answer says nothing.
        clock: The controller's.
        clock_offset: Seconds by which the server's clock is ahead of it.
        looks: How often somebody has asked.
        file_version: Version of the service's program; None when it is not there.
        unreadable: Sub-keys of the uninstall key that cannot be read.
    """

    name: str = "odj01"
    host: Value = field(default_factory=host_values)
    registry: dict[str, Value] = field(default_factory=registry_values)
    files: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, Value] = field(default_factory=dict)
    service: Value = field(default_factory=lambda: {"exists": False})
    certificates: list[Value] = field(default_factory=list)
    events: dict[str, list[Value]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    untrusted: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    clock: StandingClock = field(default_factory=StandingClock)
    clock_offset: float = 0.0
    looks: int = 0
    file_version: str | None = None
    unreadable: list[str] = field(default_factory=list)

    def ask(self, probes: Sequence[Probe]) -> Snapshot:
        self.looks += 1
        answers = {str(probe["id"]): self._answer(probe) for probe in probes}
        questions = {str(probe["id"]): probe for probe in probes}
        return Snapshot(answers, self.clock.now(), self.clock.now(), questions)

    def forget(self) -> bool:
        return False

    def _answer(self, probe: Value) -> Value:
        if probe["id"] in self.broken:
            return {"ok": False, "ms": 0, "error": {"id": "AccessDenied", "message": "Zugriff verweigert"}}
        return {"ok": True, "ms": 0, "value": getattr(self, f"_{probe['kind']}")(probe)}

    def _host(self, _probe: Value) -> Value:
        now = self.clock.now() + timedelta(seconds=self.clock_offset)
        ticks = (now - YEAR_ONE) // timedelta(microseconds=1) * 10
        return {**self.host, "ticks_start": ticks, "ticks_end": ticks}

    def _registry(self, probe: Value) -> Value:
        if "subkey_where" not in probe:
            return self.registry.get(probe["key"], {"exists": False, "values": {}})
        entries = self.entries if probe["view"] == 64 else {}
        subkeys = [{"name": k, "values": v} for k, v in entries.items()]
        unreadable = [{"name": name, "message": "Zugriff verweigert"} for name in self.unreadable]
        return {"exists": True, "values": {}, "subkeys": subkeys, "unreadable": unreadable}

    def _file(self, probe: Value) -> Value:
        if probe.get("version"):
            known = self.file_version is not None
            return {"exists": known, "version": {"file": self.file_version}} if known else {"exists": False}
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
        shown = [one for one in found or [] if f"EventID={one['id']}" in probe["xpath"]][: probe["limit"]]
        if not probe.get("message"):
            shown = [{name: value for name, value in one.items() if name != "message"} for one in shown]
        return {"exists": found is not None, "enabled": found is not None, "events": shown}

    def _endpoint(self, probe: Value) -> Value:
        return {"targets": [self._target(one) for one in probe["targets"] if one["host"] not in self.forgotten]}

    def _target(self, target: Value) -> Value:
        stage = self.unreachable.get(target["host"])
        error = {"stage": stage, "message": "no"} if stage else None
        errors = "RemoteCertificateChainErrors" if target["host"] in self.untrusted else "None"
        tls = {"issuer": "CN=A CA", "policy_errors": errors}
        return {**target, "connected": stage in (None, "tls"), "tls": tls, "error": error}

    def install(self, build: str, *, msi: bool = True) -> None:
        """Put a connector on the server as its set-up program would; account and configuration stay."""
        names = {"{B}": 0, "{M}": 1} if msi else {"{B}": 0}
        self.entries = {key: entry_values(build, kind) for key, kind in names.items()}
        self.files.setdefault(CONFIG, XML)
        self.file_version = build
        if not self.service["exists"]:
            path = rf'"{ROOT}\ODJConnectorSvc\ODJConnectorSvc.exe"'
            self.service = {"exists": True, "state": "Stopped", "start_name": "LocalSystem", "path": path}
            self.service |= {"start_mode": "Auto", "exit_code": 1077, "start_sid": "S-1-5-18"}

    def sign_in(self) -> None:
        """Do what the wizard's sign-in leaves."""
        self.service |= {"state": "Running", "start_name": r"CONTOSO\msaODJab1cd$", "start_sid": ACCOUNT_SID}
        self.service |= {"exit_code": 0}
        self.certificates = [
            {
                "thumbprint": "AB",
                "not_before": "2020-01-01T00:00:00.0000000Z",
                "not_after": "2999-01-01T00:00:00.0000000Z",
                "has_private_key": True,
                "key_sddl": f"O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;{ACCOUNT_SID})",
            }
        ]


def facts(server: FakeWindows, scope: Scope = ALL) -> Value:
    """Return what a look at a server tells."""
    return facts_of(server.ask(probes_of(scope)), scope)
