# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of each subset, and the facts that the answers make."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import (
    SUBSETS,
    Scope,
    parse_endpoint,
    probes_of,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import ALL, FakeWindows, facts


def test_an_empty_server() -> None:
    result = facts(FakeWindows())
    assert (result["state"], result["config"], result["errors"]) == ("absent", None, {})
    assert (result["host"]["fqdn"], result["host"]["os_build"]) == ("odj01.contoso.com", 20348)
    assert result["dotnet"] == {"release": 528449, "version_at_least_4_7_2": True}
    json.dumps(result)


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_subset_is_a_choice_of_questions(subset: str) -> None:
    scope = Scope(frozenset({subset}))
    assert set(facts(FakeWindows(), scope)) - {"errors"} >= {subset}
    assert len(probes_of(scope)) < len(probes_of(ALL))
    ids = [probe["id"] for probe in probes_of(scope)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("bad", ["host", "host:", ":443", "https://host:443", "host:0", "host:70000", "host:٤٤٣"])
def test_a_malformed_endpoint_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput):
        parse_endpoint(bad)


def test_endpoints() -> None:
    assert parse_endpoint("manage.microsoft.com:443") == ("manage.microsoft.com", 443)
    assert parse_endpoint("[::1]:8443") == ("::1", 8443)
