# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a way to sign in offers, and what it is made from."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import Http
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signs in, where, with what; unused parts are empty.

    Attributes:
        authority_host: Address of Entra, without a trailing slash.
        graph_url: Address of Graph, without a trailing slash; the token is for it.
        tenant_id: Id or a domain name of the tenant.
        client_id: Id of the app registration.
        client_secret: Value of a secret.
        certificate_path: PEM with key and certificate, or PFX.
        certificate_password: Opens the key.
        access_token: A token made elsewhere.

    """

    authority_host: str
    graph_url: str
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    certificate_path: str = ""
    certificate_password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)


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


def validate_app(sign_in: SignIn) -> None:
    """Check tenant and application, which every way but a ready token needs.

    Raises:
        InvalidInput: Names the option that is missing or cannot be meant.

    """
    tenant, client = sign_in.tenant_id, sign_in.client_id
    if not (_GUID.fullmatch(tenant) or _DOMAIN.fullmatch(tenant)):
        raise InvalidInput(
            "sign in to Entra",
            on="tenant_id",
            got=f"{tenant!r} is neither a GUID nor a domain name" if tenant else "it is not set",
            advice="Give the directory id of the tenant, or set AZURE_TENANT or AZURE_TENANT_ID.",
        )
    if not _GUID.fullmatch(client):
        raise InvalidInput(
            "sign in to Entra",
            on="client_id",
            got=f"{client!r} is not a GUID" if client else "it is not set",
            advice="Give the application (client) id of the app registration, or set AZURE_CLIENT_ID.",
        )
