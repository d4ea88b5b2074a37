# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Sign-in with a client secret."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import SignIn, validate_app
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.entra import EntraApp
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput


class SecretCredential:
    """A client secret of the app registration."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._app = EntraApp(sign_in, sign_in.client_secret)

    def validate(self) -> None:
        """Check that tenant, application and secret are there."""
        validate_app(self._sign_in)
        if not self._sign_in.client_secret:
            raise InvalidInput(
                "sign in to Entra",
                on="client_secret",
                got="it is not set",
                advice="Give the secret's value, or set AZURE_SECRET or AZURE_CLIENT_SECRET.",
            )

    def acquire(self, http: Http, *, fresh: bool = False) -> str:
        """Return a token."""
        return self._app.token(http, fresh=fresh)
