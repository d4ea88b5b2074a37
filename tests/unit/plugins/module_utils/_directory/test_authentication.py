# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom, as far as it can be tried without a domain (see tests/integration/directory/test_access.py)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import authentication
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.authentication import (
    advice_for,
    check_account,
    tickets,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    settings_from,
)

KERBEROS: dict[str, t.Any] = {"auth_protocol": "kerberos"}
SOMEBODY: dict[str, t.Any] = {**KERBEROS, "username": "x@CONTOSO.TEST"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "empty"),
        ({"username": "x"}, "empty"),
        ({"username": " ", "password": "secret-word"}, "empty"),
        ({**KERBEROS, "username": "CONTOSO\\x", "password": "secret-word"}, "name@REALM"),
        ({**KERBEROS, "username": "CN=x,DC=y", "password": "secret-word"}, "name@REALM"),
        ({**KERBEROS, "password": "secret-word"}, "username is empty"),
        ({**KERBEROS, "keytab": "/x"}, "username is empty"),
        ({**SOMEBODY, "keytab": "/x", "password": "secret-word"}, "both"),
        ({**SOMEBODY, "keytab": "/nowhere/x.keytab"}, "/nowhere/x.keytab"),
    ],
)
def test_what_cannot_be_meant(settings: dict[str, t.Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        check_account(Settings("dc1", **settings))
    assert "secret-word" not in str(caught.value)


def test_what_can_be_meant(tmp_path: Path) -> None:
    keytab = tmp_path / "x.keytab"
    keytab.touch()
    ways: list[dict[str, t.Any]] = [{"username": "x", "password": "y"}, KERBEROS, SOMEBODY]
    for more in (*ways, {**SOMEBODY, "keytab": str(keytab)}):
        check_account(Settings("dc1", **more))


def test_without_the_library_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "GSSAPI_IMPORT_ERROR", ImportError("no gssapi"))
    with pytest.raises(DirectoryError, match="gssapi is not installed"):
        tickets(Settings("dc1", **SOMEBODY), "dc1")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Clock skew too great", "NTP"),
        ("Client's credentials have been revoked", "locked out"),
        ("Password has expired", "set a new one"),
        ("Ticket expired", "kinit"),
        ("KDC has no support for encryption type", "AES"),
        ("Cannot contact any KDC for realm 'CONTOSO.TEST'", "port 88"),
        ("Configuration file does not specify default realm", "default_realm"),
        ("A token was invalid", "channel binding"),
        ("Client 'y@X' not found in Kerberos database", "no such account"),
        ("Server ldap/dc1@X not found in Kerberos database", "domain_realm"),
        ("No Kerberos credentials available", "none"),
        ("something new", "krb5.conf"),
    ],
)
def test_what_kerberos_says_is_translated(reason: str, advice: str) -> None:
    assert advice in advice_for(reason, "none")


def given(**options: t.Any) -> dict[str, t.Any]:
    return {**{name: option.get("default") for name, option in DIRECTORY_OPTIONS.items()}, **options}


def test_a_server_or_a_domain_is_needed() -> None:
    with pytest.raises(InvalidInput, match="domain"):
        settings_from(given())
    assert settings_from(given(domain="contoso.test")).where == "contoso.test"
    assert settings_from(given(server="dc1", domain="contoso.test")).where == "dc1"


def test_who_is_meant_is_told_without_a_name_too() -> None:
    assert settings_from(given(server="dc1", username="x")).account == "x"
    assert "Kerberos" in settings_from(given(server="dc1", **KERBEROS)).account
