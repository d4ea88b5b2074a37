# SPDX-License-Identifier: GPL-3.0-or-later
"""What odj_server_change removes beside the file that it replaces, and what it does not touch."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

from ansible_collections.hybridjoin.odj.tests.powershell.pwsh import MODULES, PWSH, needs_engine

SCRIPT = MODULES / "odj_server_change.ps1"
pytestmark = needs_engine
DRIVER = r"""
$ErrorActionPreference = 'Stop'
foreach ($request in ($env:ODJ_REQUESTS | ConvertFrom-Json -AsHashtable)) {
    $complex_args = $request
    & { . $env:ODJ_SCRIPT }
}
"""
KEPT = ["x.config.backup", "x.config.20250101T000000Z.bak.txt", "my.config.20250101T000000Z.bak", "x.config.old.bak",
        "xyconfig.20250101T000000Z.bak", "x.config.2025Z.bak"]  # fmt: skip


def test_the_oldest_backups_of_this_file_go_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.config"
    path.write_bytes(b"0")
    own = [f"x.config.2025010{day}T000000Z.bak" for day in range(1, 5)]
    for name in (*own, *KEPT):
        (tmp_path / name).write_bytes(b"old")
    requests = [
        {
            "operation": "replace_file",
            "path": str(path),
            "content": base64.b64encode(str(number + 1).encode()).decode(),
            "expected_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            "backup_path": f"{path}.2026010{number + 1}T000000Z.bak",
            "keep_backups": keep,
        }
        for number, keep in enumerate((0, 3, 50))
    ]
    done = subprocess.run(
        [str(PWSH), "-NoProfile", "-NonInteractive", "-Command", DRIVER],
        env={**os.environ, "ODJ_REQUESTS": json.dumps(requests), "ODJ_SCRIPT": str(SCRIPT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["changed"] for answer in answers] == [True, True, True]
    removed = [[Path(one).name for one in answer["backups_removed"]] for answer in answers]
    assert removed == [[], own[:3], []]
    assert [answer["backups_not_removed"] for answer in answers] == [[], [], []]
    new = [f"x.config.2026010{number}T000000Z.bak" for number in (1, 2, 3)]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(["x.config", own[3], *new, *KEPT])
