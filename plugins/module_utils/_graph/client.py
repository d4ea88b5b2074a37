# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Reading lists from Microsoft Graph, beta, and what it and Entra mean when they refuse.

No other library reads what this collection needs.
"""

from __future__ import annotations

import json
import re
import typing as t
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode, urlsplit

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError, plain

if t.TYPE_CHECKING:
    from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import Answer, Http

VERSION = "beta"
# https://learn.microsoft.com/graph/api/intune-odj-devicemanagementdomainjoinconnector-list
CONNECTORS = "deviceManagement/domainJoinConnectors"
CONNECTORS_PERMISSION = "DeviceManagementConfiguration.Read.All"

# What no list of a tenant comes near; beyond, somebody else is answering.
MOST_PAGES = 1000
LARGEST_LIST = 32 << 20  # characters, all pages together
LONGEST_LIST = 900.0  # seconds, waits included

Row: t.TypeAlias = "Mapping[str, object]"

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
ENTRA_ADVICE = {
    "7000215": "The client secret is wrong: give the secret's value, which is not its id, from this app registration.",
    "7000222": "The client secret has expired: make a new one in the app registration and give its value.",
    "700016": "Entra does not know this client_id in this tenant: check client_id, tenant_id and cloud_environment.",
    "90002": "Entra does not know this tenant: check tenant_id and cloud_environment.",
    "900023": "Entra cannot read this tenant: tenant_id is the directory's id or one of its domain names.",
    "700027": "Upload this certificate (its public part) to the app registration, or give the one that is there.",
    "700024": "The signed request is outside its time: check the clock of the computer on which the module runs.",
    "1002012": "The address of Graph does not suit this sign-in: check graph_url and cloud_environment.",
    "500011": "The tenant has no such Graph: check graph_url and cloud_environment, which belong together.",
    "53003": "A Conditional Access policy blocks this application: have it excluded, or run from a permitted place.",
}
GRAPH_ADVICE = {
    400: "The service does not understand the request; report it with the request id.",
    401: "The token is not accepted: check that it was made for this Graph and is not expired.",
    404: "It does not exist, or not in this tenant.",
    429: "Too many requests from this tenant: try again later, or run with fewer tasks at once.",
    503: "The service is not available now: try again later.",
    504: "The service did not answer in time: try again later.",
}
ANY_GRAPH_ADVICE = "If it stays, give the request id to Microsoft support."
NOT_GRAPH_ADVICE = "Something else may have answered, such as a proxy: check graph_url and the proxy."
# Intune's words for a tenant that it does not serve.
NO_INTUNE = "not applicable to target tenant"
NO_INTUNE_ADVICE = "The tenant has no Intune licence, or tenant_id and client_id are those of another tenant."

_LEVELS = 3  # Graph, the Intune gateway, the service behind it
_LONGEST = 4000  # characters of a refusal that are looked at; real ones have some hundred
_FOR_SUPPORT = re.compile(r"\s*-\s*Operation ID \(for customer support\):.*", re.DOTALL)
_CODE = re.compile(r"AADSTS(\d{1,12})")
_SENTENCE = re.compile(r"AADSTS\d{1,12}: .*?(?=\s*(?:Trace ID:|\\|\"|\n|$))", re.DOTALL)


class GraphError(OdjError):
    """Entra or Graph refused, or could not be reached.

    Args:
        tried: As in OdjError.
        on: As in OdjError; an address without query, or an application.
        got: As in OdjError.
        advice: As in OdjError.
        status: HTTP status, or 0 when no answer came.
        code: The service's own code: "AADSTS7000222", "Forbidden"; "" when it gave none.
        request_id: Under which Microsoft support finds the request; "" when the answer had none.
    """

    def __init__(
        self,
        tried: str,
        *,
        on: str = "",
        got: str = "",
        advice: str = "",
        status: int = 0,
        code: str = "",
        request_id: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.request_id = request_id
        super().__init__(tried, on=on, got=got, advice=advice)

    def to_json(self) -> dict[str, str]:
        """Return the parts for a task result: the four of OdjError, and status, code and request_id as text."""
        own = {"status": str(self.status or ""), "code": self.code, "request_id": self.request_id}
        return {**super().to_json(), **own}


@dataclass(frozen=True, slots=True)
class GraphRefusal:
    """A refusal of Graph, unfolded.

    Attributes:
        code: The most telling code: an inner ErrorCode before Graph's own; "" when there is none.
        message: The innermost text, without Intune's internal address; "" when there is none.
        retry_after: RetryAfter of the Intune body as text; "" when there is none.
        request_id: "" when there is none.
    """

    code: str = ""
    message: str = ""
    retry_after: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class EntraRefusal:
    """A refusal of Entra.

    Attributes:
        code: "AADSTS7000222", or "" when the text holds none.
        sentence: Entra's own sentence without trace ids.
        advice: What to do.
    """

    code: str
    sentence: str
    advice: str


def explain_graph(body: str) -> GraphRefusal:
    """Return what the text of an error answer says; a text that is not JSON is its own message, shortened."""
    error = (json_object(body) or {}).get("error")
    if not isinstance(error, Mapping):
        return GraphRefusal(message=plain(body, 200))
    code, message, retry_after = _text(error, "code"), _text(error, "message"), ""
    for _level in range(_LEVELS):
        inner = json_object(message)
        if not inner:
            break
        code = _text(inner, "ErrorCode") or code
        message = _text(inner, "CustomApiErrorPhrase") or _text(inner, "Message")
        retry_after = _text(inner, "RetryAfter") or retry_after
    message = plain(_FOR_SUPPORT.sub("", message[:_LONGEST]), 1000)
    return GraphRefusal(plain(code, 100), message, retry_after[:100], plain(_request_id(error), 100))


def graph_advice(status: int, permission: str, message: str = "") -> str:
    """Return what to do about a refusal of Graph.

    Args:
        status: HTTP status.
        permission: The application permission that the request needs.
        message: What Graph said.
    """
    if status == 403:
        return f"The app registration needs the application permission {permission}, with an administrator's consent."
    if NO_INTUNE in message.casefold():
        return NO_INTUNE_ADVICE
    if 300 <= status < 400:
        return NOT_GRAPH_ADVICE
    return GRAPH_ADVICE.get(status, ANY_GRAPH_ADVICE)


def explain_entra(text: str) -> EntraRefusal:
    """Return what Entra meant with an error text, wherever in it the code stands."""
    start = max(text.find("AADSTS") - 100, 0)
    text = text[start : start + _LONGEST]
    code, sentence = _CODE.search(text), _SENTENCE.search(text)
    if code is None:
        return EntraRefusal("", plain(text, 300), "Check tenant_id, client_id and authority_host.")
    advice = ENTRA_ADVICE.get(code[1], f"Look the code up at https://login.microsoftonline.com/error?code={code[1]}")
    return EntraRefusal(code[0], plain(sentence[0], 1000) if sentence else code[0], advice)


def json_object(text: str) -> Mapping[str, object] | None:
    """Return the JSON object that a text is; None when it is none, or one that is nested beyond all measure."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return t.cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def _request_id(error: Mapping[str, object]) -> str:
    # Both spellings are seen: https://learn.microsoft.com/graph/errors
    inner = error.get("innerError", error.get("innererror"))
    return _text(inner, "request-id") if isinstance(inner, Mapping) else ""


def bare(url: str) -> str:
    """Return an address without its query, shortened; "" when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:300]


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
        answer = self._answered(url)
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
