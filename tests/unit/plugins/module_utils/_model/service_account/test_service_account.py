# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    ServiceAccount,
    checked_dns_name,
    checked_name,
    encryption_names,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.orphans import is_orphan, report


@pytest.mark.parametrize("name", ["msaODJab1cd", "msaODJab1cd$", "a" * 15, "gmsa-odj.1"])
def test_names_that_are_taken(name: str) -> None:
    assert checked_name(name) == name.removesuffix("$")


@pytest.mark.parametrize(
    "name", ["", "$", "a" * 16, "a$b", "a/b", "a,b", " a", "a ", "a=b", "a\nb", "CONTOSO\\a", "a@b", "a."]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 15 characters"):
        checked_name(name)


def test_encryption_types_have_names() -> None:
    assert encryption_names(0x18) == ["aes128", "aes256"]
    assert encryption_names(0x1C) == ["rc4", "aes128", "aes256"]
    assert encryption_names(0x3F)[:2] == ["des_cbc_crc", "des_cbc_md5"]


def test_orphans_are_accounts_of_sign_ins_that_no_computer_has() -> None:
    account = ServiceAccount("CN=x", "MSAodjab1cd", Sid(5, (21, 1)), "standalone", 4096)
    assert is_orphan(account)
    assert not is_orphan(replace(account, hosts=("CN=ODJ01",)))
    assert not is_orphan(replace(account, kind="group"))


@pytest.mark.parametrize("name", ["msaOther", "msaODJ", "msaODJ-pilot", "msaODJ1234", "msaODJ123456", "xmsaODJ12345"])
def test_what_the_sign_in_did_not_name_is_never_an_orphan(name: str) -> None:
    assert not is_orphan(ServiceAccount("CN=x", name, Sid(5, (21, 1)), "standalone", 4096))


def test_ages_are_whole_days_and_never_negative() -> None:
    now = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
    account = ServiceAccount("CN=x", "x", Sid(5, (21, 1)), "standalone", 4096, password_set=now, created=now)
    later = now + datetime.timedelta(days=3, hours=23)
    assert report(account, later)["password_age_days"] == 3
    assert report(account, now - datetime.timedelta(minutes=5))["password_age_days"] == 0
    assert report(account, now)["created"] == report(account, now)["password_last_set"] == "2026-11-24T00:00:00Z"
    assert report(replace(account, password_set=None), now)["password_age_days"] is None


@pytest.mark.parametrize("name", ["", "a b", "-a.contoso.com", "a..com", "a.contoso.com.", "a" * 64, "a." * 128 + "a"])
def test_dns_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="dns_host_name"):
        checked_dns_name(name)


@pytest.mark.parametrize("name", ["gmsaodj", "gmsaodj.contoso.com", "a_1.b-2.test"])
def test_dns_names_that_are_taken(name: str) -> None:
    assert checked_dns_name(name) == name
