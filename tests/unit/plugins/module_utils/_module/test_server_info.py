# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a look are checked before it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.server_info import SPEC, scope_of

DEFAULTS = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}


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
