# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Tokens for an application, by msal."""

from __future__ import annotations

import logging
import typing as t
from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.advice import for_entra
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import SignIn
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import GraphError
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import Http

MSAL_ERROR: ImportError | None = None
try:
    import msal
    import requests
except ImportError as error:
    MSAL_ERROR = error

# msal logs tracebacks of answers that are not JSON; without a handler they end up in the middle of a module's answer.
logging.getLogger("msal").addHandler(logging.NullHandler())

TRIED = "get a token from Entra"


class EntraApp:
    """One application that signs in as itself.

    Args:
        sign_in: Who and where.
        proof: What msal calls client_credential: a secret, or a dictionary with key and certificate.

    """

    def __init__(self, sign_in: SignIn, proof: str | Mapping[str, str]) -> None:
        self._sign_in = sign_in
        self._proof = proof
        self._app: t.Any = None
        self._on = f"application {sign_in.client_id} in tenant {sign_in.tenant_id} at {sign_in.authority_host}"

    def token(self, http: Http, *, fresh: bool) -> str:
        """Return a token for Graph; one that msal holds already unless a fresh one is wanted.

        Raises:
            GraphError: Entra refuses or cannot be reached.

        """
        try:
            answer = self._asked(http, fresh=fresh)
        except requests.exceptions.RequestException as error:
            raise http.failure(TRIED, self._on, error) from error
        except msal.exceptions.MsalServiceError as error:
            raise self._refused(str(error)) from error
        except (ValueError, KeyError) as error:
            # msal puts Entra's own answer into the inner of two errors.
            text = f"{error.__context__ or error}"
            raise self._refused(text if "AADSTS" in text else f"the answer is not one of Entra, {text}") from error
        if "access_token" not in answer:
            raise self._refused(str(answer.get("error_description") or answer.get("error") or "no token in the answer"))
        return str(answer["access_token"])

    def _asked(self, http: Http, *, fresh: bool) -> dict[str, t.Any]:
        if self._app is None:
            self._app = msal.ConfidentialClientApplication(
                self._sign_in.client_id,
                client_credential=self._proof,
                authority=f"{self._sign_in.authority_host}/{self._sign_in.tenant_id}",
                http_client=http,
                # Else msal asks login.microsoftonline.com about the host, and a wrong secret looks like a firewall.
                instance_discovery=False,
                # Else MSAL_FORCE_REGION in the environment sends the request elsewhere.
                azure_region=False,
            )
        if fresh:
            self._app.remove_tokens_for_client()
        answer = self._app.acquire_token_for_client([f"{self._sign_in.graph_url}/.default"])
        return t.cast("dict[str, t.Any]", answer)

    def _refused(self, text: str) -> GraphError:
        meant = for_entra(text)
        return GraphError(TRIED, on=self._on, got=meant.sentence, advice=meant.advice, code=meant.code)
