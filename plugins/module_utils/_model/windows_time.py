# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Moments as Active Directory stores them, as moments of Python and as text."""

from __future__ import annotations

import datetime

_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
_GENERALIZED = "%Y%m%d%H%M%S"


def from_filetime(value: int | None) -> datetime.datetime | None:
    """Return the moment of a FILETIME (100 nanoseconds since 1601, MS-DTYP 2.3.3); None for none, 0 and "never"."""
    if value is None or value <= 0:
        return None
    try:
        return _EPOCH + datetime.timedelta(microseconds=value // 10)
    except OverflowError:
        return None


def to_filetime(moment: datetime.datetime) -> int:
    """Return the FILETIME of a moment."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) * 10


def from_generalized(text: str) -> datetime.datetime | None:
    """Return the moment of a generalized time in UTC (``20251124031100.0Z``); None when it is not one."""
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or (dot and not fraction.isdigit()):
        return None
    try:
        return datetime.datetime.strptime(whole, _GENERALIZED).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def shown(moment: datetime.datetime) -> str:
    """Return a moment as text, to the second: ``2025-11-24T03:11:00Z``."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
