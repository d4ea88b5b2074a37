# SPDX-License-Identifier: GPL-3.0-or-later
"""The system log of the computer that a module runs on, as far as the module writes into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import LOGGER
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import task


@contextmanager
def system_log() -> Iterator[list[str]]:
    """Yield the lines that a module writes, which are there as soon as they are written."""
    lines: list[str] = []
    task._log_to(lines.append)
    try:
        yield lines
    finally:
        LOGGER.handlers.clear()
