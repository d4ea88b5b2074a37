# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking: facts and verdicts in one look, options checked before it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.look import SUBSETS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import UnmetPrerequisites
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import prereqs
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SPEC, scope_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._action import failure
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.server_info import Prerequisites, ServerInfo
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows

DEFAULTS = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}


def test_all_is_one_look_and_changes_nothing() -> None:
    server = ChangingWindows(refuse_writes=True)
    scope = scope_of(DEFAULTS, DEFAULTS["gather_subset"])
    result: t.Any = carry_out(ServerInfo(server, scope), check_mode=False)
    assert (result["changed"], server.looks) == (False, 1)
    assert set(SUBSETS) <= set(result["server"])


def test_prerequisites_fail_with_their_facts_or_report_them() -> None:
    server = ChangingWindows(refuse_writes=True, unreachable={"manage.microsoft.com": "tls"})
    scope = scope_of(DEFAULTS, prereqs.SUBSETS)
    result: t.Any = carry_out(Prerequisites(server, scope, domain=None, fail_on_unmet=False), check_mode=False)
    assert [one["name"] for one in result["unmet"]] == ["endpoint:manage.microsoft.com:443"]
    with pytest.raises(UnmetPrerequisites) as caught:
        carry_out(Prerequisites(server, scope, domain=None, fail_on_unmet=True), check_mode=False)
    answer: t.Any = failure(caught.value)
    assert (answer["failed"], answer["unmet"], len(answer["prerequisites"])) == (True, result["unmet"], 8)
    assert server.looks == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"endpoints": ["https://manage.microsoft.com"]},
        {"proxy": "proxy:8080"},
        {"proxy": "http://proxy"},
        {"proxy": "http://proxy:port"},
        {"proxy": "http://user:pearl@proxy:8080"},
        {"event_hours": 0},
        {"endpoint_timeout": 0},
    ],
)
def test_bad_options_are_refused(bad: dict[str, t.Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        scope_of({**DEFAULTS, **bad}, ["all"])
    assert "pearl" not in str(caught.value)
