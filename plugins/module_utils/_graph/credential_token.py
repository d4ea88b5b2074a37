# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""A token that somebody else has made: a credential plugin of the automation platform, Azure CLI, a test."""

from __future__ import annotations

import re

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import SignIn
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import GraphError
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

# The characters of a bearer token: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class TokenCredential:
    """A ready access token; it cannot be renewed here."""

    def __init__(self, sign_in: SignIn) -> None:
        self._token = sign_in.access_token

    def validate(self) -> None:
        """Check that it can be a token."""
        if not _BEARER.fullmatch(self._token):
            raise InvalidInput(
                "use the access token",
                on="access_token",
                got="it holds characters that no token has" if self._token else "it is not set",
                advice="Give the bare token, without the word Bearer and without line ends.",
            )

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return the token."""
        if fresh:
            raise GraphError(
                "read from Graph",
                on="access_token",
                got="the token is refused: it is expired, revoked, or made for something else",
                advice="Give a new token, made for the scope <graph_url>/.default.",
                status=401,
            )
        return self._token
