# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import OrganizationalUnit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import new_descriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import OWNER_RIGHTS, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import Audit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.excessive_rights import (
    ownership_findings,
)

ME = Sid(5, (21, 1, 2, 3, 1101))
READ_CONTROL, WRITE_DAC, WRITE_OWNER, FULL = 0x20000, 0x40000, 0x80000, 0xF01FF


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], True),
        ([AccessRule(True, READ_CONTROL, OWNER_RIGHTS)], False),
        ([AccessRule(False, WRITE_DAC, OWNER_RIGHTS)], False),
        ([AccessRule(True, READ_CONTROL, OWNER_RIGHTS, flags=0x12)], False),
        ([AccessRule(True, READ_CONTROL, OWNER_RIGHTS, flags=0x0A)], True),
        ([AccessRule(True, WRITE_DAC, OWNER_RIGHTS)], True),
        ([AccessRule(True, WRITE_OWNER, OWNER_RIGHTS)], True),
        ([AccessRule(True, FULL, OWNER_RIGHTS)], True),
        ([AccessRule(True, READ_CONTROL, Sid(3, (0,)))], True),
    ],
)
def test_ownership_means_nothing_only_where_owner_rights_say_so_here(rules: list[AccessRule], found: bool) -> None:
    """An entry for OWNER RIGHTS that only heirs get leaves an owner what an owner has; one that gives it does too."""
    descriptor = new_descriptor(ME.to_bytes(), tuple(rule.to_ace() for rule in rules))
    unit = OrganizationalUnit("OU=x,DC=y", "organizationalUnit", descriptor.to_bytes())
    audit = Audit([unit], {}, [token_of(Trustee(ME, "me"), [])], True, {}, {}, 10)
    assert bool([*ownership_findings(audit, unit)]) == found
