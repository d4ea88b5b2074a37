# SPDX-License-Identifier: GPL-3.0-or-later
"""The XPath of the Windows event log, as far as documented: child and attribute axes, and/or, comparisons, timediff.

Source: Microsoft's "Consuming Events": no contains(), no starts-with(), no variables.
"""

from __future__ import annotations

import operator
import re
import typing as t
from dataclasses import dataclass, field

from odj_lab.windows.machine import seconds_of

Test = t.Callable[["Node"], bool]
TOKEN = re.compile(r"\s*(?P<token><=|>=|!=|[<>=\[\]()/@*]|'[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?|[A-Za-z_][\w.-]*)")
COMPARE: dict[str, t.Callable[[t.Any, t.Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class BadQuery(Exception):
    """The query is outside of what the event log understands."""


@dataclass(frozen=True, slots=True)
class Node:
    """An element of an event's XML."""

    name: str
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[Node, ...] = ()


def matcher(query: str, *, now: float) -> t.Callable[[dict[str, t.Any]], bool]:
    """Return the test that a query is, for events as the state holds them. `now` is the server's clock.

    Raises:
        BadQuery: The query is not understood.

    """
    test = _Parser(query, now).query()
    return lambda row: test(_event(row))


def _event(row: dict[str, t.Any]) -> Node:
    system = (
        Node("Provider", attributes={"Name": str(row.get("provider", ""))}),
        Node("EventID", str(row["id"])),
        Node("Level", str(row.get("level", 0))),
        Node("TimeCreated", attributes={"SystemTime": str(row["time"])}),
        Node("EventRecordID", str(row["record_id"])),
        Node("Channel", str(row.get("channel", ""))),
        Node("Security", attributes={"UserID": str(row.get("user_sid") or "")}),
    )
    data = tuple(Node("Data", str(value)) for value in row.get("properties", []))
    return Node("Event", children=(Node("System", children=system), Node("EventData", children=data)))


class _Parser:
    def __init__(self, query: str, now: float) -> None:
        self._now = now
        self._tokens: list[str] = []
        at, query = 0, query.strip()
        while at < len(query):
            match = TOKEN.match(query, at)
            if not match:
                raise BadQuery(query[at:])
            self._tokens.append(match["token"])
            at = match.end()

    def query(self) -> Test:
        if self._take() not in {"*", "Event"}:
            raise BadQuery("a query begins with * or Event")
        tests = self._predicates()
        while self._peek() == "/":
            self._take()
            tests.append(self._path())
        if self._tokens:
            raise BadQuery(" ".join(self._tokens))
        return lambda node: all(test(node) for test in tests)

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise BadQuery(f"{wanted or 'more'} expected before {' '.join(self._tokens) or 'the end'}")
        return self._tokens.pop(0)

    def _predicates(self) -> list[Test]:
        tests = []
        while self._peek() == "[":
            self._take()
            tests.append(self._either())
            self._take("]")
        return tests

    def _either(self) -> Test:
        tests = [self._every()]
        while self._peek() == "or":
            self._take()
            tests.append(self._every())
        return lambda node: any(test(node) for test in tests)

    def _every(self) -> Test:
        tests = [self._single()]
        while self._peek() == "and":
            self._take()
            tests.append(self._single())
        return lambda node: all(test(node) for test in tests)

    def _single(self) -> Test:
        if self._peek() == "(":
            self._take()
            test = self._either()
            self._take(")")
            return test
        if self._peek() == "timediff":
            return self._timediff()
        return self._path()

    def _timediff(self) -> Test:
        for token in ("timediff", "(", "@"):
            self._take(token)
        name = self._take()
        self._take(")")
        compare, limit = COMPARE[self._sign()], float(self._take())
        now = self._now
        return lambda node: compare((now - seconds_of(node.attributes[name])) * 1000, limit)

    def _sign(self) -> str:
        token = self._take()
        if token not in COMPARE:
            raise BadQuery(f"{token} is no comparison")
        return token

    def _path(self) -> Test:
        if self._peek() == "@":
            self._take()
            name = self._take()
            return self._comparison(lambda node: [node.attributes.get(name, "")])
        name = self._take()
        if not re.fullmatch(r"[A-Za-z_]\w*|\*", name):
            raise BadQuery(f"{name} is no element")
        tests = self._predicates()

        def found(node: Node) -> list[Node]:
            return [c for c in node.children if name in ("*", c.name) and all(test(c) for test in tests)]

        if self._peek() == "/":
            self._take()
            rest = self._path()
            return lambda node: any(rest(child) for child in found(node))
        if self._peek() in COMPARE:
            return self._comparison(lambda node: [child.text for child in found(node)])
        return lambda node: bool(found(node))

    def _comparison(self, values: t.Callable[[Node], list[str]]) -> Test:
        sign, literal = self._sign(), self._take()
        quoted = literal[0] in "'\""
        if not quoted and not re.fullmatch(r"-?\d+(\.\d+)?", literal):
            raise BadQuery(f"{literal} is neither a number nor quoted")

        def holds(value: str) -> bool:
            if quoted and not re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", literal[1:-1]):
                return COMPARE[sign](value, literal[1:-1])
            if quoted:
                return COMPARE[sign](seconds_of(value), seconds_of(literal[1:-1]))
            return COMPARE[sign](float(value or "nan"), float(literal))

        return lambda node: any(holds(value) for value in values(node))
