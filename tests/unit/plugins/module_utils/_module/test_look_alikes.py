# SPDX-License-Identifier: GPL-3.0-or-later
"""Managed service accounts descend from the class computer: what is told and done beside them is what it is without."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    FULL_CONTROL,
    INHERIT_ONLY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, RIGHTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import (
    delegation_info,
    msa,
    msa_info,
    organizational_unit_info,
    ou_delegate,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    COMPUTERS,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.service_accounts import GROUP

KINDS = ("msDS-ManagedServiceAccount", "msDS-GroupManagedServiceAccount", "msDS-DelegatedManagedServiceAccount")
UNIT = f"OU=Autopilot,{BASE}"
COMPUTER_NAMES = ("ODJ01", "ODJ02", "msaODJpc001")  # the last has a name as the sign-in makes them


def domain() -> FakeDirectory:
    """Return a domain with three computers, two service accounts, and entries of one of each on a unit."""
    directory = FakeDirectory()
    sids = {name: directory.account(f"{name}$", cls=COMPUTER_CHAIN, parent=COMPUTERS) for name in COMPUTER_NAMES}
    for name, sid in sids.items():
        directory.put(
            f"CN={name},{COMPUTERS}", dNSHostName=f"{name.lower()}.contoso.test", tokenGroups=[sid.to_bytes()]
        )
    made = run(msa, directory, name="msaODJab1cd", host="ODJ01")["service_account"]
    run(msa, directory, **GROUP)
    grants = [
        RIGHTS["create_computer"].parts[0].rule(sid, subtree=False).to_ace()
        for sid in (sids["msaODJpc001"], Sid.parse(made["sid"]))
    ]
    legacy = AccessRule(True, FULL_CONTROL, sids["ODJ02"], None, COMPUTER_CLASS, CONTAINER_INHERIT | INHERIT_ONLY)
    directory.unit(UNIT, *grants, legacy.to_ace())
    return directory


def beside(directory: FakeDirectory) -> FakeDirectory:
    """Add service accounts of every kind with the names that the computers have, as far as a domain allows that."""
    for number, kind in enumerate(KINDS):
        for name in COMPUTER_NAMES:
            dn = f"CN={name},OU=x{number},{MSA_CONTAINER}"
            sid = Sid(5, (21, 1, 2, 3, 5000 + 10 * number + len(name)))
            directory.put(dn, objectClass=(*COMPUTER_CHAIN, kind), sAMAccountName=f"{name[:9]}x{number}$",
                          objectSid=sid.to_bytes(), dNSHostName=f"{name.lower()}.contoso.test", description=name,
                          userPrincipalName=f"svc{number}@contoso.test", primaryGroupID="515")  # fmt: skip
    return directory


TASKS: list[tuple[types.ModuleType, dict[str, t.Any]]] = [
    (msa, {"name": "msaODJnew", "host": "odj02.contoso.test"}),
    (msa, {"name": "msaODJab1cd", "hosts": {"add": ["ODJ02$"], "remove": ["odj01.contoso.test"]}}),
    (msa, {**GROUP, "hosts": {"set": ["odj01.contoso.test", f"CN=ODJ02,{COMPUTERS}", "msaodjpc001"]}}),
    (msa, {**GROUP, "readers": {"add": ["odj01", f"CN=ODJ02,{COMPUTERS}", "CONTOSO\\msaODJpc001$"]}}),
    (msa, {"name": "msaODJab1cd", "state": "absent", "force": True, "remove_delegations": [UNIT]}),
    (msa_info, {"names": ["msaODJab1cd", "gmsaODJ", "ODJ0?", "msaODJpc001"]}),
    (ou_delegate, {"organizational_units": [UNIT], "accounts": ["gmsaODJ", "ODJ01"]}),
    (ou_delegate, {"organizational_units": [UNIT], "accounts": ["gmsaODJ"], "state": "exact"}),
    (
        ou_delegate,
        {
            "organizational_units": [UNIT],
            "accounts": ["gmsaODJ"],
            "state": "exact",
            "connector_accounts": ["odj02"],
        },
    ),
    (delegation_info, {"organizational_units": [UNIT], "accounts": ["msaODJab1cd", "ODJ01$"]}),
    (organizational_unit_info, {"organizational_units": [UNIT, COMPUTERS]}),
]


@pytest.mark.parametrize(("module", "options"), TASKS)
def test_what_is_done_beside_look_alikes_is_what_is_done_without_them(
    module: types.ModuleType, options: dict[str, t.Any]
) -> None:
    without, with_them = domain(), beside(domain())
    expected, done = run(module, without, **options), run(module, with_them, **options)
    assert done == expected
    assert done["changed"] is (module in (msa, ou_delegate))


def test_a_computer_is_no_account_of_a_sign_in_whatever_its_name() -> None:
    directory = beside(domain())
    told = run(msa_info, directory)
    assert told["orphans"] == ["msaODJpc0x0$"]
    assert not {account["name"] for account in told["service_accounts"]} & set(COMPUTER_NAMES)
    done = run(ou_delegate, directory, organizational_units=[UNIT], accounts=["gmsaODJ"], state="exact")
    assert "msaODJab1cd$" in str(done["diff"])
    assert "msaODJpc001" not in str(done["plan"]["changes"])
