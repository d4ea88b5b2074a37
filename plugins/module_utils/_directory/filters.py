# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""LDAP search filters as values, so that nothing is ever put into a filter unescaped (RFC 4515)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Value: t.TypeAlias = "str | bytes"
_SPECIAL = "\\*()\x00"


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value."""

    attribute: str

    def __str__(self) -> str:
        return f"({self.attribute}=*)"


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute has this value."""

    attribute: str
    value: Value

    def __str__(self) -> str:
        return f"({self.attribute}={escape(self.value)})"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these holds."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return f"(&{''.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    parts: tuple[Filter, ...]

    def __str__(self) -> str:
        return f"(|{''.join(map(str, self.parts))})"


Filter: t.TypeAlias = "Present | Equals | AllOf | AnyOf"
ANYTHING = Present("objectClass")


def escape(value: Value) -> str:
    """Return a value as it may stand in a filter: bytes all in hexadecimal, of text what has a meaning there.

    White space is escaped too: ldap3 takes it off the ends of a value otherwise.
    """
    if isinstance(value, bytes):
        return "".join(f"\\{byte:02x}" for byte in value)
    return "".join(escape(char.encode()) if char in _SPECIAL or char.isspace() else char for char in value)
