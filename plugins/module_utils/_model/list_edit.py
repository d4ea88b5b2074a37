# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options that edit a list: add some, remove some, or set exactly these."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

Item = t.TypeVar("Item")
Other = t.TypeVar("Other")


@dataclass(frozen=True, slots=True)
class ListEdit(t.Generic[Item]):
    """What is to become of a list.

    Attributes:
        exactly: The whole list; None when only ``add`` and ``remove`` count.
        add: What has to be in it.
        remove: What must not be in it.

    """

    exactly: tuple[Item, ...] | None = None
    add: tuple[Item, ...] = ()
    remove: tuple[Item, ...] = ()

    @property
    def wished(self) -> tuple[Item, ...]:
        """What has to be in the list afterwards."""
        return (*(self.exactly or ()), *self.add)

    def applied_to(self, current: Sequence[Item]) -> tuple[Item, ...]:
        """Return the list afterwards: what stays keeps its place, each item once."""
        kept = [item for item in current if self.exactly is None or item in self.exactly]
        return tuple(item for item in dict.fromkeys((*kept, *self.wished)) if item not in self.remove)

    def checked(self, option: str, shown: Callable[[Item], str] = str) -> ListEdit[Item]:
        """Return it as it is.

        Args:
            option: Where it comes from.
            shown: What people call an item.

        Raises:
            InvalidInput: An item is both to be added and to be removed, under whatever names.

        """
        both = sorted(shown(item) for item in self.add if item in self.remove)
        if both:
            raise InvalidInput("read the options", on=option, got=f"both to add and to remove: {', '.join(both)}")
        return self

    def of(self, found: Callable[[Sequence[Item]], Sequence[Other]]) -> ListEdit[Other]:
        """Return the same edit of what the items mean; ``found`` is asked for each part that is not empty."""

        def all_of(items: tuple[Item, ...]) -> tuple[Other, ...]:
            return tuple(found(items)) if items else ()

        exactly = None if self.exactly is None else all_of(self.exactly)
        return ListEdit(exactly, all_of(self.add), all_of(self.remove))


def edit_from(option: str, value: Mapping[str, Sequence[str] | None] | None) -> ListEdit[str] | None:
    """Read an option with the keys ``add``, ``remove`` and ``set``; None when nothing is asked for.

    Raises:
        InvalidInput: ``set`` stands beside another key, or a name is both to be added and to be removed.

    """
    parts = {key: value.get(key) for key in ("set", "add", "remove")} if value else {}
    if all(part is None for part in parts.values()):
        return None
    add, remove = tuple(parts["add"] or ()), tuple(parts["remove"] or ())
    if parts["set"] is not None and (add or remove):
        raise InvalidInput(
            "read the options", on=option, got="set says the whole list, so add and remove go without it"
        )
    both = {name.casefold() for name in add} & {name.casefold() for name in remove}
    if both:
        raise InvalidInput("read the options", on=option, got=f"both to add and to remove: {', '.join(sorted(both))}")
    return ListEdit(None if parts["set"] is None else tuple(parts["set"]), add, remove)
