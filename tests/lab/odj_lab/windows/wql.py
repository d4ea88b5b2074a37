# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of WQL's WHERE that filters need: comparisons with = <> != < > <= >= LIKE, joined by AND and OR."""

from __future__ import annotations

import operator
import re
import typing as t

Row = dict[str, t.Any]
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<sign><>|!=|<=|>=|=|<|>)|(?P<word>[\w.]+))")
COMPARE: dict[str, t.Callable[[t.Any, t.Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class BadFilter(Exception):
    """The filter is not understood: Windows would say "invalid query"."""


def chosen(rows: list[Row], text: str) -> list[Row]:
    """Return the rows that a filter lets through; an empty filter lets all.

    Raises:
        BadFilter: It is not understood.

    """
    if not text.strip():
        return rows
    alternatives = [_conditions(part) for part in _split(_tokens(text), "OR")]
    return [row for row in rows if any(all(_holds(row, c) for c in every) for every in alternatives)]


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise BadFilter(f"not understood: {text[at:]}")
        found.append(match[0].strip())
        at = match.end()
    return found


def _split(tokens: list[str], word: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token.upper() == word:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _conditions(tokens: list[str]) -> list[tuple[str, str, str]]:
    found = []
    for part in _split(tokens, "AND"):
        if len(part) != 3 or (part[1] not in COMPARE and part[1].upper() != "LIKE"):
            raise BadFilter(f"not understood: {' '.join(part)}")
        found.append((part[0], part[1].upper(), part[2]))
    return found


def _holds(row: Row, condition: tuple[str, str, str]) -> bool:
    name, sign, literal = condition
    names = {key.casefold(): key for key in row}
    if name.casefold() not in names:
        raise BadFilter(f"no property {name}")
    value = row[names[name.casefold()]]
    wanted: t.Any = re.sub(r"\\(.)", r"\1", literal[1:-1]) if literal.startswith("'") else literal
    if sign == "LIKE":
        pattern = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in wanted)
        return re.fullmatch(pattern, str(value), re.IGNORECASE) is not None
    if isinstance(value, bool):
        return COMPARE[sign](value, str(wanted).lower() in {"true", "1"})
    if isinstance(value, int):
        return COMPARE[sign](value, int(wanted))
    return COMPARE[sign](str(value).casefold(), str(wanted).casefold())
