# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts come from one look, and fail the task or not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Record
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import (
    NEEDED_SUBSETS,
    UnmetPrerequisites,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.prereqs import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import scope_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out, failure
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.prereqs import Prerequisites
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows

DEFAULTS = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}


def test_prerequisites_fail_with_their_facts_or_report_them() -> None:
    server = ChangingWindows(refuse_writes=True, unreachable={"manage.microsoft.com": "tls"})
    scope = scope_of(DEFAULTS, NEEDED_SUBSETS)
    result: t.Any = carry_out(Prerequisites(server, scope, domain=None, fail_on_unmet=False), check_mode=False)
    assert [one["name"] for one in result["unmet"]] == ["endpoint:manage.microsoft.com:443"]
    with pytest.raises(UnmetPrerequisites) as caught:
        carry_out(Prerequisites(server, scope, domain=None, fail_on_unmet=True), check_mode=False)
    answer: t.Any = failure(caught.value, Record())
    assert (answer["failed"], answer["unmet"], len(answer["prerequisites"])) == (True, result["unmet"], 9)
    assert server.looks == 2
