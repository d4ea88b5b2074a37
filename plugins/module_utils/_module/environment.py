# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options that are taken from the environment when they are not set."""

from __future__ import annotations

import os
from collections.abc import Callable

from ansible.module_utils.basic import AnsibleFallbackNotFound


def first_set(*names: str) -> str:
    """Return the first of some environment variables that is set and not empty.

    Ansible's own env_fallback stops at a variable that is set and empty, and the automation platform sets empty ones.

    Raises:
        AnsibleFallbackNotFound: None of them is, so the option is not set.
    """
    for name in names:
        if value := os.environ.get(name):
            return value
    raise AnsibleFallbackNotFound


def from_environment(*names: str) -> tuple[Callable[..., str], list[str]]:
    """Return the ``fallback`` of an argument spec that tries these variables in their order."""
    return first_set, list(names)
