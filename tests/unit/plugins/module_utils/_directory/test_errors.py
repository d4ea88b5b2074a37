# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import refused, unreachable

BIND = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {}, v1db1\x00"


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        ("525", "no such account"),
        ("52e", "password is wrong"),
        ("52E", "password is wrong"),
        ("532", "expired"),
        ("530", "at this time"),
        ("531", "from this computer"),
        ("533", "disabled"),
        ("701", "account has expired"),
        ("773", "must be changed"),
        ("775", "locked out"),
        ("52f", "lift them"),
        ("568", "take it out"),
        ("569", "user rights"),
        ("abc", "Check username and password"),
    ],
)
def test_a_refused_logon_says_why(data: str, advice: str) -> None:
    error = refused("log on as x", "dc1", 49, "invalidCredentials", BIND.format(data))
    assert advice in error.advice
    assert f"data {data}" in error.got
    assert "\x00" not in str(error)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (8, "encryption"),
        (10, "does not hold the object"),
        (12, "extension"),
        (13, "encryption"),
        (16, "Run again"),
        (20, "there already"),
        (21, "form"),
        (51, "busy"),
        (52, "another domain controller"),
        (68, "exists already"),
        (19, "rule"),
        (32, "no such object"),
        (34, "malformed"),
        (50, "lacks a right"),
        (53, "willing"),
    ],
)
def test_a_refused_operation_says_what_to_do(code: int, advice: str) -> None:
    error = refused("change description", "CN=x", code, "name", "")
    assert advice in error.advice
    assert error.code == code
    assert str(error).startswith(f"Could not change description (CN=x): name ({code}).")


@pytest.mark.parametrize(
    ("code", "text", "advice"),
    [
        (53, "0000216D: SvcErr: DSID-031A1236, problem 5003 (WILL_NOT_PERFORM), data 0", "machine account quota"),
        (19, "0000052D: Constraint violation - check_password_restrictions: too short", "password policy"),
        (68, "00002071: samldb: samAccountName 'x' already in use!", "sAMAccountName of another"),
        (68, "00000524: UpdErr: DSID-031A11FA, problem 6005 (ENTRY_EXISTS), data 0", "Another account"),
        (32, "8009000D: failed to find a suitable root key at gkdi.c:738", "needs a KDS root key"),
        (53, "00002077: SvcErr: DSID-031903F0, problem 5003 (WILL_NOT_PERFORM), data 0", "willing"),
        (50, "acl: unable to get access to CN=x", "lacks a right"),
    ],
)
def test_the_servers_own_text_makes_the_advice_more_precise(code: int, text: str, advice: str) -> None:
    assert advice in refused("create the computer", "CN=x", code, "name", text).advice


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch (_ssl.c:1006)", "server_name"),
        ("certificate verify failed: IP address mismatch", "server_name"),
        ("certificate verify failed: certificate has expired", "renew"),
        ("certificate verify failed: unable to get local issuer certificate", "ca_path"),
        ("[Errno 111] Connection refused", "Nothing listens"),
        ("timed out", "timeout"),
        ("the server ended the session (52): shutting down", "run again"),
        ("the server ended the connection", "run again"),
        ("the server ended the connection: [Errno 104] Connection reset by peer", "run again"),
        ("the server sent what is not LDAP: a message", "Something else than a domain controller"),
        ("something else", "can reach it"),
    ],
)
def test_a_failed_connection_says_what_to_do(reason: str, advice: str) -> None:
    error = unreachable("connect", "dc1:636", reason)
    assert advice in error.advice
    assert "_ssl.c" not in str(error)
    assert error.code is None
