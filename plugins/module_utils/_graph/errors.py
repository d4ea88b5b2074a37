# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What Entra and Graph refuse: the error, what their answers say in one line, and what to do about it."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError, plain

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
