# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Attributes with so many values that Active Directory gives them in parts (MS-ADTS 3.1.1.3.1.3.3, MaxValRange)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError

_PART = re.compile(r"(.+);range=(\d+)-(\d+|\*)", re.IGNORECASE)
ReadAgain = Callable[[str, Sequence[str]], "Entry | None"]


def with_all_values(entry: Entry, read: ReadAgain) -> Entry:
    """Return the object with the remaining parts of such attributes, which are read one after the other.

    A value that moves from one part to another while they are read, because others change the list, counts once.

    Raises:
        DirectoryError: A part is missing: the object has gone, or may not be read any more.

    """
    parts = [match for name in entry.values if ";" in name and (match := _PART.fullmatch(name))]
    if not parts:
        return entry
    values = {name: items for name, items in entry.values.items() if not _PART.fullmatch(name)}
    for part in parts:
        name, last = part[1], part[3]
        found = [*entry.values[part[0]]]
        while last != "*":
            first = int(last) + 1
            last, more = _next_part(entry.dn, name, first, read(entry.dn, [f"{name};range={first}-*"]))
            found += more
        values[name] = tuple(dict.fromkeys(found))
    return Entry(entry.dn, values)


def _next_part(dn: str, name: str, first: int, entry: Entry | None) -> tuple[str, tuple[bytes, ...]]:
    """Return the end of the part that begins there, and its values; a part that begins elsewhere is none."""
    for key, items in entry.values.items() if entry else ():
        match = _PART.fullmatch(key)
        if match and match[1] == name.lower() and items and int(match[2]) == first and _ends_behind(match[3], first):
            return match[3], items
    raise DirectoryError(f"read all values of {name}", on=dn, got="a part of them is missing", advice="Run again.")


def _ends_behind(last: str, first: int) -> bool:
    return last == "*" or int(last) >= first
