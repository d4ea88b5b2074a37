# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible sent: a module with arguments, a helper script of its connection, or a raw command.

Measured with ansible-core 2.19 and 2.21: the command line carries a bootstrap, standard input carries up to three
parts (bootstrap, manifest, input), each ended by a line of four NUL characters.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import typing as t
from dataclasses import dataclass, field

PART_END = b"\n\0\0\0\0\n"
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
    found = re.search(r"\s-EncodedCommand\s+['\"]?([^\s'\"]+)", command_line, re.IGNORECASE)
    if not found:
        return command_line.strip()
    try:
        return base64.b64decode(found[1], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unreadable(f"the encoded command cannot be read: {error}") from error


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
    if PART_END not in stdin:
        if stdin.strip(b"\r\n\0 "):
            raise Unreadable("standard input has no parts: older Ansible, or pipelining switched off")
        return Call("raw", script)
    parts = stdin.split(PART_END)
    try:
        manifest = json.loads(parts[1])
        actions = {action["name"]: action for action in manifest["actions"]}
        last = manifest["actions"][-1]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unreadable(f"the manifest cannot be read: {error!r}") from error
    if "async_wrapper.ps1" in actions:
        raise Unreadable("the task is asynchronous (async), which the lab does not simulate")
    if last["name"] != "module_wrapper.ps1":
        return Call("script", last["name"], arguments=dict(last["params"]), data=PART_END.join(parts[2:]))
    become = actions.get("become_wrapper.ps1", {}).get("params", {}).get("BecomeUser")
    return _module(last["params"], become)


def _module(params: dict[str, t.Any], become_user: str | None) -> Call:
    given = next((v["Value"] for v in params.get("Variables") or [] if v["Name"] == "complex_args"), None)
    if given is None:
        return Call("module", f"the script {params.get('Script')}", become_user=become_user)
    found = MODULE_NAME.fullmatch(params["Script"])
    name = f"{found[1]}.{found[2]}" if found else str(params["Script"])
    return Call(
        "module",
        name,
        arguments={k: v for k, v in given.items() if not k.startswith("_ansible_")},
        internal={k: v for k, v in given.items() if k.startswith("_ansible_")},
        become_user=become_user,
    )
