# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Reading lists from Microsoft Graph, beta: what this collection needs exists nowhere else."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import (
    GraphError,
    explain_graph,
    graph_advice,
    json_object,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import REQUESTS_ERROR, Answer, Http, bare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import plain

if REQUESTS_ERROR is None:
    import requests

VERSION = "beta"
# https://learn.microsoft.com/graph/api/intune-odj-devicemanagementdomainjoinconnector-list
CONNECTORS = "deviceManagement/domainJoinConnectors"
CONNECTORS_PERMISSION = "DeviceManagementConfiguration.Read.All"

# What no list of a tenant comes near; beyond, somebody else is answering.
MOST_PAGES = 1000
LARGEST_LIST = 32 << 20  # characters, all pages together
LONGEST_LIST = 900.0  # seconds, waits included

Row: t.TypeAlias = "Mapping[str, object]"


class Credential(t.Protocol):
    """One way to get a token."""

    def validate(self) -> None:
        """Look at what was given, without the network.

        Raises:
            InvalidInput: It cannot work; names the option.
        """

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return a token; a fresh one when the last was refused.

        Raises:
            GraphError: Entra gives none.
        """


class Graph:
    """One session with Graph: gets a token at the first read, and another one once it is refused.

    Args:
        http: The door to the network.
        credential: The way to a token, already validated.
        base_url: Address of Graph, without a trailing slash.
    """

    def __init__(self, http: Http, credential: Credential, base_url: str) -> None:
        self._http = http
        self._credential = credential
        self._base = base_url
        self._token = ""

    def operations(self) -> dict[str, int]:
        """Return how many requests were sent, retries included, by kind: discovery, token, read."""
        return {kind: self._http.operations[kind] for kind in ("discovery", "token", "read")}

    def rows(self, path: str, *, permission: str, query: Mapping[str, str] | None = None) -> list[Row]:
        """Return all rows of a list, over all its pages.

        Args:
            path: Below the version: "deviceManagement/domainJoinConnectors".
            permission: The application permission that the list needs; for the advice when it is refused.
            query: OData options by name: {"$expand": "assignments"}.

        Raises:
            GraphError: Refused, unreachable, not an answer of Graph, or without end.
        """
        rows: list[Row] = []
        url = f"{self._base}/{VERSION}/{path}" + (f"?{urlencode(query)}" if query else "")
        seen: set[str] = set()
        started, size = self._http.monotonic(), 0
        while url:
            seen.add(url)
            answer = self._page(url, permission)
            size += len(answer.text)
            page = json_object(answer.text)
            if page is None:
                raise _strange(url, "the answer is not a JSON object")
            values = page.get("value")
            if not isinstance(values, list) or not all(isinstance(row, dict) for row in values):
                raise _strange(url, "the answer holds no list")
            rows += values
            url = self._next(page, url)
            if url in seen:
                raise _strange(url, "the link to the next page leads back to one that was read")
            endless = len(seen) >= MOST_PAGES or size > LARGEST_LIST
            if url and (endless or self._http.monotonic() - started > LONGEST_LIST):
                raise _strange(url, f"the list does not end after {len(seen)} pages with {len(rows)} rows")
        return rows

    def _next(self, page: Row, url: str) -> str:
        """Return the address of the next page, always at the host of this Graph: the token goes there."""
        link = page.get("@odata.nextLink") or ""
        if not link:
            return ""
        there, here = _split(link), _split(self._base)
        if there is None or here is None or _place(there) != _place(here):
            raise _strange(url, f"the link to the next page leads elsewhere, to {plain(str(link), 200)!r}")
        return f"{self._base}{there.path}" + (f"?{there.query}" if there.query else "")

    def _page(self, url: str, permission: str) -> Answer:
        try:
            answer = self._answered(url)
        except requests.exceptions.RequestException as error:
            raise self._http.failure("read from Graph", bare(url), error) from error
        if answer.status_code != 200:
            raise _refused(url, answer, permission)
        return answer

    def _answered(self, url: str) -> Answer:
        headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4())}
        self._token = self._token or self._credential.acquire(self._http)
        answer = self._http.read(url, self._token, headers)
        if answer.status_code == 401:
            self._token = self._credential.acquire(self._http, fresh=True)
            answer = self._http.read(url, self._token, headers)
        return answer


def read_connectors(graph: Graph) -> list[Row]:
    """Return the connectors as Graph shows them: id, displayName, lastConnectionDateTime, state, version.

    Raises:
        GraphError: As Graph.rows.
    """
    return graph.rows(CONNECTORS, permission=CONNECTORS_PERMISSION)


def _split(link: object) -> SplitResult | None:
    """Return the parts of an absolute https address without a user name; None when it is none."""
    try:
        parts = urlsplit(link) if isinstance(link, str) else None
        is_address = parts is not None and parts.scheme == "https" and "@" not in parts.netloc and parts.port != 0
    except ValueError:  # a bracket or a port that is none
        return None
    return parts if is_address else None


def _place(parts: SplitResult) -> tuple[str, int]:
    return (parts.hostname or "").rstrip("."), parts.port or 443


def _refused(url: str, answer: Answer, permission: str) -> GraphError:
    meant = explain_graph(answer.text)
    said = ": ".join(part for part in (meant.code, meant.message) if part) or answer.reason
    return GraphError(
        "read from Graph",
        on=bare(url),
        got=f"HTTP {answer.status_code}, {said}",
        advice=graph_advice(answer.status_code, permission, meant.message),
        status=answer.status_code,
        code=meant.code,
        request_id=meant.request_id or plain(answer.headers.get("request-id", ""), 100),
    )


def _strange(url: str, got: str) -> GraphError:
    advice = "Check graph_url, and that no proxy answers in the place of Graph."
    return GraphError("read from Graph", on=bare(url), got=got, advice=advice)
