# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Which way to sign in is meant."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential import Credential, SignIn
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential_certificate import CertificateCredential
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential_secret import SecretCredential
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential_token import TokenCredential
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

# In the order in which "auto" looks: source -> part of SignIn that says it is meant, and its maker.
SOURCES: dict[str, tuple[str, Callable[[SignIn, Clock], Credential]]] = {
    "token": ("access_token", lambda sign_in, clock: TokenCredential(sign_in)),
    "certificate": ("certificate_path", CertificateCredential),
    "secret": ("client_secret", lambda sign_in, clock: SecretCredential(sign_in)),
}


def choose(source: str, sign_in: SignIn, clock: Clock) -> Credential:
    """Return the credential of a source, checked; for "auto" the first whose option is set.

    Raises:
        InvalidInput: Nothing to sign in with, or it cannot work.

    """
    given = [name for name, (option, _make) in SOURCES.items() if getattr(sign_in, option)]
    meant = given[:1] if source == "auto" else [source]
    if not meant:
        raise InvalidInput(
            "sign in to Entra",
            on=" or ".join(option for option, _make in reversed(SOURCES.values())),
            got="none of them is set",
            advice="Give one of them, or set AZURE_SECRET, AZURE_CLIENT_SECRET, AZURE_X509_CERTIFICATE_PATH, "
            "AZURE_CLIENT_CERTIFICATE_PATH or MSGRAPH_ACCESS_TOKEN to something that is not empty.",
        )
    credential = SOURCES[meant[0]][1](sign_in, clock)
    credential.validate()
    return credential
