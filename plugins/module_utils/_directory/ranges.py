# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Attributes with so many values that Active Directory gives them in parts (MS-ADTS 3.1.1.3.1.3.3, MaxValRange)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError

_PART = re.compile(r"(.+);range=\d+-(\d+|\*)", re.IGNORECASE)
ReadAgain = Callable[[str, Sequence[str]], "Entry | None"]


def with_all_values(entry: Entry, read: ReadAgain) -> Entry:
    """Return the object with the remaining parts of such attributes, which are read one after the other.

    Raises:
        DirectoryError: A part is missing: the object has gone, or may not be read any more.

    """
    parts = [match for name in entry.values if ";" in name and (match := _PART.fullmatch(name))]
    if not parts:
        return entry
    values = {name: items for name, items in entry.values.items() if not _PART.fullmatch(name)}
    for part in parts:
        name, last = part[1], part[2]
        found = [*entry.values[part[0]]]
        while last != "*":
            last, more = _next_part(entry.dn, name, read(entry.dn, [f"{name};range={int(last) + 1}-*"]))
            found += more
        values[name] = tuple(found)
    return Entry(entry.dn, values)


def _next_part(dn: str, name: str, entry: Entry | None) -> tuple[str, tuple[bytes, ...]]:
    for key, items in entry.values.items() if entry else ():
        match = _PART.fullmatch(key)
        if match and match[1] == name.lower() and items:
            return match[2], items
    raise DirectoryError(f"read all values of {name}", on=dn, got="a part of them is missing", advice="Run again.")
