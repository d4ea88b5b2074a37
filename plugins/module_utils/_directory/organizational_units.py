# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""OUs and other containers: read by name in bulk, below a base, and above it."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    NO_SUCH_OBJECT,
    AnyOf,
    Directory,
    Entry,
    Equals,
    Procedure,
    Read,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.progress import Progress
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

SIBLINGS = 50  # measured: a child in a search below its parent costs half of what reading it by its name does
_ELSEWHERE = (10, 34)  # a referral to another domain; a name that no directory of this schema can hold
_UNITS = AnyOf((Equals("objectClass", "organizationalUnit"), Equals("objectClass", "container")))
Key: t.TypeAlias = tuple[tuple[str, str], ...]


def read_by_name(directory: Directory, names: Sequence[Dn], attributes: Sequence[str]) -> dict[Key, Entry]:
    """Read objects by name, with their access lists: the many below one parent by one search, the others one by one.

    Returns:
        What was found, by the key of its name (see Dn.key).

    Raises:
        DirectoryError: The directory refuses for another reason than that it does not hold the object.

    """
    entries: dict[Key, Entry] = {}
    siblings: dict[Key, list[Dn]] = {}
    for name in names:
        siblings.setdefault(name.key[1:], []).append(name)
    for group in siblings.values():
        if len(group) >= SIBLINGS:
            entries |= _children(directory, group, attributes)
    rest = [name for name in names if name.key not in entries]
    progress = Progress()
    for name, entry in zip(rest, directory.run_all(_read(str(n), attributes) for n in rest), strict=False):
        progress.reached("objects read", len(entries), len(names))
        if isinstance(entry, OdjError):
            raise entry
        if entry:
            entries[name.key] = entry
    return entries


def _children(directory: Directory, names: Sequence[Dn], attributes: Sequence[str]) -> dict[Key, Entry]:
    """Look for units and containers that have the same parent; where it has many others, not for all of them."""
    wanted = {name.key for name in names}
    try:
        found = directory.entries(str(names[0].parent or ""), _UNITS, attributes, scope="level", dacl=True)
        named = ((Dn.parse(entry.dn).key, entry) for entry in islice(found, 2 * len(names)))
        return {key: _looked_at(entry) for key, entry in named if key in wanted}
    except DirectoryError as problem:
        if problem.code not in (NO_SUCH_OBJECT, *_ELSEWHERE):
            raise
        return {}


def _looked_at(entry: Entry) -> Entry:
    """Parse the access list now, while the next page is on its way: it is remembered for whoever needs it."""
    with suppress(MalformedDescriptor):
        SecurityDescriptor.parse(entry.one("nTSecurityDescriptor") or b"")
    return entry


def _read(dn: str, attributes: Sequence[str]) -> Procedure[Entry | None]:
    try:
        return (yield Read(dn, attributes, dacl=True))
    except DirectoryError as problem:
        if problem.code not in _ELSEWHERE:
            raise
        return None
