# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one door to the directory: one bind, one domain controller, every operation counted where it passes."""

from __future__ import annotations

import math
import re
import typing as t
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.authentication import check_account, log_on
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import (
    Answer,
    modify_object,
    read_object,
    sd_flags,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.connection import connect
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    NO_SUCH_OBJECT,
    Attributes,
    Directory,
    Entry,
    Filter,
    Procedure,
    Read,
    Settings,
    T,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import (
    DirectoryError,
    in_doubt,
    refuse_failure,
    unreachable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import (
    Pipeline,
    PipelinedStrategy,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

try:
    from ldap3.core.exceptions import LDAPException
    from ldap3.protocol.microsoft import security_descriptor_control
except ImportError as error:
    LDAP3_IMPORT_ERROR: ImportError | None = error
else:
    LDAP3_IMPORT_ERROR = None

PAGE = 500
_MOST_PAGES = 10_000  # of one search: five million objects
_MOST_EMPTY_PAGES = 100  # one after the other
_LONGEST_SEARCH = 60  # times as long as one answer may take
_MOST_PARTS = 1000  # of the values of one object: a domain controller gives at least a thousand at a time
OPERATIONS = ("bind", "search", "modify", "add", "delete")
_RANGE = ";range="
_PART = re.compile(r"(.+);range=(\d{1,10})-(\d{1,10}|\*)", re.ASCII | re.IGNORECASE)
ReadAgain = Callable[[str, Sequence[str]], "Entry | None"]


class LdapDirectory:
    """A directory behind a connection that is logged on."""

    def __init__(self, server: str, strategy: PipelinedStrategy, root: Entry, clock: Clock) -> None:
        """Take a connection that is trusted, and the rootDSE that was read through it."""
        self.clock = clock
        self._server = server
        self._strategy = strategy
        self._root = root
        self._counts: Counter[str] = Counter(search=1 if root.values else 0)

    def root(self) -> Entry:
        """See Directory."""
        return self._root

    def log_on(self, settings: Settings) -> None:
        """Log on, once.

        Raises:
            DirectoryError: The server refuses the logon, or there are no tickets for it.
        """
        tried = f"log on as {settings.account}"
        host = self._root.text("dnsHostName") or self._server
        self._counts["bind"] += 1
        with self._reachable(tried, self._server):
            result = log_on(settings, self._strategy, host)
        refuse_failure(tried, self._server, result.code, result.text)
        self._strategy.until = math.inf

    def search(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> list[Entry]:
        """See Directory."""
        return list(self.entries(base, where, attributes, scope=scope, dacl=dacl, owner=owner))

    def entries(
        self,
        base: str,
        where: Filter,
        attributes: Sequence[str],
        *,
        scope: str = "subtree",
        dacl: bool = False,
        owner: bool = False,
    ) -> Iterator[Entry]:
        """See Directory."""
        connection, controls = self._strategy.connection, _controls(sd_flags(dacl=dacl, owner=owner))
        tried, size = "search the directory", PAGE if scope != "base" else None

        def ask(cookie: bytes | None) -> int:
            return self._send(
                "search", tried, base, connection.search, base, str(where), scope.upper(),
                attributes=list(attributes), controls=controls, paged_cookie=cookie, paged_size=size,
            )  # fmt: skip

        pages = Pages(self.clock, base, connection.receive_timeout)
        number = ask(None)
        try:
            while number:
                answer = self._answer(tried, base, number)
                pages.count(answer)
                number = ask(answer.result.cookie) if answer.result.cookie else 0
                yield from (with_all_values(entry, self._read_part) for entry in answer.entries)
        finally:  # somebody may have seen enough while the next page is on its way
            self._strategy.inbox.forget(number)

    def modify(self, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool = False) -> None:
        """See Directory."""
        step = Write(dn, changes, dacl)
        self.answer(self.ask(step), step)

    def add(self, dn: str, object_class: str, attributes: Attributes) -> None:
        """See Directory."""
        values = {name: list(items) for name, items in attributes.items()}
        self._do("add", f"create the {object_class}", dn, self._strategy.connection.add, dn, object_class, values)

    def delete(self, dn: str) -> None:
        """See Directory."""
        self._do("delete", "remove the object", dn, self._strategy.connection.delete, dn)

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        """See Directory."""
        return Pipeline[T](self).run_all(procedures)

    def ask(self, step: Read | Write) -> int:
        """See Line."""
        number = self._strategy.next_number()
        if isinstance(step, Read):
            operation, message = (
                "search",
                read_object(number, step.dn, step.attributes, dacl=step.dacl, owner=step.owner),
            )
        else:
            operation, message = "modify", modify_object(number, step.dn, step.changes, dacl=step.dacl)
        self._send(operation, step.tried, step.dn, self._strategy.send_raw, number, f"{operation}Request", message)
        return number

    def first_answered(self, numbers: Collection[int]) -> int:
        """See Line."""
        with self._reachable("wait for an answer", self._server):
            return self._strategy.wait_any(numbers)

    def answer(self, number: int, step: Read | Write) -> Entry | None:
        """See Line."""
        entry = self._one(number, step)
        return with_all_values(entry, self._read_part) if entry else None

    def facts(self) -> dict[str, t.Any]:
        """See Directory."""
        return {"server": self._server, "operations": {name: self._counts[name] for name in OPERATIONS}}

    def close(self) -> None:
        """End the connection; says nothing when that fails."""
        self._strategy.end()

    def _read_part(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        step = Read(dn, attributes)
        return self._one(self.ask(step), step)

    def _one(self, number: int, step: Read | Write) -> Entry | None:
        try:
            answer = self._answer(step.tried, step.dn, number, writes=isinstance(step, Write))
            return next(iter(answer.entries), None)
        except DirectoryError as problem:
            if problem.code == NO_SUCH_OBJECT and isinstance(step, Read):
                return None
            raise

    def _do(self, operation: str, tried: str, on: str, call: Callable[..., t.Any], *args: t.Any) -> None:
        self._answer(tried, on, self._send(operation, tried, on, call, *args), writes=True)

    def _send(self, operation: str, tried: str, on: str, call: Callable[..., t.Any], *args: t.Any, **kw: t.Any) -> int:
        """Let one operation through: every request to the directory goes this way. Returns its number."""
        self._counts[operation] += 1
        with self._reachable(tried, on):
            return t.cast(int, call(*args, **kw))

    def _answer(self, tried: str, on: str, number: int, *, writes: bool = False) -> Answer:
        try:
            with self._reachable(tried, on):
                answer = self._strategy.collect(number)
        except DirectoryError as problem:
            if not writes:
                raise
            raise in_doubt(problem) from problem.__cause__
        refuse_failure(tried, on, answer.result.code, answer.result.text)
        return answer

    @contextmanager
    def _reachable(self, tried: str, on: str) -> Iterator[None]:
        try:
            yield
        except LDAPException as problem:
            raise unreachable(tried, on or self._server, str(problem)) from problem


class Pages:
    """The pages of one search, which come to an end: a server that always has one more is not believed."""

    def __init__(self, clock: Clock, base: str, timeout: float) -> None:
        self._clock = clock
        self._base = base
        self._until = clock.monotonic() + _LONGEST_SEARCH * timeout
        self._number = self._empty = 0

    def count(self, answer: Answer) -> None:
        """Take note of one page.

        Raises:
            DirectoryError: There are too many, or they take too long.
        """
        cookie = answer.result.cookie
        self._number += 1
        self._empty = 0 if answer.entries else self._empty + 1
        late = self._clock.monotonic() > self._until
        if cookie and (late or self._number >= _MOST_PAGES or self._empty >= _MOST_EMPTY_PAGES):
            raise DirectoryError(
                "search the directory",
                on=self._base,
                got=f"after {self._number} pages there was still one more",
                advice="Ask another domain controller, ask for less, or raise timeout.",
            )


@contextmanager
def open_directory(settings: Settings, clock: Clock) -> Iterator[Directory]:
    """Find a domain controller, log on once inside TLS, and yield the directory; the connection ends with the block.

    Raises:
        InvalidInput: The settings cannot be meant as they stand.
        DirectoryError: The server cannot be reached or trusted, or refuses the logon.
    """
    check_account(settings)
    reached = connect(settings, clock)
    directory = LdapDirectory(reached.name, reached.strategy, reached.root, clock)
    try:
        directory.log_on(settings)
        yield directory
    finally:
        directory.close()


def _controls(flags: int) -> t.Any:
    return security_descriptor_control(sdflags=flags) if flags else None


def with_all_values(entry: Entry, read: ReadAgain) -> Entry:
    """Return the object with the remaining parts of such attributes, which are read one after the other.

    A value that moves from one part to another while they are read, because others change the list, counts once.

    Raises:
        DirectoryError: A part is missing: the object has gone, or may not be read any more.
    """
    named = [name for name in entry.values if _RANGE in name]
    if not named:
        return entry
    values = {name: items for name, items in entry.values.items() if name not in named}
    reads = 0
    for key in named:
        part = _PART.fullmatch(key)
        if not part or int(part[2]):
            raise _incomplete(key.partition(_RANGE)[0], entry.dn, "the directory gives a part of them that is none")
        name, last = part[1], part[3]
        found = [*entry.values[part[0]]]
        while last != "*":
            reads += 1
            if reads > _MOST_PARTS:
                raise _incomplete(name, entry.dn, "there was always one more part of them")
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
    raise _incomplete(name, dn, "a part of them is missing")


def _incomplete(name: str, dn: str, got: str) -> DirectoryError:
    return DirectoryError(f"read all values of {name}", on=dn, got=got, advice="Run again.")


def _ends_behind(last: str, first: int) -> bool:
    return last == "*" or int(last) >= first
