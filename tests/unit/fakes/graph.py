# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins around the Graph adapter: a session that answers from a script, a credential that gives out numbers."""

from __future__ import annotations

import io
import json
import typing as t
from collections.abc import Callable, Iterable

import pytest
import requests
import urllib3

Step: t.TypeAlias = "requests.Response | Exception"


class FakeSession:
    """Answers each request with the next step of its script, and keeps what it was given."""

    def __init__(self, script: Iterable[Step]) -> None:
        self.headers: dict[str, str] = {}
        self.sent: list[dict[str, t.Any]] = []
        self.closed = False
        self._script = iter(script)

    def request(self, method: str, url: str, **arguments: t.Any) -> requests.Response:
        prepared = requests.Request(method, url, headers=arguments.pop("headers", None)).prepare()
        arguments["auth"](prepared)
        self.sent.append({"method": method, "url": url, "headers": dict(prepared.headers), **arguments})
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed = True


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> requests.Response:
    """Return a response; a body that is neither text nor bytes goes out as JSON."""
    response = requests.Response()
    response.status_code = status
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    response.raw = urllib3.HTTPResponse(io.BytesIO(data), headers, status, preload_content=False)
    response.headers.update(headers or {})
    return response


def put_in_place(monkeypatch: pytest.MonkeyPatch, script: Iterable[Step]) -> FakeSession:
    """Let the next session of requests be one with this script."""
    session = FakeSession(script)
    make: Callable[[], FakeSession] = lambda: session  # noqa: E731
    monkeypatch.setattr(requests, "Session", make)
    return session


class FakeCredential:
    """Gives out token-1, token-2 ...; a new one only when a fresh one is wanted."""

    def __init__(self) -> None:
        self.made = 1

    def validate(self) -> None:
        """Nothing to check."""

    def acquire(self, http: object, *, fresh: bool = False) -> str:
        self.made += fresh
        return f"token-{self.made}"
