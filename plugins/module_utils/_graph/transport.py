# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one door to the network for msal and Graph: every request is counted, every answer is bounded.

Whoever answers may be a portal, a broken proxy or somebody hostile. So an answer must be there whole within the time
limit, from the lookup of the name to the last byte, and has a greatest size, before and after decompression.
"""

from __future__ import annotations

import datetime
import email.utils
import os
import queue
import random
import re
import threading
import typing as t
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import (
    GRAPH_ADVICE,
    GraphError,
    bare,
    explain_entra,
    explain_graph,
    json_object,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, plain

REQUESTS_ERROR: ImportError | None = None
try:
    import requests
    from urllib3.exceptions import HTTPError, ReadTimeoutError
except ImportError as error:
    REQUESTS_ERROR = error

# https://learn.microsoft.com/graph/throttling: wait as told; without Retry-After, back off exponentially.
BUSY = frozenset({429, 503, 504})
FAILED = frozenset({500, 502})  # worth another try of a GET, which changes nothing
TRIES_WHEN_BUSY = 5
TRIES_WHEN_BROKEN = 3
LONGEST_WAIT = 120.0  # seconds, at once
PATIENCE = 300.0  # seconds, in all
LONGEST_CONNECT = 10.0  # seconds
LARGEST_ANSWER = 8 << 20  # bytes; 20,000 connectors on one page are 5 MB
_PIECE = 1 << 16

USER_AGENT = "hybridjoin.odj"
NOT_ENTRA = (
    "Something else may have answered, such as a proxy or the sign-in page of a network: check authority_host, and the "
    "option proxy, or HTTPS_PROXY and NO_PROXY in the environment."
)

# A host as it stands in an address, with or without a port.
HOST = r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?"
# In the environment a proxy may want a password, may be a SOCKS proxy, and may go without "http://".
_PROXY_VARIABLE = re.compile(rf"(?:(?:https?|socks[45][ah]?)://)?(?:[^/?#\s\\]*@)?{HOST}/?", re.IGNORECASE)
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_USERINFO = re.compile(r"//[^/\s]*@")

Headers: t.TypeAlias = "Mapping[str, str] | None"


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests travel.

    Attributes:
        verify: True for the authorities this computer trusts, a path of a CA bundle, or False for no check.
        proxy: Address of a proxy, or None for what the environment says.
        timeout: Seconds within which an answer must have come whole.
    """

    verify: bool | str = True
    proxy: str | None = None
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end; msal reads status_code, headers and text of it.

    Attributes:
        status_code: HTTP status.
        reason: The phrase behind it, shortened.
        headers: By name, in any case.
        text: The body, decompressed, as UTF-8; what is no UTF-8 is replaced.
    """

    status_code: int
    reason: str
    headers: Mapping[str, str]
    text: str


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
        self._session.headers["Accept-Encoding"] = "gzip"
        self.operations: Counter[str] = Counter()

    def get(self, url: str, params: object = None, headers: Headers = None, **_unused: object) -> Answer:
        """Pass a GET of msal: the discovery document.

        Raises:
            GraphError: Something else than Entra has answered.
        """
        answer = _of_entra(url, self._pass("discovery", "GET", url, params=params, headers=headers))
        document = json_object(answer.text) or {}
        names = ("authorization_endpoint", "token_endpoint")
        if answer.status_code == 200 and not all(isinstance(document.get(name), str) for name in names):
            raise _not_entra(url, "the answer names no token endpoint", 200)
        return answer

    def post(
        self, url: str, params: object = None, data: object = None, headers: Headers = None, **_unused: object
    ) -> Answer:
        """Pass a POST of msal: the token.

        Raises:
            GraphError: Something else than Entra has answered.
        """
        return _of_entra(url, self._pass("token", "POST", url, params=params, data=data, headers=headers))

    def read(self, url: str, token: str, headers: Headers = None) -> Answer:
        """Pass a GET of Graph with a bearer token.

        Raises:
            GraphError: There is no answer.
        """
        try:
            return self._pass("read", "GET", url, headers=headers, auth=_bearer(token))
        except requests.exceptions.RequestException as error:
            raise self.failure("read from Graph", bare(url), error) from error

    def monotonic(self) -> float:
        """Return the seconds of the clock that the waits are taken from."""
        return self._clock.monotonic()

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    def failure(self, tried: str, on: str, error: Exception) -> GraphError:
        """Return the error for a request that got no answer."""
        fallback = "Check name resolution, firewall and proxy of the computer on which the module runs."
        advice_by_kind = {
            requests.exceptions.ProxyError: "Check the option proxy, or HTTPS_PROXY and NO_PROXY in the environment.",
            requests.exceptions.SSLError: (
                "If a proxy or a lab signs with an authority of its own, name its certificate in ca_path."
            ),
            requests.exceptions.ConnectTimeout: fallback,
            requests.exceptions.Timeout: (
                f"No whole answer came within {self._transport.timeout:g} s; see the option timeout."
            ),
            requests.exceptions.ContentDecodingError: (
                "Something else may have answered, such as a proxy: check the addresses and the proxy."
            ),
        }
        advice = next((text for kind, text in advice_by_kind.items() if isinstance(error, kind)), fallback)
        inner = error.args[0] if error.args else error
        got = plain(str(getattr(inner, "reason", None) or inner), 500)
        return GraphError(tried, on=on, got=_USERINFO.sub("//", got), advice=advice)

    def _pass(self, kind: str, method: str, url: str, **arguments: t.Any) -> Answer:
        attempt, waited = 1, 0.0
        while True:
            answer = self._sent(kind, method, url, attempt, arguments)
            if answer is not None and not _worth_another_try(method, answer.status_code, attempt):
                return answer
            hints = _hints(answer) if answer is not None else ()
            wait = seconds_to_wait(hints, attempt, self._clock.now(), self._jitter())
            waited += wait
            if answer is not None and (wait > LONGEST_WAIT or waited > PATIENCE):
                return answer
            self._clock.sleep(wait)
            attempt += 1

    def _sent(self, kind: str, method: str, url: str, attempt: int, arguments: Mapping[str, t.Any]) -> Answer | None:
        """Return the answer, or None when the connection broke and the request may be sent again."""
        proxy = self._transport.proxy
        fixed: dict[str, t.Any] = {
            "auth": _as_it_is,  # without one, requests takes a password from .netrc
            "timeout": (min(LONGEST_CONNECT, self._transport.timeout), self._transport.timeout),
            "verify": self._transport.verify,
            "proxies": {"http": proxy, "https": proxy} if proxy else None,
            "allow_redirects": False,
            "stream": True,
        }
        self.operations[kind] += 1
        try:
            return _whole(lambda: self._requested(method, url, {**fixed, **arguments}), self._transport.timeout)
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            final = (requests.exceptions.SSLError, requests.exceptions.ProxyError, requests.exceptions.Timeout)
            if method != "GET" or attempt >= TRIES_WHEN_BROKEN or isinstance(error, final):
                raise
            return None

    def _requested(self, method: str, url: str, arguments: Mapping[str, t.Any]) -> requests.Response:
        try:
            return self._session.request(method, url, **arguments)
        except requests.exceptions.RequestException:
            raise
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            # Some of what lies below comes through as it is: a host with a label that is empty, for one.
            raise requests.exceptions.RequestException(error) from error


def check_environment_proxy(urls: Iterable[str]) -> None:
    """Look at the proxy that the environment names for some addresses, before anybody puts parts of it into messages.

    Raises:
        InvalidInput: It is malformed, most often by a password that is not percent-encoded. Nothing of it is shown.
    """
    for url in urls:
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        if proxy and not (_PROXY_VARIABLE.fullmatch(proxy) and is_port(proxy)):
            names = [name for name in _PROXY_VARIABLES if os.environ.get(name) == proxy]
            raise InvalidInput(
                "read the proxy",
                on=f"the environment variable {names[0]}" if names else "the proxy of this computer",
                got="it is malformed, and not shown since it may hold a password",
                advice="Write it like http://user:password@proxy.example.com:8080; percent-encode other characters "
                "than letters and digits in user and password (%23 for #).",
                hidden=may_hold_password(proxy),
            )


def may_hold_password(address: str) -> tuple[str, ...]:
    """Return the parts of an output that must not be shown when an address is not what it should be.

    A text without any mark of an address is left out: it holds no password, and would blacken half the output.
    """
    text = address.strip()
    return (text,) if len(text) >= 5 and set(text) & set(":/@#") else ()


def is_port(address: str) -> bool:
    """Return whether an address has a possible port at its end, or none."""
    port = re.search(r":(\d+)/?$", address)
    return port is None or 0 < int(port[1]) < 65536


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
    text = hint.strip()[:100]
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return max((moment - now).total_seconds(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):  # all of them come from texts that are no dates
        return None


def _worth_another_try(method: str, status: int, attempt: int) -> bool:
    if status in BUSY:
        return attempt < TRIES_WHEN_BUSY
    return status in FAILED and method == "GET" and attempt < TRIES_WHEN_BROKEN


def _hints(answer: Answer) -> tuple[str, ...]:
    return answer.headers.get("Retry-After", ""), explain_graph(answer.text).retry_after


def _whole(send: Callable[[], requests.Response], seconds: float) -> Answer:
    """Return the answer to a request, when all of it is there in time.

    In a thread of its own: a limit of a socket counts for each piece anew, and looking up a name has none at all. A
    thread that is given up ends with its connection, at the latest with the process.

    Raises:
        RequestException: There is no answer, not in time, or more of it than anyone needs.
    """
    done: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
    given_up = threading.Event()

    def work() -> None:
        try:
            done.put(_read(send(), given_up))
        except BaseException as error:  # raised again by whoever waits
            done.put(error)

    threading.Thread(target=work, name="hybridjoin.odj request", daemon=True).start()
    try:
        outcome = done.get(timeout=seconds)
    except queue.Empty:
        given_up.set()
        raise requests.exceptions.ReadTimeout(f"the answer was not complete after {seconds:g} s") from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _read(response: requests.Response, given_up: threading.Event) -> Answer:
    with response:
        pieces: list[bytes] = []
        size = 0
        try:
            # Not urllib3's own loop over chunks, which believes every length and decompresses whatever comes of it.
            while size <= LARGEST_ANSWER and not given_up.is_set():
                if not (piece := response.raw.read(_PIECE, decode_content=False)):
                    break
                size += len(piece)
                pieces.append(piece)
        except ReadTimeoutError as error:
            raise requests.exceptions.ReadTimeout(error) from error
        except HTTPError as error:
            raise requests.exceptions.ChunkedEncodingError(error) from error
    if size > LARGEST_ANSWER:
        raise _too_large()
    body = _inflated(b"".join(pieces), response.headers.get("Content-Encoding", ""))
    text = body.decode("utf-8-sig", errors="replace")
    return Answer(response.status_code, plain(response.reason or "", 100), response.headers, text)


def _inflated(data: bytes, encoding: str) -> bytes:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity") or not data:
        return data
    if encoding not in ("gzip", "x-gzip"):
        raise requests.exceptions.ContentDecodingError(f"the answer is encoded as {plain(encoding, 50)!r}")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = inflater.decompress(data, LARGEST_ANSWER + 1)
    except zlib.error as error:
        raise requests.exceptions.ContentDecodingError(f"the answer is no gzip: {error}") from error
    if len(body) > LARGEST_ANSWER:
        raise _too_large()
    if not inflater.eof:
        raise requests.exceptions.ContentDecodingError("the answer is a gzip without its end")
    return body


def _too_large() -> requests.exceptions.ContentDecodingError:
    return requests.exceptions.ContentDecodingError(f"the answer has more than {LARGEST_ANSWER} bytes")


def _of_entra(url: str, answer: Answer) -> Answer:
    """Return an answer that msal can be given: an object of JSON, and no failure of the service."""
    status, is_json = answer.status_code, json_object(answer.text) is not None
    if (status >= 500 and (is_json or status in BUSY)) or (status in BUSY and not is_json):
        meant = explain_entra(answer.text)
        raise GraphError(
            "get a token from Entra",
            on=bare(url),
            got=f"HTTP {status}, {meant.sentence if meant.code else answer.reason}",
            advice=GRAPH_ADVICE.get(status, GRAPH_ADVICE[503]),
            status=status,
            code=meant.code,
        )
    if not is_json or (status != 200 and not 400 <= status < 500):
        kind = plain(answer.headers.get("Content-Type", "") or "no type", 100)
        raise _not_entra(url, f"HTTP {status} {answer.reason}, {kind}, is no answer of Entra", status)
    return answer


def _not_entra(url: str, got: str, status: int) -> GraphError:
    return GraphError("get a token from Entra", on=bare(url), got=got, advice=NOT_ENTRA, status=status)


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return put


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
