# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What to do about the refusals that people meet: codes of Entra, statuses of Graph."""

from __future__ import annotations

import re
from dataclasses import dataclass

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
ENTRA = {
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
GRAPH = {
    400: "The service does not understand the request; report it with the request id.",
    401: "The token is not accepted: check that it was made for this Graph and is not expired.",
    404: "It does not exist, or not in this tenant.",
    429: "Too many requests from this tenant: try again later, or run with fewer tasks at once.",
    503: "The service is not available now: try again later.",
    504: "The service did not answer in time: try again later.",
}
ANY_GRAPH = "If it stays, give the request id to Microsoft support."

_CODE = re.compile(r"AADSTS(\d+)")
_SENTENCE = re.compile(r"AADSTS\d+: .*?(?=\s*(?:Trace ID:|\\|\"|\n|$))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EntraAnswer:
    """A refusal of Entra.

    Attributes:
        code: "AADSTS7000222", or "" when the text holds none.
        sentence: Entra's own sentence without trace ids.
        advice: What to do.

    """

    code: str
    sentence: str
    advice: str


def for_entra(text: str) -> EntraAnswer:
    """Return what Entra meant with an error text, wherever in it the code stands."""
    code, sentence = _CODE.search(text), _SENTENCE.search(text)
    if code is None:
        return EntraAnswer("", " ".join(text.split())[:300], "Check tenant_id, client_id and authority_host.")
    advice = ENTRA.get(code[1], f"Look the code up at https://login.microsoftonline.com/error?code={code[1]}")
    return EntraAnswer(code[0], sentence[0].strip() if sentence else code[0], advice)


def for_graph(status: int, permission: str) -> str:
    """Return what to do about a status of Graph; the permission is the one that the request needs."""
    if status == 403:
        return f"The app registration needs the application permission {permission}, with an administrator's consent."
    return GRAPH.get(status, ANY_GRAPH)
