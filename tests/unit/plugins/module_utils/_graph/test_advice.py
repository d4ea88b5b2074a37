# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.errors import for_entra, for_graph

SECRET = "AADSTS7000222: The provided client secret keys for app 'x' are expired. Trace ID: 1 Correlation ID: 2"
DISCOVERY = (
    'OIDC Discovery failed on https://x/y. HTTP status: 400, Error: {"error":"invalid_tenant",'
    '"error_description":"AADSTS90002: Tenant \'nope\' not found. Check it.\\r\\nTrace ID: 3","error_codes":[90002]}'
)


def test_a_known_code_becomes_what_to_do() -> None:
    meant = for_entra(SECRET)
    assert meant.code == "AADSTS7000222"
    assert meant.sentence == "AADSTS7000222: The provided client secret keys for app 'x' are expired."
    assert "has expired" in meant.advice


def test_a_code_is_found_in_the_middle_of_a_body() -> None:
    meant = for_entra(DISCOVERY)
    assert meant.sentence == "AADSTS90002: Tenant 'nope' not found. Check it."
    assert "tenant_id" in meant.advice


def test_an_unknown_code_leads_to_its_page_and_no_code_to_the_options() -> None:
    assert for_entra("AADSTS1: odd").advice.endswith("/error?code=1")
    assert "tenant_id" in for_entra("<html> blocked").advice
    assert for_entra("<html>\n blocked").sentence == "<html> blocked"


def test_only_a_403_speaks_of_the_permission() -> None:
    assert "A.Read.All" in for_graph(403, "A.Read.All")
    assert all("A.Read.All" not in for_graph(status, "A.Read.All") for status in (400, 401, 404, 429, 500, 503))
