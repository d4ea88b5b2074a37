# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Remembers access lists on which nothing has to change, because a thousand units mostly hold the same delegations."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import trustee_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid

T = t.TypeVar("T")


class Settled(t.Generic[T]):
    """What was found on lists where nothing has to change.

    A comparison looks at the entries of certain trustees only. Where those are the same and in the same order, and
    nothing had to change, the same is found. Where something has to change the whole list counts, and is not kept here.
    """

    def __init__(self, trustees: Iterable[Sid]) -> None:
        self._trustees = frozenset(sid.to_bytes() for sid in trustees)
        self._counts: dict[bytes, bool] = {}
        self._known: dict[tuple[bytes, ...], T] = {}

    def find(self, descriptor: SecurityDescriptor) -> T | None:
        """Return what was found on a list that is the same in what counts, None when there was none yet."""
        return None if descriptor.dacl is None else self._known.get(self._key(descriptor.dacl.aces))

    def add(self, descriptor: SecurityDescriptor, told: T) -> None:
        """Remember what was found on a list where nothing had to change."""
        if descriptor.dacl is not None:
            self._known[self._key(descriptor.dacl.aces)] = told

    def _key(self, aces: tuple[bytes, ...]) -> tuple[bytes, ...]:
        for ace in aces:
            if ace not in self._counts:
                self._counts[ace] = trustee_in(ace) in self._trustees
        return tuple(ace for ace in aces if self._counts[ace])
