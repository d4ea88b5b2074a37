# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Making the changes to a service account and to the computers it is linked to."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change

_LINK = "msDS-HostServiceAccount"


def make_changes(directory: Directory, changes: Sequence[Change], before: Sequence[Change] = ()) -> None:
    """Make the changes in their order; an error says what was done before it.

    Args:
        directory: Where.
        changes: The changes.
        before: Those of the same task that are made already.

    Raises:
        OdjError: The directory refuses one.

    """
    done = [change.summary for change in before]
    for change in changes:
        try:
            _APPLY[change.action](directory, change)
        except OdjError as problem:
            raise (_interrupted(problem, done) if done else problem) from problem
        done.append(change.summary)


def _interrupted(problem: OdjError, done: Sequence[str]) -> OdjError:
    advice = f"{problem.advice} Done before this: {'; '.join(done)}.".lstrip()
    return OdjError(problem.tried, on=problem.on, got=problem.got, advice=advice)


def _create(directory: Directory, change: Change) -> None:
    object_class, values = t.cast("tuple[str, dict[str, bytes]]", change.payload)
    directory.add(change.target, object_class, {name: [value] for name, value in values.items() if value})


def _modify(directory: Directory, change: Change) -> None:
    values = t.cast("dict[str, bytes | None]", change.payload)
    directory.modify(change.target, {n: ("replace", [] if v is None else [v]) for n, v in values.items()})


_APPLY: dict[str, Callable[[Directory, Change], None]] = {
    "create": _create,
    "modify": _modify,
    "delete": lambda directory, change: directory.delete(change.target),
    "link_host": lambda d, change: d.modify(change.target, {_LINK: ("add", [t.cast(bytes, change.payload)])}),
    "unlink_host": lambda d, change: d.modify(change.target, {_LINK: ("delete", [t.cast(bytes, change.payload)])}),
}
