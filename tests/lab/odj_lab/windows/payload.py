# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible sent: a module with arguments, a helper script of its connection, or a raw command.

Two forms are known, measured with ansible-core 2.16, 2.19 and 2.21 and read in the source of 2.17 and 2.18. In both the
command line carries a bootstrap, and standard input the rest.

Since 2.19: up to three parts (bootstrap, manifest, input), each ended by a line of four NUL characters. The manifest
names actions; the last one is a helper script, or the wrapper of a module, which it names.

Up to 2.18: the text of the execution wrapper, four NUL characters, and one document. It names actions, holds each
wrapper's text under its name and the module's text, and the module's name only among its arguments. Helper scripts are
written out on the command line, without a name, and only the content of a file is then on standard input. What a shell
plugin makes is a PowerShell within a PowerShell.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t
from dataclasses import dataclass, field

NULS = b"\0\0\0\0"
PART_END = b"\n" + NULS + b"\n"
ENCODED = re.compile(r"\s-EncodedCommand\s+['\"]?([^\s'\"]+)", re.IGNORECASE)
WITHIN = re.compile(r"^\W*PowerShell(?:\.exe)?\s[^\n]*-EncodedCommand\s+\S+\s*$", re.IGNORECASE)
MODULE_NAME = re.compile(r"ansible_collections\.(\w+\.\w+)\.plugins\.modules\.([\w.]+?)\.ps1")


class Unreadable(Exception):
    """The command or its input is not what Ansible is known to send."""


@dataclass(frozen=True, slots=True)
class Call:
    """One remote execution.

    Attributes:
        kind: module, script (a helper of the connection or shell plugin) or raw.
        name: Full name of the module, file name of the script, or text of the raw command.
        arguments: The user's options of a module, or the parameters of a script.
        internal: What Ansible adds to a module's options (`_ansible_check_mode` ...).
        become_user: Whom the task runs as, or None for the user who signed in.
        data: Input of a script.

    """

    kind: t.Literal["module", "script", "raw"]
    name: str
    arguments: dict[str, t.Any] = field(default_factory=dict)
    internal: dict[str, t.Any] = field(default_factory=dict)
    become_user: str | None = None
    data: bytes = b""

    @property
    def check_mode(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self.internal.get("_ansible_check_mode"))

    @property
    def diff(self) -> bool:
        """Whether before and after are asked for."""
        return bool(self.internal.get("_ansible_diff"))

    @property
    def is_system(self) -> bool:
        """Whether the task runs as the computer itself, which may ask a DC over the network."""
        return (self.become_user or "").upper().rpartition("\\")[2] == "SYSTEM"


def script_of(command_line: str) -> str:
    """Return the script that a command line carries encoded, or the command line itself when it carries none.

    Raises:
        Unreadable: The encoded text is damaged.

    """
    text = command_line.strip()
    found = ENCODED.search(text)
    while found:
        try:
            text = base64.b64decode(found[1], validate=True).decode("utf-16-le").strip()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unreadable(f"the encoded command cannot be read: {error}") from error
        found = ENCODED.search(text) if WITHIN.match(text) else None
    return text


def wants_input(command_line: str) -> bool:
    """Say whether a command reads standard input; over ssh nobody closes it for one that does not."""
    try:
        return "$input" in script_of(command_line)
    except Unreadable:
        return False


def read(command_line: str, stdin: bytes) -> Call:
    """Understand one execution from its command line and standard input.

    Raises:
        Unreadable: It has input of an unknown form.

    """
    script = script_of(command_line)
    try:
        if PART_END in stdin:
            return _from_parts(stdin.split(PART_END))
        if NULS in stdin:
            return _from_document(stdin.partition(NULS)[2])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Unreadable(f"the manifest cannot be read: {error!r}") from error
    if written := _written_out(script, stdin):
        return written
    if stdin.strip():
        raise Unreadable("standard input has neither parts nor a document: pipelining may be switched off")
    return Call("raw", script)


# ---------------------------------------------------------------- core 2.19 and later


def _from_parts(parts: list[bytes]) -> Call:
    manifest = json.loads(parts[1])
    actions = {action["name"]: action for action in manifest["actions"]}
    last = manifest["actions"][-1]
    _refuse_async("async_wrapper.ps1" in actions)
    if last["name"] != "module_wrapper.ps1":
        return Call("script", last["name"], arguments=dict(last["params"]), data=PART_END.join(parts[2:]))
    become = actions.get("become_wrapper.ps1", {}).get("params", {}).get("BecomeUser")
    params = last["params"]
    given = next((v["Value"] for v in params.get("Variables") or [] if v["Name"] == "complex_args"), None)
    if given is None:
        return Call("module", f"the script {params.get('Script')}", become_user=become)
    found = MODULE_NAME.fullmatch(params["Script"])
    return _module(f"{found[1]}.{found[2]}" if found else str(params["Script"]), given, become)


# ---------------------------------------------------------------- core up to 2.18

BUILT_IN = ("", "ansible.builtin", "ansible.legacy")
COUNTERPARTS = ("copy", "file", "ping", "stat")
"""Modules of Ansible itself in whose place its action plugins take those of ansible.windows with another name."""
BEGIN = r"\A(?:Set-StrictMode[^\n]*\n)?(?:try \{[^{}\n]*\} catch \{\}[;\s]*)?"
WRITTEN_OUT = tuple(
    (name, re.compile(BEGIN + pattern, re.DOTALL))
    for name, pattern in (
        (
            "powershell_mkdtemp.ps1",
            r"\$tmp_path = \S*ExpandEnvironmentVariables\('(?P<Directory>[^\n]*)'\)\n.* -Name '(?P<Name>[^\n]*)'\n",
        ),
        ("powershell_expand_user.ps1", r"Write-Output \(?\(Get-Location\)\.Path(?: \+ '(?P<below>[^\n]*)'\))?\n"),
        ("powershell_expand_user.ps1", r"Write-Output '(?P<Path>[^\n]*)'\n"),
        ("winrm_put_file.ps1", r"begin \{\n\$path = '(?P<Path>[^\n]*)'\n.*\[System\.IO\.File\]::Create\(\$path\)"),
        (
            "winrm_fetch_file.ps1",
            r"\$path = '(?P<Path>[^\n]*)'\n.*\$buffer_size = (?P<BufferSize>\d+)\n\$offset = (?P<Offset>\d+)\n",
        ),
    )
)
"""The helper scripts by how they begin; groups are parameters of the script that later versions name."""


def _from_document(text: bytes) -> Call:
    document = json.loads(text)
    actions: list[str] = document["actions"]
    _refuse_async("async_wrapper" in actions)
    become = document["become_user"] if "become_wrapper" in actions else None
    if actions[-1] != "module_powershell_wrapper":
        return Call("module", f"a script for {actions[-1]}", become_user=become)
    given = document["module_args"]
    collection, __, leaf = str(given["_ansible_module_name"]).rpartition(".")
    if collection in BUILT_IN:
        collection, leaf = "ansible.windows", f"win_{leaf}" if leaf in COUNTERPARTS else leaf
    return _module(f"{collection}.{leaf}", given, become)


def _written_out(script: str, stdin: bytes) -> Call | None:
    """Return the helper script that is written out on a command line, or None."""
    for name, pattern in WRITTEN_OUT:
        if found := pattern.match(f"{script}\n"):
            given = {key: value.replace("''", "'") for key, value in found.groupdict().items() if value is not None}
            if name == "powershell_expand_user.ps1" and "Path" not in given:
                given = {"Path": f"~{given.get('below', '')}"}
            return Call("script", name, arguments=given, data=stdin)
    return None


# ---------------------------------------------------------------- both


def _refuse_async(is_async: bool) -> None:
    if is_async:
        raise Unreadable("the task is asynchronous (async), which the lab does not simulate")


def _module(name: str, given: dict[str, t.Any], become_user: str | None) -> Call:
    return Call(
        "module",
        name,
        arguments={k: v for k, v in given.items() if not k.startswith("_ansible_")},
        internal={k: v for k, v in given.items() if k.startswith("_ansible_")},
        become_user=become_user,
    )
