# SPDX-License-Identifier: GPL-3.0-or-later
"""The fence of odj_server_change, with a registry key in a file in the place of the real one.

All scenes run in one engine, each with a key of its own, since an engine takes seconds to start.
"""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.tests.powershell.pwsh import MODULES, PWSH, needs_engine

SCRIPT = MODULES / "odj_server_change.ps1"
pytestmark = needs_engine
# What the registry provider does, as far as the fence asks: a key with values, in a file.
REGISTRY = r"""
function Read-Key { [IO.File]::ReadAllText($key_file) | ConvertFrom-Json -AsHashtable }
function Get-Item([string] $LiteralPath, $ErrorAction) {
    if ($LiteralPath -ne 'HKLM:\SOFTWARE\hybridjoin.odj') { throw "Get-Item $LiteralPath" }
    if (-not [IO.File]::Exists($key_file)) { return }
    $found = [pscustomobject]@{ Values = (Read-Key) }
    $found | Add-Member -MemberType ScriptMethod -Name GetValue -Value {
        param($name, $default)
        if ($this.Values.ContainsKey($name)) { $this.Values[$name] } else { $default }
    } -PassThru
}
function New-Item([string] $Path, [switch] $Force) { [IO.File]::WriteAllText($key_file, '{}') }
function Set-ItemProperty([string] $LiteralPath, [string] $Name, $Value, [string] $Type) {
    if ($Name -eq $killed_at) { throw 'killed' }
    $values = Read-Key
    $values[$Name] = $Value
    [IO.File]::WriteAllText($key_file, (ConvertTo-Json -Compress -InputObject $values))
}
"""


# Runs each request of each scene, and writes what it answered and what the key holds then.
DRIVER = r"""
$ErrorActionPreference = 'Stop'
$scenes = $env:ODJ_SCENES | ConvertFrom-Json -AsHashtable
foreach ($name in $scenes.Keys) {
    $key_file = [IO.Path]::Combine($env:ODJ_FOLDER, "$name.json")
    foreach ($request in $scenes[$name]) {
        $killed_at = "$($request['killed_at'])"
        $complex_args = $request['arguments']
        $answer = & { . $env:ODJ_SCRIPT } | ConvertFrom-Json -AsHashtable
        $seen = if ([IO.File]::Exists($key_file)) { Read-Key } else { $null }
        ConvertTo-Json -Compress -Depth 9 -InputObject @{ scene = $name; answer = $answer; seen = $seen }
    }
}
"""
Json = dict[str, t.Any]


def request(run: object = None, epoch: object = None, *, killed_at: str = "", check: bool = False) -> Json:
    """Ask for a change that fails when it is let through, since there is no such file: FileNotFoundException."""
    fence = {} if run is None and epoch is None else {"fence": {"run": run, "epoch": epoch}}
    path = {"path": "/none/x", "backup_path": "/none/y", "content": "", "expected_sha256": "0"}
    arguments = {"operation": "replace_file", **path, **fence, "_ansible_check_mode": check}
    return {"arguments": arguments, "killed_at": killed_at}


SCENES: dict[str, list[Json]] = {
    "none": [request()],
    "overtaken": [
        *(request("monday", 7), request("monday", 7), request("tuesday", 8)),
        *(request("monday", 7), request("another", 8), request("Tuesday", 8)),
    ],
    "check": [request("monday", 7, check=True), request("tuesday", 8), request("monday", 7, check=True)],
    "malformed": [request("", 1), request("x", 0), request("x", "many"), request("x"), request(epoch=1)],
    **{
        f"killed at {value}": [
            *(request("monday", 7), request("tuesday", 8, killed_at=value)),
            *(request("earlier", 6), request("tuesday", 8), request("monday", 7)),
        ]
        for value in ("Run", "Epoch")
    },
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Json]]:
    """Return what was answered in each scene, with what the key held then."""
    environment = {
        "ODJ_SCENES": json.dumps(SCENES),
        "ODJ_SCRIPT": str(SCRIPT),
        "ODJ_FOLDER": str(tmp_path_factory.mktemp("keys")),
    }
    done = subprocess.run(
        [str(PWSH), "-NoProfile", "-NonInteractive", "-Command", REGISTRY + DRIVER],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, list[Json]] = {name: [] for name in SCENES}
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        found[entry["scene"]].append(entry)
    assert {name: len(entries) for name, entries in found.items()} == {name: len(one) for name, one in SCENES.items()}
    return found


def ids(entries: list[Json]) -> list[str]:
    """Say of each request whether it was fenced off, malformed, or let through to where no file was found."""
    told = [str(entry["answer"]["error"]["id"]) for entry in entries]
    return [one if one in ("Fenced", "BadArgument", "killed") else "through" for one in told]


def test_without_a_fence_nothing_is_looked_at_and_nothing_kept(answers: dict[str, list[Json]]) -> None:
    assert ids(answers["none"]) == ["through"]
    assert answers["none"][0]["seen"] is None


def test_a_run_that_was_overtaken_is_refused(answers: dict[str, list[Json]]) -> None:
    entries = answers["overtaken"]
    assert ids(entries) == [*["through"] * 3, *["Fenced"] * 3]
    assert "the run tuesday (epoch 8)" in entries[3]["answer"]["msg"]
    assert entries[3]["answer"]["changed"] is False
    assert entries[-1]["seen"] == {"Run": "tuesday", "Epoch": 8}


def test_check_mode_asks_and_keeps_nothing(answers: dict[str, list[Json]]) -> None:
    assert ids(answers["check"]) == ["through", "through", "Fenced"]
    assert answers["check"][0]["seen"] is None


def test_what_is_no_fence_is_refused(answers: dict[str, list[Json]]) -> None:
    assert set(ids(answers["malformed"])) == {"BadArgument"}
    assert answers["malformed"][-1]["seen"] is None


@pytest.mark.parametrize("value", ["Run", "Epoch"])
def test_a_fence_that_was_written_half_lets_no_older_run_through(answers: dict[str, list[Json]], value: str) -> None:
    told = ids(answers[f"killed at {value}"])
    assert told == ["through", "killed", "Fenced", "through", "Fenced"]
