# SPDX-License-Identifier: GPL-3.0-or-later
"""Both forms in which Ansible sends what is to run, read into the same: the shapes that really arrive, without scripts.

What stands in these shapes for a script of Ansible is a few words of our own with what the lab tells it by.
"""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from odj_lab.windows.payload import Call, Unreadable, read, wants_input

END = b"\n\0\0\0\0\n"
Json = dict[str, t.Any]
GIVEN = {
    "path": "C:\\x",
    "_ansible_check_mode": True,
    "_ansible_diff": False,
    "_ansible_module_name": "ansible.windows.win_stat",
}
NEW_STRICT = "Set-StrictMode -Version Latest\n"
ENCODING = "try { $utf8 } catch {}"
RETURN = "\nIf (-not $?) { exit 1 }"


def command(script: str, times: int = 1) -> str:
    """Return a command line that carries a script, as a PowerShell within a PowerShell when told so."""
    for __ in range(times):
        encoded = base64.b64encode(script.encode("utf-16-le")).decode()
        script = f"PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand {encoded}"
    return script


def parts(*actions: Json, data: bytes = b"") -> bytes:
    """Return standard input as core 2.19 and later send it."""
    manifest = {"actions": actions, "scripts": {action["name"]: {"script": "x"} for action in actions}}
    first = {"name": "exec_wrapper", "script": "x", "params": {}}
    return json.dumps(first).encode() + END + json.dumps(manifest).encode() + END + data + (END if data else b"")


def document(*actions: str, **more: t.Any) -> bytes:
    """Return standard input as core 2.16 to 2.18 send it."""
    text = base64.b64encode(b"#!powershell").decode()
    whole = {"module_entry": text, "module_args": GIVEN, "actions": actions, **dict.fromkeys(actions, text), **more}
    return b"begin { }\nprocess { }\nend { }\n\n" + b"\0\0\0\0" + json.dumps(whole).encode()


def wrapped(script: str, **arguments: t.Any) -> Json:
    """Return the action that runs a module in the newer form."""
    variables = [{"Name": "complex_args", "Value": {**GIVEN, **arguments}}]
    return {"name": "module_wrapper.ps1", "params": {"Script": script, "Variables": variables}}


BOOTSTRAP = "&chcp.com 65001 > $null\n$all = $input | Out-String"
STAT = wrapped("ansible_collections.ansible.windows.plugins.modules.win_stat.ps1")
BECOME = {"name": "become_wrapper.ps1", "params": {"BecomeUser": "SYSTEM"}}
OLD_BECOME: Json = {"become_user": "SYSTEM", "become_password": None, "become_flags": None}


@pytest.mark.parametrize(
    ("line", "stdin", "become"),
    [
        (command(BOOTSTRAP), parts(STAT), None),
        (command(BOOTSTRAP), parts(BECOME, STAT), "SYSTEM"),
        (command(BOOTSTRAP, 2), document("module_powershell_wrapper"), None),
        (command(BOOTSTRAP, 2), document("become_wrapper", "module_powershell_wrapper", **OLD_BECOME), "SYSTEM"),
        (f"chcp.com 65001 > $null ; {command(BOOTSTRAP, 2)}", document("module_powershell_wrapper"), None),
    ],
)
def test_a_module_is_the_same_in_both_forms(line: str, stdin: bytes, become: str | None) -> None:
    call = read(line, stdin)
    assert (call.kind, call.name, call.arguments) == ("module", "ansible.windows.win_stat", {"path": "C:\\x"})
    assert (call.check_mode, call.diff, call.become_user, call.is_system) == (True, False, become, bool(become))
    assert wants_input(line)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("hybridjoin.odj.odj_server_probe", "hybridjoin.odj.odj_server_probe"),
        ("win_ping", "ansible.windows.win_ping"),
        ("ansible.legacy.slurp", "ansible.windows.slurp"),
        ("ansible.legacy.stat", "ansible.windows.win_stat"),
        ("ansible.builtin.copy", "ansible.windows.win_copy"),
    ],
)
def test_the_older_form_names_a_module_as_the_task_does(told: str, name: str) -> None:
    stdin = document("module_powershell_wrapper", module_args={"_ansible_module_name": told})
    assert read(command(BOOTSTRAP, 2), stdin) == Call("module", name, internal={"_ansible_module_name": told})


def action(name: str, **params: t.Any) -> bytes:
    return parts({"name": name, "params": params}, data=b"eA==")


FETCH = "$path = 'C:\\it''s'\nIf (Test-Path $path)\n{\n$buffer_size = 524288\n$offset = 1048576\n$stream\n}"
TEMP = "$tmp_path = [x]::ExpandEnvironmentVariables('%TEMP%')\n$tmp = New-Item -Path $tmp_path -Name 'a-1'\nx"
PUT = "begin {\n$path = 'C:\\it''s'\n$fd = [System.IO.File]::Create($path)\n}"


@pytest.mark.parametrize(
    ("name", "newer", "older", "arguments"),
    [
        ("powershell_mkdtemp.ps1", {"Directory": "%TEMP%", "Name": "a-1"}, f"{NEW_STRICT}{TEMP}{RETURN}", {}),
        (
            "powershell_mkdtemp.ps1",
            {"Directory": "%TEMP%", "Name": "a-1"},
            f"{NEW_STRICT}{ENCODING}\n{TEMP}{RETURN}",
            {},
        ),
        ("powershell_expand_user.ps1", {"Path": "~"}, f"{NEW_STRICT}Write-Output (Get-Location).Path{RETURN}", {}),
        (
            "powershell_expand_user.ps1",
            {"Path": "~\\it's"},
            f"{NEW_STRICT}Write-Output ((Get-Location).Path + '\\it''s'){RETURN}",
            {},
        ),
        ("powershell_expand_user.ps1", {"Path": "C:\\x"}, f"{NEW_STRICT}{ENCODING}; Write-Output 'C:\\x'{RETURN}", {}),
        ("winrm_put_file.ps1", {"Path": "C:\\it's"}, PUT, {}),
        (
            "winrm_fetch_file.ps1",
            {"Path": "C:\\it's", "BufferSize": 524288, "Offset": 1048576},
            f"{NEW_STRICT}{FETCH}",
            {"BufferSize": "524288", "Offset": "1048576"},
        ),
    ],
)
def test_a_helper_script_is_the_same_in_both_forms(name: str, newer: Json, older: str, arguments: Json) -> None:
    """Numbers are text in the older form, and the stand-ins take both."""
    assert read(command(BOOTSTRAP), action(name, **newer)) == Call("script", name, newer, data=b"eA==" + END)
    for times in (1, 2):
        found = read(command(older, times), b"eA==")
        assert found == Call("script", name, {**newer, **arguments}, data=b"eA==")


@pytest.mark.parametrize("line", ["whoami", command("whoami"), command("whoami", 2), command(command("whoami"))])
def test_a_raw_command_is_what_is_innermost(line: str) -> None:
    assert read(line, b"") == Call("raw", "whoami")
    assert not wants_input(line)


def test_a_command_that_only_speaks_of_an_encoded_one_stays_as_it_is() -> None:
    text = "Start-Process PowerShell -ArgumentList '-EncodedCommand abc'"
    assert read(command(text), b"").name == text


@pytest.mark.parametrize(
    ("line", "stdin", "said"),
    [
        ("PowerShell -EncodedCommand ###", b"", "encoded command"),
        (command("x"), b"some input", "neither parts nor a document"),
        (command("x"), b"script" + END + b"not JSON", "manifest"),
        (command("x"), b"script\0\0\0\0not JSON", "manifest"),
        (command("x"), b'script\0\0\0\0{"actions": []}', "manifest"),
        (command("x"), b'script\0\0\0\0["x"]', "manifest"),
        (command("x"), b'script\0\0\0\0{"actions": ["module_powershell_wrapper"], "module_args": {}}', "manifest"),
        (command("x"), parts({"name": "async_wrapper.ps1", "params": {}}, STAT), "asynchronous"),
        (command("x"), document("async_wrapper", "async_watchdog", "module_powershell_wrapper"), "asynchronous"),
    ],
)
def test_what_cannot_be_read_says_so(line: str, stdin: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(line, stdin)


def test_a_script_of_the_user_has_no_stand_in_in_either_form() -> None:
    newer = parts({"name": "module_wrapper.ps1", "params": {"Script": "my.ps1", "Variables": []}})
    older = document("module_script_wrapper", module_args={})
    assert read(command("x"), newer).name == "the script my.ps1"
    assert read(command("x"), older).name == "a script for module_script_wrapper"
