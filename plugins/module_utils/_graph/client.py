# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Reading lists from Microsoft Graph, beta: what this collection needs exists nowhere else.

msal and Graph both go through one door to the network (``Http``), and every request is counted there.
"""

from __future__ import annotations

import datetime
import email.utils
import random
import typing as t
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import (
    GraphError,
    explain_graph,
    graph_advice,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock

REQUESTS_ERROR: ImportError | None = None
try:
    import requests
except ImportError as error:
    REQUESTS_ERROR = error

VERSION = "beta"
# https://learn.microsoft.com/graph/api/intune-odj-devicemanagementdomainjoinconnector-list
CONNECTORS = "deviceManagement/domainJoinConnectors"
CONNECTORS_PERMISSION = "DeviceManagementConfiguration.Read.All"

# https://learn.microsoft.com/graph/throttling: wait as told; without Retry-After, back off exponentially.
WORTH_ANOTHER_TRY = frozenset({429, 503, 504})
TRIES_WHEN_BUSY = 5
TRIES_WHEN_BROKEN = 3
LONGEST_WAIT = 120.0  # seconds, at once
PATIENCE = 300.0  # seconds, in all
LONGEST_CONNECT = 10.0  # seconds

USER_AGENT = "hybridjoin.odj"

Headers: t.TypeAlias = "Mapping[str, str] | None"
Row: t.TypeAlias = "Mapping[str, object]"


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests travel.

    Attributes:
        verify: True for the authorities this computer trusts, a path of a CA bundle, or False for no check.
        proxy: Address of a proxy, or None for what the environment says.
        timeout: Seconds to wait for an answer.
    """

    verify: bool | str = True
    proxy: str | None = None
    timeout: float = 60.0


class Http:
    """One session. It has the methods that msal asks of an ``http_client``, and one for Graph.

    Everything is given with every call: the environment (REQUESTS_CA_BUNDLE, HTTPS_PROXY, .netrc) beats what a session
    holds, and msal waits for ever when nobody tells it otherwise.

    Args:
        transport: How requests travel.
        clock: Waits between tries.
        jitter: Returns a number between 0 and 1, for ``seconds_to_wait``.
    """

    def __init__(self, transport: Transport, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._transport = transport
        self._clock = clock
        self._jitter = jitter
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self.operations: Counter[str] = Counter()

    def get(self, url: str, params: object = None, headers: Headers = None, **_unused: object) -> requests.Response:
        """Pass a GET of msal: the discovery document."""
        return self._pass("discovery", "GET", url, params=params, headers=headers)

    def post(
        self, url: str, params: object = None, data: object = None, headers: Headers = None, **_unused: object
    ) -> requests.Response:
        """Pass a POST of msal: the token."""
        return self._pass("token", "POST", url, params=params, data=data, headers=headers)

    def read(self, url: str, token: str, headers: Headers = None) -> requests.Response:
        """Pass a GET of Graph with a bearer token."""
        return self._pass("read", "GET", url, headers=headers, auth=_bearer(token))

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    def failure(self, tried: str, on: str, error: Exception) -> GraphError:
        """Return the error for a request that got no answer."""
        fallback = "Check name resolution, firewall and proxy of the computer on which the module runs."
        advice_by_kind = {
            requests.exceptions.ProxyError: ("Check the option proxy, or HTTPS_PROXY and NO_PROXY in the environment."),
            requests.exceptions.SSLError: (
                "If a proxy or a lab signs with an authority of its own, name its certificate in ca_path."
            ),
            requests.exceptions.Timeout: (
                f"Nothing came within {self._transport.timeout:g} s; see the option timeout."
            ),
        }
        advice = next((text for kind, text in advice_by_kind.items() if isinstance(error, kind)), fallback)
        inner = error.args[0] if error.args else error
        return GraphError(tried, on=on, got=str(getattr(inner, "reason", None) or inner), advice=advice)

    def _pass(self, kind: str, method: str, url: str, **arguments: t.Any) -> requests.Response:
        attempt, waited = 1, 0.0
        while True:
            response = self._sent(kind, method, url, attempt, arguments)
            if response is not None and response.status_code not in WORTH_ANOTHER_TRY:
                return response
            hints = _hints(response) if response is not None else ()
            wait = seconds_to_wait(hints, attempt, self._clock.now(), self._jitter())
            waited += wait
            hopeless = attempt >= TRIES_WHEN_BUSY or wait > LONGEST_WAIT or waited > PATIENCE
            if response is not None and hopeless:
                return response
            self._clock.sleep(wait)
            attempt += 1

    def _sent(
        self, kind: str, method: str, url: str, attempt: int, arguments: Mapping[str, t.Any]
    ) -> requests.Response | None:
        """Return the answer, or None when the connection broke and the request may be sent again."""
        proxy = self._transport.proxy
        fixed: dict[str, t.Any] = {
            "auth": _as_it_is,  # without one, requests takes a password from .netrc
            "timeout": (min(LONGEST_CONNECT, self._transport.timeout), self._transport.timeout),
            "verify": self._transport.verify,
            "proxies": {"http": proxy, "https": proxy} if proxy else None,
            "allow_redirects": False,
        }
        self.operations[kind] += 1
        try:
            return self._session.request(method, url, **{**fixed, **arguments})
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            final = (requests.exceptions.SSLError, requests.exceptions.ProxyError, requests.exceptions.Timeout)
            if method != "GET" or attempt >= TRIES_WHEN_BROKEN or isinstance(error, final):
                raise
            return None


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
                raise _strange(url, "the answer holds no list")
            rows += values
            url = self._next(page, url)
            if url in seen:
                raise _strange(url, "the link to the next page leads back to one that was read")
        return rows

    def _next(self, page: Row, url: str) -> str:
        link = page.get("@odata.nextLink") or ""
        # The token goes wherever the link leads.
        if link and (not isinstance(link, str) or urlsplit(link)[:2] != urlsplit(self._base)[:2]):
            raise _strange(url, f"the link to the next page leads elsewhere, to {urlsplit(str(link)).netloc!r}")
        return str(link)

    def _page(self, url: str, permission: str) -> Row:
        try:
            response = self._answered(url)
        except requests.exceptions.RequestException as error:
            raise self._http.failure("read from Graph", _bare(url), error) from error
        if response.status_code != 200:
            raise _refused(url, response, permission)
        try:
            body = response.json()
        except ValueError as error:
            raise _strange(url, "the answer is not JSON") from error
        if not isinstance(body, dict):
            raise _strange(url, "the answer is not a JSON object")
        return t.cast(Row, body)

    def _answered(self, url: str) -> requests.Response:
        headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4())}
        self._token = self._token or self._credential.acquire(self._http)
        response = self._http.read(url, self._token, headers)
        if response.status_code == 401:
            self._token = self._credential.acquire(self._http, fresh=True)
            response = self._http.read(url, self._token, headers)
        return response


def read_connectors(graph: Graph) -> list[Row]:
    """Return the connectors as Graph shows them: id, displayName, lastConnectionDateTime, state, version.

    Raises:
        GraphError: As Graph.rows.
    """
    return graph.rows(CONNECTORS, permission=CONNECTORS_PERMISSION)


def seconds_to_wait(hints: tuple[str, ...], attempt: int, now: datetime.datetime, jitter: float) -> float:
    """Return how long to wait before the next try.

    Args:
        hints: What the service said, the best hint first: seconds or an HTTP date; what cannot be read is skipped.
        attempt: Number of tries so far, 1 or more; for the wait when there is no hint: 1, 2, 4, 8 seconds ...
        now: The present moment, in UTC.
        jitter: Between 0 and 1; spreads clients that were refused together.

    Returns:
        Seconds. A hint is taken as it is, even beyond what anyone would wait for.
    """
    for hint in hints:
        told = _seconds(hint, now)
        if told is not None:
            return told
    return min(2.0 ** (attempt - 1) + jitter, LONGEST_WAIT)


def _seconds(hint: str, now: datetime.datetime) -> float | None:
    text = hint.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max((moment - now).total_seconds(), 0.0)


def _hints(response: requests.Response) -> tuple[str, ...]:
    return response.headers.get("Retry-After", ""), explain_graph(response.text).retry_after


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return put


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _refused(url: str, response: requests.Response, permission: str) -> GraphError:
    meant = explain_graph(response.text)
    said = ": ".join(part for part in (meant.code, meant.message) if part) or response.reason
    return GraphError(
        "read from Graph",
        on=_bare(url),
        got=f"HTTP {response.status_code}, {said}",
        advice=graph_advice(response.status_code, permission),
        status=response.status_code,
        code=meant.code,
        request_id=meant.request_id or response.headers.get("request-id", ""),
    )


def _strange(url: str, got: str) -> GraphError:
    advice = "Check graph_url, and that no proxy answers in the place of Graph."
    return GraphError("read from Graph", on=_bare(url), got=got, advice=advice)


def _bare(url: str) -> str:
    return url.partition("?")[0]
