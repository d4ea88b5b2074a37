# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts of a server come from one look."""

from __future__ import annotations

import typing as t

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import SUBSETS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SPEC, scope_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.server_info import ServerInfo
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows

DEFAULTS = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}


def test_all_is_one_look_and_changes_nothing() -> None:
    server = ChangingWindows(refuse_writes=True)
    scope = scope_of(DEFAULTS, DEFAULTS["gather_subset"])
    result: t.Any = carry_out(ServerInfo(server, scope), check_mode=False)
    assert (result["changed"], server.looks) == (False, 1)
    assert set(SUBSETS) <= set(result["server"])
