# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CREATE_CHILD,
    FULL_CONTROL,
    INHERITED,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.changes import without_aces_of
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import dacl

DN = "OU=PCs,DC=contoso,DC=test"
MINE, OTHER = Sid(5, (21, 1, 2, 3, 1000)), Sid(5, (21, 1, 2, 3, 1001))
GRANT = RIGHTS["create_computer"].parts[0].rule(MINE, subtree=False).to_ace()
THEIRS = RIGHTS["create_computer"].parts[0].rule(OTHER, subtree=False).to_ace()
DENY = AccessRule(False, CREATE_CHILD, MINE, COMPUTER_CLASS).to_ace()
BROAD = AccessRule(True, FULL_CONTROL, MINE).to_ace()
ABOVE = AccessRule(True, CREATE_CHILD, MINE, COMPUTER_CLASS, flags=INHERITED).to_ace()


def test_every_entry_of_the_account_goes_and_no_other() -> None:
    descriptor = SecurityDescriptor.parse(dacl(DENY, GRANT, THEIRS, BROAD, ABOVE))
    change, remark = without_aces_of(DN, descriptor, "msa$", MINE)
    assert change is not None
    wanted = SecurityDescriptor.parse(change.wanted)
    assert wanted.dacl is not None
    assert wanted.dacl.aces == (THEIRS, ABOVE)
    assert remark.startswith(f"{DN} inherits (OA;ID;CC;")
    assert change.before.count("\n") == 5
    assert change.after.count("\n") == 2
    assert "- every entry of msa$" in change.summary


def test_an_ou_that_knows_nothing_of_it_is_left_alone() -> None:
    assert without_aces_of(DN, SecurityDescriptor.parse(dacl(THEIRS)), "msa$", MINE) == (None, "")


def test_a_list_out_of_order_is_not_touched() -> None:
    with pytest.raises(ServiceAccountError, match="canonical"):
        without_aces_of(DN, SecurityDescriptor.parse(dacl(GRANT, DENY)), "msa$", MINE)
    assert (
        without_aces_of(DN, SecurityDescriptor.parse(dacl(THEIRS, AccessRule(False, 1, OTHER).to_ace())), "m", MINE)[0]
        is None
    )
