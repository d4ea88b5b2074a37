# SPDX-License-Identifier: GPL-3.0-or-later
"""A PowerShell that stays, and runs the scripts of the collection as Ansible runs a module.

It is the one that ODJ_PWSH names, else the one in ``../shared/tools/pwsh`` beside the checkout, else that on PATH.
A run in it costs a tenth of its start.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "plugins" / "modules"
BESIDE_THE_CHECKOUT = Path("../shared/tools/pwsh/pwsh")
PATIENCE = 120.0  # seconds, many times what the slowest run takes

Json = dict[str, t.Any]


def find_engine(checkout: Path) -> str | None:
    """Return the path of a PowerShell; None where there is none."""
    beside = checkout / BESIDE_THE_CHECKOUT
    return os.environ.get("ODJ_PWSH") or (str(beside.resolve()) if beside.exists() else shutil.which("pwsh"))


PWSH = find_engine(HERE.parents[1])
needs_engine = pytest.mark.skipif(PWSH is None, reason="no pwsh in ODJ_PWSH, in ../shared/tools/pwsh or on PATH")


class Engine:
    """One PowerShell process; each run has a runspace of its own.

    Args:
        scratch: Where servers' files are laid, and what is compiled once.
        windows: Whether the cmdlets and types of Windows are put in front, over the state of a server of the lab. That
            holds for the whole process: what runs without needs another one.
    """

    def __init__(self, scratch: Path, *, windows: bool) -> None:
        self._scratch, self._windows, self._count = scratch, windows, 0
        scratch.mkdir(parents=True, exist_ok=True)
        env = {
            **os.environ,
            "ODJ_SHIM_DLL": str(scratch / "OdjShim.dll"),
            "ProgramData": r"C:\ProgramData",
            "SystemRoot": r"C:\Windows",
        }
        words = [str(PWSH), "-NoProfile", "-NonInteractive", "-File", str(HERE / "shims" / "serve.ps1")]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=env
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        assert self._process.stdout
        self._process.stdout.close()

    def run(self, module: str, arguments: Json, state: Json | None = None) -> Json:
        """Run a script, on a server when its state is given, and return the one JSON document that it prints."""
        request: Json = {"script": str(MODULES / f"{module}.ps1"), "arguments": arguments}
        if state is not None:
            assert self._windows
            request |= self._lay(state) | {"language": state["language_mode"]}
        answer = self._ask(request)
        assert (answer["thrown"], answer["errors"], len(answer["output"])) == (None, [], 1), answer
        return t.cast(Json, json.loads(answer["output"][0]))

    def _lay(self, state: Json) -> Json:
        """Lay the state and the files of a server where the shims look for them."""
        self._count += 1
        home = self._scratch / str(self._count)
        for path, record in state["files"].items():
            _put(home, path, base64.b64decode(record["content"]))
        for certificate in state["certificates"].get("My", []):
            if certificate.get("key_file"):
                _put(home, certificate["key_file"], b"key")
        home.mkdir(exist_ok=True)
        kept = home / "state.json"
        kept.write_text(json.dumps(state), encoding="utf-8")
        return {"state": str(kept), "root": str(home)}

    def _ask(self, request: Json) -> Json:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        ready = select.select([self._process.stdout], [], [], PATIENCE)[0]
        assert ready, "PowerShell gave no answer"
        return t.cast(Json, json.loads(self._process.stdout.readline()))


def _put(home: Path, path: str, content: bytes) -> None:
    place = home / path.replace(":", "").replace("\\", "/").lower()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
