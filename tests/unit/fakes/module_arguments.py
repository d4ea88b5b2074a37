# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments for a module under test, on every supported ansible-core."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    @contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> Iterator[None]:
        """Give the arguments to each AnsibleModule that is made meanwhile."""
        given = json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()
        with mock.patch.object(basic, "_ANSIBLE_ARGS", given):
            yield


__all__ = ["patch_module_args"]
