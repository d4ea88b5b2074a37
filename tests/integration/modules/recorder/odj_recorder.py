# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin for these tests: after each task it keeps the result and what the lab's server is like then."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: odj_recorder
type: aggregate
short_description: Keeps results and states
description: Appends one JSON line for each finished task to the file that the variable ODJ_RECORD names.
"""


class CallbackModule(CallbackBase):
    """Writes one line for each result, in the order in which they come."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "odj_recorder"

    def __init__(self) -> None:
        super().__init__()
        logs = Path(os.environ["ODJ_RECORD_SERVERS"]).glob("*/executions.jsonl")
        self._read = {path: path.stat().st_size for path in logs}

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._keep(result, "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._keep(result, "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._keep(result, "unreachable")

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._keep(result, "skipped")

    def _keep(self, result: t.Any, outcome: str) -> None:
        of = "" if hasattr(result, "host") else "_"  # underscored before core 2.19; gone with core 2.23
        host, task = (getattr(result, f"{of}{what}").get_name() for what in ("host", "task"))
        told = getattr(result, f"{of}result")
        directory = Path(os.environ["ODJ_RECORD_SERVERS"]) / host
        record = {
            "host": host,
            "task": task,
            "outcome": outcome,
            "result": json.loads(json.dumps(told, default=str)),
            "state": json.loads((directory / "state.json").read_text(encoding="utf-8")) if directory.exists() else {},
            "executions": self._since_then(directory / "executions.jsonl"),
        }
        with Path(os.environ["ODJ_RECORD"]).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def _since_then(self, path: Path) -> list[str]:
        """Return the names of what ran on a server since this was last asked."""
        if not path.exists():
            return []
        with path.open("rb") as stream:
            stream.seek(self._read.get(path, 0))
            lines = stream.read().splitlines()
            self._read[path] = stream.tell()
        return [json.loads(line)["name"] for line in lines]
