# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an error body of Graph says, in one line; Intune wraps its own answer into Graph's as JSON text, even twice."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

LEVELS = 3  # Graph, the Intune gateway, the service behind it
_FOR_SUPPORT = re.compile(r"\s*-\s*Operation ID \(for customer support\):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error body, unfolded.

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


def explain(body: str) -> Explanation:
    """Return what the text of an error answer says; a text that is not JSON is its own message, shortened."""
    error = _parsed(body).get("error")
    if not isinstance(error, Mapping):
        return Explanation(message=" ".join(body.split())[:200])
    code, message, retry_after = _text(error, "code"), _text(error, "message"), ""
    for _level in range(LEVELS):
        inner = _parsed(message)
        if not inner:
            break
        code = _text(inner, "ErrorCode") or code
        message = _text(inner, "CustomApiErrorPhrase") or _text(inner, "Message")
        retry_after = _text(inner, "RetryAfter") or retry_after
    return Explanation(code, _FOR_SUPPORT.sub("", message).strip(), retry_after, _request_id(error))


def _parsed(text: str) -> Mapping[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return t.cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def _request_id(error: Mapping[str, object]) -> str:
    # Both spellings are seen: https://learn.microsoft.com/graph/errors
    inner = error.get("innerError", error.get("innererror"))
    return _text(inner, "request-id") if isinstance(inner, Mapping) else ""
