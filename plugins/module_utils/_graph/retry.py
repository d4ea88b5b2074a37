# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""When a request is worth another try, and how long to wait before it."""

from __future__ import annotations

import datetime
import email.utils

# https://learn.microsoft.com/graph/throttling: wait as told; without Retry-After, back off exponentially.
WORTH_ANOTHER_TRY = frozenset({429, 503, 504})
TRIES_WHEN_BUSY = 5
TRIES_WHEN_BROKEN = 3
LONGEST_WAIT = 120.0
PATIENCE = 300.0


def seconds_to_wait(hints: tuple[str, ...], attempt: int, now: datetime.datetime, jitter: float) -> float:
    """Return how long to wait before the next try.

    Args:
        hints: What the service said, the best hint first: seconds or an HTTP date; what cannot be read is skipped.
        attempt: Number of tries so far, 1 or more; for the wait when there is no hint: 1, 2, 4, 8 seconds ...
        now: The present moment, in UTC.
        jitter: Between 0 and 1; spreads clients that were refused together.

    Returns:
        Seconds. A hint is taken as it is, even beyond what anyone would wait for.

    """
    for hint in hints:
        told = _seconds(hint, now)
        if told is not None:
            return told
    return min(2.0 ** (attempt - 1) + jitter, LONGEST_WAIT)


def _seconds(hint: str, now: datetime.datetime) -> float | None:
    text = hint.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max((moment - now).total_seconds(), 0.0)
