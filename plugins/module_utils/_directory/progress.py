# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""How far a long run has come: a line now and then, through Python's logging; the glue says where it goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

EVERY = 10.0  # seconds before the first line, and between two of them
LOGGER = logging.getLogger("hybridjoin.odj")


class Progress:
    """Says nothing of what is done in a few seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Begin now; ``clock`` returns seconds."""
        self._clock = clock
        self._next = clock() + EVERY

    def reached(self, what: str, count: int, total: int) -> None:
        """Take note of how many of how many are done; ``what`` is a plural and a participle, "OUs read"."""
        now = self._clock()
        if now >= self._next:
            self._next = now + EVERY
            LOGGER.info("%d of %d %s", count, total, what)
