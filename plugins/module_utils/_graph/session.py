# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The only door to the network: msal and Graph both go through one object, and every request is counted there."""

from __future__ import annotations

import random
import typing as t
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import GraphError
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.retry import (
    LONGEST_WAIT,
    PATIENCE,
    TRIES_WHEN_BROKEN,
    TRIES_WHEN_BUSY,
    WORTH_ANOTHER_TRY,
    seconds_to_wait,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.unfold import explain

REQUESTS_ERROR: ImportError | None = None
try:
    import requests
except ImportError as error:
    REQUESTS_ERROR = error

USER_AGENT = "hybridjoin.odj"
LONGEST_CONNECT = 10.0
Headers: t.TypeAlias = "Mapping[str, str] | None"


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
        kinds: tuple[tuple[type[Exception], str], ...] = (
            (requests.exceptions.ProxyError, "Check the option proxy, or HTTPS_PROXY and NO_PROXY in the environment."),
            (
                requests.exceptions.SSLError,
                "If a proxy or a lab signs with an authority of its own, name its certificate in ca_path.",
            ),
            (
                requests.exceptions.Timeout,
                f"Nothing came within {self._transport.timeout:g} s; see the option timeout.",
            ),
        )
        fallback = "Check name resolution, firewall and proxy of the computer on which the module runs."
        advice = next((text for kind, text in kinds if isinstance(error, kind)), fallback)
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
            "auth": _as_it_is,
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


def _hints(response: requests.Response) -> tuple[str, ...]:
    return response.headers.get("Retry-After", ""), explain(response.text).retry_after


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return put


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
