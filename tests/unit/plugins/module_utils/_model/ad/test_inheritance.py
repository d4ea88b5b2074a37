# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    FULL_CONTROL,
    GENERIC_ALL,
    INHERIT_ONLY,
    INHERITED,
    NO_PROPAGATE,
    AccessRule,
    passes_on,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS

HEIR = AccessRule(True, 1, Sid(5, (21, 1, 2, 3, 1000)), COMPUTER_CLASS, flags=CONTAINER_INHERIT | INHERITED)
OWN = dataclasses.replace(HEIR, flags=CONTAINER_INHERIT)


@pytest.mark.parametrize(
    ("difference", "to_child", "further"),
    [
        ({}, True, True),
        ({"flags": CONTAINER_INHERIT | INHERIT_ONLY}, True, True),
        ({"flags": CONTAINER_INHERIT | NO_PROPAGATE}, True, False),
        ({"flags": 0}, False, False),
        ({"flags": CONTAINER_INHERIT | INHERITED}, False, False),
        ({"inherited_type": COMPUTER_CLASS}, True, True),
        ({"allow": False}, False, False),
        ({"mask": 2}, False, False),
        ({"trustee": EVERYONE}, False, False),
        ({"object_type": None}, False, False),
        ({"conditional": True}, False, False),
    ],
)
def test_what_is_passed_on(difference: dict[str, t.Any], to_child: bool, further: bool) -> None:
    own = dataclasses.replace(OWN, **difference)
    assert (passes_on(own, HEIR, to_child=True), passes_on(own, HEIR, to_child=False)) == (to_child, further)


def test_an_heir_may_carry_what_a_generic_right_means() -> None:
    own = dataclasses.replace(OWN, mask=GENERIC_ALL, object_type=None)
    for mask in (GENERIC_ALL, FULL_CONTROL):
        assert passes_on(own, dataclasses.replace(HEIR, mask=mask, object_type=None), to_child=False)
