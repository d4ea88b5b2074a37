# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one door to the directory: one bind, one domain controller, every operation counted where it passes."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.connection import connect, secure
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import (
    Attributes,
    Directory,
    Entry,
    Settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import (
    refused,
    unreachable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import Filter
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

try:
    from ldap3.core.exceptions import LDAPException
    from ldap3.protocol.microsoft import security_descriptor_control
except ImportError as error:
    LDAP3_IMPORT_ERROR: ImportError | None = error
else:
    LDAP3_IMPORT_ERROR = None

OWNER, DACL = 1, 4  # LDAP_SERVER_SD_FLAGS_OID, MS-ADTS 3.1.1.3.4.1.11
PAGE = 500
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
OPERATIONS = ("bind", "search", "modify", "add", "delete")


class LdapDirectory:
    """A directory behind a bound ldap3 connection."""

    def __init__(self, settings: Settings, connection: t.Any) -> None:
        self._server = settings.server
        self._connection = connection
        self._counts: Counter[str] = Counter()

    def bind(self, username: str) -> None:
        """Log on with what the connection was given."""
        self._pass("bind", f"log on as {username}", self._server, self._connection.bind)

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
        paged = PAGE if scope != "base" else None
        cookie: bytes | None = None
        found: list[Entry] = []
        while True:
            self._pass(
                "search", "search the directory", base, self._connection.search, base, str(where), scope.upper(),
                attributes=list(attributes), controls=_controls(dacl, owner), paged_size=paged, paged_cookie=cookie,
            )  # fmt: skip
            found += [_entry(item) for item in self._connection.response or () if item["type"] == "searchResEntry"]
            controls = self._connection.result.get("controls") or {}
            cookie = controls.get(_PAGED_RESULTS, {}).get("value", {}).get("cookie")
            if not cookie:
                return found

    def modify(self, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool = False) -> None:
        """See Directory."""
        request = {name: [(f"MODIFY_{verb.upper()}", list(values))] for name, (verb, values) in changes.items()}
        tried = f"change {', '.join(changes)}"
        self._pass("modify", tried, dn, self._connection.modify, dn, request, controls=_controls(dacl))

    def add(self, dn: str, object_class: str, attributes: Attributes) -> None:
        """See Directory."""
        values = {name: list(items) for name, items in attributes.items()}
        self._pass("add", f"create the {object_class}", dn, self._connection.add, dn, object_class, values)

    def delete(self, dn: str) -> None:
        """See Directory."""
        self._pass("delete", "remove the object", dn, self._connection.delete, dn)

    def facts(self) -> dict[str, t.Any]:
        """See Directory."""
        return {"server": self._server, "operations": {name: self._counts[name] for name in OPERATIONS}}

    def close(self) -> None:
        """End the connection; says nothing when that fails."""
        with suppress(LDAPException, OSError):
            self._connection.unbind()

    def _pass(self, operation: str, tried: str, on: str, call: Callable[..., t.Any], *args: t.Any, **kw: t.Any) -> None:
        """Let one operation through: every request to the directory goes this way."""
        self._counts[operation] += 1
        try:
            call(*args, **kw)
        except LDAPException as problem:
            reason = self._connection.last_error or str(problem)
            raise unreachable(tried, on or self._server, reason) from problem
        result = self._connection.result
        if result["result"] != 0:
            raise refused(tried, on, result["result"], result["description"], result["message"] or "")


@contextmanager
def open_directory(settings: Settings) -> Iterator[Directory]:
    """Connect over TLS, log on once, and yield the directory; the connection ends with the block.

    Raises:
        InvalidInput: The settings cannot be meant as they stand.
        DirectoryError: The server cannot be reached or trusted, or refuses the logon.

    """
    if not settings.username.strip() or not settings.password:
        raise InvalidInput("log on to the directory", on=settings.server, got="username or password is empty")
    connection = connect(settings)
    directory = LdapDirectory(settings, connection)
    try:
        secure(settings, connection)
        directory.bind(settings.username)
        yield directory
    finally:
        directory.close()


def _controls(dacl: bool, owner: bool = False) -> t.Any:
    return security_descriptor_control(sdflags=DACL | (OWNER if owner else 0)) if dacl else None


def _entry(item: Mapping[str, t.Any]) -> Entry:
    return Entry(item["dn"], {name.lower(): tuple(values) for name, values in item["raw_attributes"].items()})
