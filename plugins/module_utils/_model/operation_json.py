# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Operations as JSON, from which another process can perform them later."""

from __future__ import annotations

import base64
import typing as t
from collections.abc import Mapping
from dataclasses import fields

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import OPERATIONS, Operation


def operation_to_json(operation: Operation) -> dict[str, t.Any]:
    """Return an operation as data from which it can be performed. It may hold what belongs in no log."""
    values = {one.name: _encoded(getattr(operation, one.name)) for one in fields(operation)}
    return {"operation": type(operation).__name__, **values}


def operation_from_json(data: object) -> Operation:
    """Read what ``operation_to_json`` gave.

    Raises:
        OdjError: It is something else.
    """
    kind = OPERATIONS.get(str(data.get("operation"))) if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind is None:
        raise _malformed("it names no operation")
    hints = t.get_type_hints(kind)
    names = {one.name for one in fields(kind)}
    if set(data) != {"operation", *names}:
        raise _malformed(f"{kind.__name__} has the parts {', '.join(sorted(names))}")
    values = {name: _decoded(data[name]) for name in names}
    wrong = sorted(name for name, value in values.items() if not _fits(value, hints[name]))
    if wrong:
        raise _malformed(f"{', '.join(wrong)} of {kind.__name__} is something else")
    return kind(**values)


def _malformed(got: str) -> OdjError:
    return OdjError("read an operation", got=got, advice="Plan again.")


def _encoded(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {"values": {name: _encoded(one) for name, one in value.items()}}
    return list(value) if isinstance(value, tuple) else value


def _decoded(value: object) -> t.Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict) and isinstance(values := value.get("values"), dict):
        return {name: _decoded(one) for name, one in values.items()}
    if isinstance(value, dict):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise _malformed("a value is not base64") from None
    return value


def _fits(value: object, hint: t.Any) -> bool:
    """Say whether a value is of a type, as far as the fields of operations need it."""
    arguments = t.get_args(hint)
    if t.get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(one, arguments[0]) for one in value)
    if t.get_origin(hint) is Mapping:
        return isinstance(value, dict) and all(
            _fits(name, arguments[0]) and _fits(one, arguments[1]) for name, one in value.items()
        )
    if arguments:
        return any(_fits(value, one) for one in arguments)
    return isinstance(value, hint) and isinstance(value, bool) == (hint is bool)  # True is no number here
