# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible.module_utils.basic import AnsibleFallbackNotFound

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import DIRECTORY_OPTIONS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph_options import GRAPH_OPTIONS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import first_set


def test_an_empty_variable_does_not_hide_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SECRET", "")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s")
    assert first_set("AZURE_SECRET", "AZURE_CLIENT_SECRET") == "s"
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    with pytest.raises(AnsibleFallbackNotFound):
        first_set("AZURE_SECRET", "AZURE_CLIENT_SECRET")


@pytest.mark.parametrize(
    ("option", "variable"),
    [(DIRECTORY_OPTIONS["password"], "ODJ_LDAP_PASSWORD"), (GRAPH_OPTIONS["client_secret"], "AZURE_CLIENT_SECRET")],
)
def test_options_come_from_their_variables(
    monkeypatch: pytest.MonkeyPatch, option: dict[str, tuple[object, list[str]]], variable: str
) -> None:
    monkeypatch.delenv("AZURE_SECRET", raising=False)
    monkeypatch.setenv(variable, "amber")
    find, names = option["fallback"]
    assert callable(find)
    assert find(*names) == "amber"
