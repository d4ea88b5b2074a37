# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory has to do for the directory side: run against the fake in unit tests, against a DC in the lab."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.dacl_writer import writes_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    AllOf,
    AnyOf,
    Directory,
    Equals,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import READ_PROPERTY, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE


def code_of(action: object, *arguments: object, **named: object) -> int | None:
    with pytest.raises(DirectoryError) as caught:
        action(*arguments, **named)  # type: ignore[operator]
    return caught.value.code


def writes_of(directory: Directory, dn: str) -> int:
    (entry,) = directory.search(dn, ANYTHING, ["replPropertyMetaData"], scope="base")
    count = writes_in(entry.one("replPropertyMetaData"))
    assert count is not None
    return count


def keep_the_contract(directory: Directory, container: str) -> None:
    """Work in a container that is empty at the start, and empty again at the end."""
    base = root_dse(directory, "defaultNamingContext").text("defaultNamingContext")
    unit, host, msa = f"OU=Contract,{container}", f"CN=CONTRACT1,{container}", f"CN=contract2,{container}"
    assert directory.search(base, Equals("distinguishedName", unit), ["objectClass"]) == []
    directory.add(unit, "organizationalUnit", {})
    directory.add(host, "computer", {"sAMAccountName": [b"CONTRACT1$"], "userAccountControl": [b"4096"]})
    directory.add(msa, "msDS-ManagedServiceAccount", {"sAMAccountName": [b"contract2$"], "description": [b"x"]})
    assert code_of(directory.add, unit, "organizationalUnit", {}) == 68
    assert code_of(directory.add, f"CN=x,OU=None,{container}", "container", {}) == 32

    (found,) = directory.search(base, Equals("distinguishedName", unit.lower()), ["objectClass", "sDRightsEffective"])
    assert found.dn == unit
    assert found.texts("OBJECTCLASS") == ("top", "organizationalUnit")
    assert (found.number("sDRightsEffective") or 0) & 4
    assert found.one("description") is None
    assert code_of(directory.search, f"OU=None,{container}", ANYTHING, ["cn"], scope="base") == 32

    in_names = AnyOf((Equals("sAMAccountName", "contract1$"), Equals("sAMAccountName", "CONTRACT2$")))
    computers = AllOf((Equals("objectClass", "computer"), in_names))
    entries = directory.search(base, computers, ["objectClass", "objectSid"])
    assert {entry.dn for entry in entries} == {host, msa}, "a managed service account is a computer too"
    sid = next(entry.one("objectSid") for entry in entries if entry.dn == msa)
    assert sid is not None
    assert [entry.dn for entry in directory.search(base, Equals("objectSid", sid), ["cn"])] == [msa]

    directory.modify(host, {"msDS-HostServiceAccount": ("add", [msa.encode()])})
    assert code_of(directory.modify, host, {"msDS-HostServiceAccount": ("add", [msa.encode()])}) == 20
    (linked,) = directory.search(msa, ANYTHING, ["msDS-HostServiceAccountBL", "description"], scope="base")
    assert linked.texts("msDS-HostServiceAccountBL") == (host,)
    directory.modify(msa, {"description": ("replace", [])})
    directory.modify(host, {"msDS-HostServiceAccount": ("delete", [msa.encode()])})
    (freed,) = directory.search(msa, ANYTHING, ["msDS-HostServiceAccountBL", "description"], scope="base")
    assert (freed.one("description"), freed.all("msDS-HostServiceAccountBL")) == (None, ())

    (read,) = directory.search(unit, ANYTHING, ["nTSecurityDescriptor"], scope="base", dacl=True)
    before = read.one("nTSecurityDescriptor") or b""
    parsed = SecurityDescriptor.parse(before)
    assert (parsed.owner, parsed.sacl) == (None, None)
    counted = [writes_of(directory, unit)]
    entry = AccessRule(True, READ_PROPERTY, EVERYONE).to_ace()
    other = parsed.with_dacl((entry, *(parsed.dacl.aces if parsed.dacl else ()))).to_bytes()
    for value in (other, before, before):
        directory.modify(unit, {"nTSecurityDescriptor": ("replace", [value])}, dacl=True)
        counted.append(writes_of(directory, unit))
    assert [count - counted[0] for count in counted] == [0, 1, 2, 2], "each write of another list counts"
    (again,) = directory.search(unit, ANYTHING, ["nTSecurityDescriptor"], scope="base", dacl=True)
    assert again.one("nTSecurityDescriptor") == before

    for dn in (unit, host, msa):
        directory.delete(dn)
    assert code_of(directory.delete, unit) == 32
    assert directory.facts()["operations"]["add"] == 5
