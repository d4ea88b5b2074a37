# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our PowerShell: it parses, uses reviewed commands only, and nothing that Windows PowerShell 5.1 lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

tree_sitter = pytest.importorskip("tree_sitter", reason="the parser tree-sitter is not installed")
grammar = pytest.importorskip("tree_sitter_powershell", reason="the PowerShell grammar is not installed")

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
SCRIPTS = sorted(MODULES.glob("*.ps1"))

READING = {
    *("ConvertTo-Json", "ForEach-Object", "Get-Acl", "Get-AuthenticodeSignature", "Get-ChildItem", "Get-CimInstance"),
    *("Get-Command", "Get-Content", "Get-Date", "Get-FileHash", "Get-Item", "Get-ItemProperty", "Get-WinEvent"),
    *("New-Guid", "New-Object", "Select-Object", "Set-StrictMode", "Sort-Object", "Where-Object"),
}
# Reviewed: Add-Type compiles declarations only; Invoke-WebRequest sends a HEAD request to the endpoint that was asked
# for; Import-Module loads PowerShell's own certificate provider; Remove-Item removes the probe's own temporary file;
# New-Item and Set-ItemProperty keep the fence in the collection's own registry key.
ALLOWED = {
    "odj_server_probe.ps1": READING | {"Add-Type", "Invoke-WebRequest", "Import-Module", "Remove-Item"},
    "odj_server_change.ps1": READING | {"Add-Type", "New-Item", "Set-ItemProperty", "Start-Sleep"},
}
FORBIDDEN = {
    "ternary": r"\?[^?.:\n]*\s:\s",
    "null coalescing": r"\?\?",
    "null conditional": r"\$\{?\w+\}?\?[.\[]",
    "pipeline chain": r"&&|\|\|",
    "7 only parameter": r"-(Parallel|AsHashtable|SkipHttpErrorCheck|SkipCertificateCheck|AsUTC)\b",
    "7 only cmdlet": r"\b(Get-Error|Test-Json|Join-String|Remove-Service|ConvertFrom-Markdown)\b",
    "gone in 7": r"\b(Get|Invoke|Set)-Wmi\w+",
    "reaches the output": r"\b(Write-(Host|Output|Error|Warning|Verbose|Debug)|Out-\w+|echo)\b",
    "compiled or made code": r"\b(Invoke-Expression|iex|Start-Job|Start-Process|Set-ExecutionPolicy)\b",
    "pscustomobject literal": r"\[pscustomobject\]",
    "culture of the reader": r"ToString\('(?!o')|-f\s|Get-Date -Format",
    "process-wide trust": r"ServicePointManager",
    "module utility": r"#Requires -Module|#AnsibleRequires (?!.*NoneNeeded -Optional$)",
}


def nodes(script: Path) -> Iterator[tuple[str, str, int]]:
    """Yield type, text and line of every node of a script."""
    source = script.read_bytes()
    stack = [tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(source).root_node]
    while stack:
        node = stack.pop()
        kind = "MISSING" if node.is_missing else str(node.type)
        yield kind, source[node.start_byte : node.end_byte].decode(), node.start_point[0] + 1
        stack.extend(node.children)


def code(script: Path) -> str:
    """Return a script without its comments and texts, in which anything may stand."""
    text = script.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    return re.sub(r"@'.*?'@|'[^'\n]*'", "''", text, flags=re.DOTALL)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_parses(script: Path) -> None:
    broken = [(line, text[:80]) for kind, text, line in nodes(script) if kind in ("ERROR", "MISSING")]
    assert broken == []


def test_the_parser_notices_a_broken_script(tmp_path: Path) -> None:
    path = tmp_path / "broken.ps1"
    path.write_text("function Get-This {\n  if ($a -eq ) { 'x' \n}\n", encoding="utf-8")
    assert any(kind in ("ERROR", "MISSING") for kind, _text, _line in nodes(path))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_calls_only_reviewed_commands(script: Path) -> None:
    found = list(nodes(script))
    own = {text for kind, text, _line in found if kind == "function_name"}
    called = {text for kind, text, _line in found if kind == "command_name" and not text[:1].isdigit()}
    assert called - own - ALLOWED[script.name] == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_function_is_used(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    own = [name for kind, name, _line in nodes(script) if kind == "function_name"]
    assert [name for name in own if len(re.findall(rf"\b{re.escape(name)}\b", text)) < 2] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_has_nothing_forbidden(script: Path, what: str) -> None:
    # Texts count for date formats, and are left out for everything else.
    text = script.read_text(encoding="utf-8") if what in ("culture of the reader", "module utility") else code(script)
    assert re.findall(FORBIDDEN[what], text, flags=re.MULTILINE) == []


@pytest.mark.parametrize(
    ("what", "sample"),
    [
        ("ternary", "$a = $b ? 1 : 2"),
        ("null coalescing", "$a = $b ?? 1"),
        ("null conditional", "$a = ${b}?.Length"),
        ("pipeline chain", "whoami && hostname"),
        ("7 only parameter", "$x | ConvertFrom-Json -AsHashtable"),
        ("gone in 7", "Get-WmiObject Win32_Service"),
        ("reaches the output", "Write-Host hello"),
        ("culture of the reader", "$d.ToString('yyyy-MM-dd')"),
    ],
)
def test_the_list_of_the_forbidden_bites(what: str, sample: str) -> None:
    assert re.search(FORBIDDEN[what], sample)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_is_sent_in_one_request_and_ends_cleanly(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["#!powershell", "#Requires -Version 5.1"]
    assert lines[-2].startswith("ConvertTo-Json -Depth 20 -Compress -InputObject")
    assert lines[-1] == "$global:LASTEXITCODE = 0"
    assert script.read_bytes().isascii()


def test_the_probe_answers_the_documented_kinds() -> None:
    text = (MODULES / "odj_server_probe.ps1").read_text(encoding="utf-8")
    table = text[text.index("$functions = @{") :]
    kinds = set(re.findall(r"^    (\w+) = '", table, flags=re.MULTILINE))
    documented = set(
        re.findall(r"^\s+C\((\w+)\) value:|\"C\((\w+)\) value:", (MODULES / "odj_server_probe.yml").read_text(), re.M)
    )
    assert kinds == {name for pair in documented for name in pair if name}
