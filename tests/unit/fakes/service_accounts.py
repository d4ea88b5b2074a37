# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain with two computers, for tasks that are about managed service accounts."""

from __future__ import annotations

import typing as t

from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, COMPUTER_CHAIN, FakeDirectory

HOST, OTHER = f"CN=ODJ01,CN=Users,{BASE}", f"CN=ODJ02,CN=Users,{BASE}"
GROUP: dict[str, t.Any] = {"name": "gmsaODJ", "kind": "group", "dns_host_name": "gmsaodj.contoso.test"}


def two_computers() -> FakeDirectory:
    fake = FakeDirectory()
    for name in ("ODJ01$", "ODJ02$"):
        fake.account(name, cls=COMPUTER_CHAIN)
    fake.put(HOST, dNSHostName="odj01.contoso.test")
    return fake
