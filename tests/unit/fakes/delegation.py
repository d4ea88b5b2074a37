# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain with two units and a connector's account, and odj_ou_delegate run there."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, MSA_CONTAINER, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

PILOT, NORTH = f"OU=Autopilot,{BASE}", f"OU=Lab\\, North,{BASE}"
READ = AccessRule(True, 0x20014, EVERYONE).to_ace()
MSA = ("top", "computer", "msDS-ManagedServiceAccount")
ACCOUNT = "msaODJab1cd"


def two_units() -> FakeDirectory:
    fake = FakeDirectory()
    for unit in (PILOT, NORTH):
        fake.unit(unit, READ)
    fake.account(f"{ACCOUNT}$", cls=MSA, parent=MSA_CONTAINER)
    return fake


def delegate(directory: FakeDirectory, *units: str, **more: t.Any) -> dict[str, t.Any]:
    given = {"accounts": [ACCOUNT], **more}
    return run(ou_delegate, directory, organizational_units=list(units or (PILOT,)), **given)


def refusal(kind: type[OdjError], directory: FakeDirectory, *units: str, **more: t.Any) -> str:
    with pytest.raises(kind) as caught:
        delegate(directory, *units, **more)
    assert directory.counts["modify"] == 0
    return str(caught.value)


def aces(directory: FakeDirectory, dn: str = PILOT) -> tuple[bytes, ...]:
    parsed = SecurityDescriptor.parse(directory.value(dn, "nTSecurityDescriptor") or b"")
    return parsed.dacl.aces if parsed.dacl else ()


def create(sid: Sid, *, subtree: bool = False) -> bytes:
    return RIGHTS["create_computer"].parts[0].rule(sid, subtree=subtree).to_ace()
