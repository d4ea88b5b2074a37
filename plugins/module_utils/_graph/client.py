# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Reading lists from Microsoft Graph, beta: what this collection needs exists nowhere else."""

from __future__ import annotations

import typing as t
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.advice import for_graph
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import Credential
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import GraphError
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import REQUESTS_ERROR, Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.unfold import explain

if REQUESTS_ERROR is None:
    import requests

Row: t.TypeAlias = "Mapping[str, object]"
VERSION = "beta"


class Graph:
    """One session with Graph: signs in at the first read, and once more when a token is refused.

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
            GraphError: Refused, unreachable, or not an answer of Graph.

        """
        rows: list[Row] = []
        url = f"{self._base}/{VERSION}/{path}" + (f"?{urlencode(query)}" if query else "")
        seen: set[str] = set()
        while url:
            seen.add(url)
            page = self._page(url, permission)
            values = page.get("value")
            if not isinstance(values, list) or not all(isinstance(row, dict) for row in values):
                raise self._strange(url, "the answer holds no list")
            rows += values
            url = self._next(page, url)
            if url in seen:
                raise self._strange(url, "the link to the next page leads back to one that was read")
        return rows

    def _next(self, page: Row, url: str) -> str:
        link = page.get("@odata.nextLink") or ""
        # The token goes wherever the link leads.
        if link and (not isinstance(link, str) or urlsplit(link)[:2] != urlsplit(self._base)[:2]):
            raise self._strange(url, f"the link to the next page leads elsewhere, to {urlsplit(str(link)).netloc!r}")
        return str(link)

    def _page(self, url: str, permission: str) -> Row:
        try:
            response = self._answered(url)
        except requests.exceptions.RequestException as error:
            raise self._http.failure("read from Graph", _bare(url), error) from error
        if response.status_code != 200:
            raise self._refused(url, response, permission)
        try:
            body = response.json()
        except ValueError as error:
            raise self._strange(url, "the answer is not JSON") from error
        if not isinstance(body, dict):
            raise self._strange(url, "the answer is not a JSON object")
        return t.cast(Row, body)

    def _answered(self, url: str) -> requests.Response:
        headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4())}
        self._token = self._token or self._credential.acquire(self._http)
        response = self._http.read(url, self._token, headers)
        if response.status_code == 401:
            self._token = self._credential.acquire(self._http, fresh=True)
            response = self._http.read(url, self._token, headers)
        return response

    def _refused(self, url: str, response: requests.Response, permission: str) -> GraphError:
        meant = explain(response.text)
        said = ": ".join(part for part in (meant.code, meant.message) if part) or response.reason
        return GraphError(
            "read from Graph",
            on=_bare(url),
            got=f"HTTP {response.status_code}, {said}",
            advice=for_graph(response.status_code, permission),
            status=response.status_code,
            code=meant.code,
            request_id=meant.request_id or response.headers.get("request-id", ""),
        )

    def _strange(self, url: str, got: str) -> GraphError:
        advice = "Check graph_url, and that no proxy answers in the place of Graph."
        return GraphError("read from Graph", on=_bare(url), got=got, advice=advice)


def _bare(url: str) -> str:
    return url.partition("?")[0]
