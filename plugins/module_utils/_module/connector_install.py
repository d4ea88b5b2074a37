# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_connector_install."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import QUIET_ARGUMENTS, SUCCESS_CODES
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import BUILD_FROM, SNAPSHOT_OPTIONS

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "state": {"type": "str", "choices": ["present", "latest", "absent"], "default": "present"},
        "version": {"type": "str"},
        "path": {"type": "str"},
        "src": {"type": "path"},
        "url": {"type": "str"},
        "checksum": {"type": "str"},
        "install_arguments": {"type": "str", "default": QUIET_ARGUMENTS},
        "uninstall_arguments": {"type": "str", "default": QUIET_ARGUMENTS},
        "success_codes": {"type": "list", "elements": "int", "default": list(SUCCESS_CODES)},
        "reboot": {"type": "bool", "default": False},
        **SNAPSHOT_OPTIONS,
        **BUILD_FROM,
    },
    "mutually_exclusive": [("path", "src", "url")],
    "required_if": [
        ("state", "present", ("version", "checksum")),
        ("state", "latest", ("version", "checksum")),
        ("state", "present", ("path", "src", "url"), True),
        ("state", "latest", ("path", "src", "url"), True),
    ],
}

_SHA256 = re.compile(r"[0-9a-f]{64}")


def parse_checksum(text: str | None) -> str | None:
    """Return a SHA-256 in lower case; None for None.

    Raises:
        InvalidInput: It is not 64 hexadecimal digits.
    """
    if text is None:
        return None
    digits = text.strip().lower().removeprefix("sha256:")
    if not _SHA256.fullmatch(digits):
        raise InvalidInput(
            "read the option checksum",
            on=text,
            got="it is not a SHA-256",
            advice="Give 64 hexadecimal digits, as sha256sum or Get-FileHash print them.",
        )
    return digits
