# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a directory gives as the value of an attribute: the task succeeds, or ends with an error that says so."""

from __future__ import annotations

import types
import typing as t
from collections.abc import Callable
from contextlib import suppress

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import (
    delegation_info,
    msa,
    msa_info,
    organizational_unit_info,
    ou_delegate,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.delegation import ACCOUNT, MSA, NORTH, PILOT, READ
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import (
    BASE,
    COMPUTER_CHAIN,
    CONFIGURATION,
    MSA_CONTAINER,
    FakeDirectory,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run

ODD = [
    b"",
    b"abc",
    b"-1",
    b"4294967296",
    b"9" * 19,
    b"9" * 5000,
    b"1_0",
    b" 1",
    "²".encode(),
    b"\xff\xfe\0",
    b"\1\x0f" + bytes(6),
    b"\1\1" + bytes(10),
    b"00000000000000.0Z",
    b"99991231235959.0Z",
    b"B:32:xyz:CN=x",
    b"=",
    b"\1\0\4\x80" + b"\xff" * 16,
]
ATTRIBUTES = [
    "appliesTo",
    "currentTime",
    "defaultNamingContext",
    "description",
    "dnsRoot",
    "dNSHostName",
    "lDAPDisplayName",
    "memberOf",
    "ms-DS-MachineAccountQuota",
    "msDS-GroupMSAMembership",
    "msDS-HostServiceAccountBL",
    "msDS-ManagedPasswordInterval",
    "msDS-SupportedEncryptionTypes",
    "msKds-UseStartTime",
    "nETBIOSName",
    "nTSecurityDescriptor",
    "objectClass",
    "objectSid",
    "otherWellKnownObjects",
    "primaryGroupID",
    "pwdLastSet",
    "replPropertyMetaData",
    "rightsGuid",
    "sAMAccountName",
    "schemaIDGUID",
    "sDRightsEffective",
    "sIDHistory",
    "supportedCapabilities",
    "tokenGroups",
    "userAccountControl",
    "userPrincipalName",
    "validAccesses",
    "wellKnownObjects",
    "whenCreated",
]


class OddDirectory(FakeDirectory):
    """Gives these values for one attribute of every object once it is told to."""

    attribute = ""
    values: tuple[bytes, ...] = ()

    def _shown(self, entry: Entry, attributes: t.Sequence[str], dacl: bool) -> Entry:
        shown = super()._shown(entry, attributes, dacl)
        asked = self.attribute and self.attribute.lower() in map(str.lower, attributes)
        return Entry(shown.dn, {**shown.values, self.attribute.lower(): self.values}) if asked else shown

    def root(self) -> Entry:
        root = super().root()
        return Entry("", {**root.values, self.attribute.lower(): self.values}) if self.attribute else root


@pytest.fixture
def directory() -> OddDirectory:
    fake = OddDirectory()
    for unit in (PILOT, NORTH):
        fake.unit(unit, READ)
    fake.account(f"{ACCOUNT}$", cls=MSA, parent=MSA_CONTAINER)
    fake.account("ODJ01$", cls=COMPUTER_CHAIN)
    fake.account("ODJ servers", cls=("top", "group"))
    keys = f"CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,{CONFIGURATION}"
    fake.put(f"CN=11111111-2222-3333-4444-555555555555,{keys}", objectClass="msKds-ProvRootKey")
    run(msa, fake, name="gmsaODJ", kind="group", dns_host_name="gmsaodj.contoso.test", allowed_readers=["ODJ servers"])
    run(ou_delegate, fake, organizational_units=[PILOT], accounts=[ACCOUNT])
    return fake


JOBS: list[tuple[types.ModuleType, dict[str, t.Any]]] = [
    (ou_delegate, {"organizational_units": [PILOT, NORTH], "accounts": [ACCOUNT], "rights": ["reuse_computer"]}),
    (ou_delegate, {"organizational_units": [PILOT], "accounts": [ACCOUNT], "state": "exact"}),
    (delegation_info, {"organizational_units": [PILOT], "accounts": [ACCOUNT], "search_base": BASE}),
    (organizational_unit_info, {"organizational_units": [PILOT, f"OU=None,{BASE}"]}),
    (msa, {"name": ACCOUNT, "host": "ODJ01", "description": "x"}),
    (msa, {"name": "gmsaODJ", "kind": "group", "readers": {"add": ["ODJ01$"]}}),
    (msa, {"name": ACCOUNT, "state": "absent", "remove_delegations": [PILOT]}),
    (msa, {"name": "odjnew", "kind": "group", "dns_host_name": "x.contoso.test"}),
    (msa_info, {"names": ["*"]}),
]


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.once
def test_any_value_of_any_attribute_is_used_or_refused(directory: OddDirectory, attribute: str) -> None:
    for values in ((), *((value,) for value in ODD), tuple(ODD)):
        directory.attribute, directory.values = attribute, values
        for module, options in JOBS:
            with suppress(OdjError):
                run(module, directory, **options)


def test_the_jobs_work_where_the_values_are_usual(directory: OddDirectory) -> None:
    for module, options in JOBS:
        run(module, directory, check=True, **options)


SAYS: list[tuple[str, Callable[[Entry], object], bytes]] = [
    ("a number", lambda entry: entry.number("x"), b"abc"),
    ("a number", lambda entry: entry.number("x"), b"9" * 5000),
    ("a number", lambda entry: entry.number("x"), b"1_0"),
    ("a number", lambda entry: entry.number("x"), b""),
    ("a number", lambda entry: entry.number("x"), b"9223372036854775808"),
    ("a SID", lambda entry: entry.sids("x"), b"\1\1"),
    ("a GUID", lambda entry: entry.guid("x"), b"\1" * 15),
]


@pytest.mark.parametrize(("what", "read", "value"), SAYS)
def test_a_value_that_is_none_is_named_and_not_shown_whole(
    what: str, read: Callable[[Entry], object], value: bytes
) -> None:
    with pytest.raises(DirectoryError, match=rf"Could not read x \(CN=y\): .* is not {what}") as caught:
        read(Entry("CN=y", {"x": (value,)}))
    assert len(str(caught.value)) < 250


def test_a_value_that_is_one_is_read() -> None:
    entry = Entry("CN=y", {"n": (b"-9223372036854775808",), "g": (bytes(range(16)),)})
    assert entry.number("n") == -(1 << 63)
    assert (entry.number("none"), entry.guid("none"), entry.sids("none")) == (None, None, ())
    assert str(entry.guid("g")) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    with pytest.raises(DirectoryError, match="none that may be read"):
        entry.required_sid()
