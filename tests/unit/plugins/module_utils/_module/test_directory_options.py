# SPDX-License-Identifier: GPL-3.0-or-later
"""How a domain controller can be written, and what is refused by name before anything is opened."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import organizational_unit_info
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    check_other_servers,
    settings_from,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import parameters


def options(**chosen: t.Any) -> dict[str, t.Any]:
    return parameters(organizational_unit_info, **chosen)


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("dc1", "dc1", None),
        (" dc1.contoso.com \n", "dc1.contoso.com", None),
        ("dc1.contoso.com.", "dc1.contoso.com", None),
        ("DC_1.contoso.com:636", "DC_1.contoso.com", 636),
        ("dc1.contoso.com.:636", "dc1.contoso.com", 636),
        ("ldaps://dc1", "dc1", None),
        ("LDAPS://dc1:3269/", "dc1", 3269),
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:636", "192.0.2.1", 636),
        ("2001:db8::2", "2001:db8::2", None),
        ("[2001:db8::2]", "2001:db8::2", None),
        ("ldaps://[2001:db8::2]:636", "2001:db8::2", 636),
        ("fe80::1%eth0", "fe80::1%eth0", None),
        ("dc-münchen.contoso.com", "dc-münchen.contoso.com", None),
    ],
)
def test_ways_to_write_a_domain_controller(server: str, host: str, port: int | None) -> None:
    settings = settings_from(options(server=server))
    assert (settings.server, settings.port, settings.tls_mode) == (host, port, "ldaps")


def test_a_url_of_ldap_is_for_start_tls_and_a_port_may_be_said_twice() -> None:
    settings = settings_from(options(server="ldap://dc1:389", tls_mode="start_tls", port=389))
    assert (settings.server, settings.port) == ("dc1", 389)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"server": "dc1:abc"}, "'abc' is not a port"),
        ({"server": "dc1:"}, "'' is not a port"),
        ({"server": "dc1:0"}, "'0' is not a port"),
        ({"server": "dc1:65536"}, "'65536' is not a port"),
        ({"server": "dc1:²"}, "not a port"),
        ({"server": "dc1:" + "9" * 5000}, "not a port"),
        ({"server": "https://dc1"}, "https:// is not LDAP"),
        ({"server": "ldapi://dc1"}, "ldapi:// is not LDAP"),
        ({"server": "ldaps://dc1/DC=contoso,DC=com"}, "neither a name nor an address"),
        ({"server": "ldaps://"}, "neither a name nor an address"),
        ({"server": "ldaps://ldaps://dc1"}, "not of a form"),
        ({"server": r"\\dc1"}, "neither a name nor an address"),
        ({"server": "dc1,dc2"}, "neither a name nor an address"),
        ({"server": "dc1 dc2"}, "neither a name nor an address"),
        ({"server": "CN=DC1,DC=contoso"}, "neither a name nor an address"),
        ({"server": "dc1..contoso.com"}, "neither a name nor an address"),
        ({"server": "-dc1"}, "neither a name nor an address"),
        ({"server": "x" * 64}, "neither a name nor an address"),
        ({"server": "127.1"}, "neither a name nor an address"),
        ({"server": "10"}, "neither a name nor an address"),
        ({"server": "[dc1]"}, "neither a name nor an address"),
        ({"server": "[2001:db8::2"}, "neither a name nor an address"),
        ({"server": "dc1:636", "port": 389}, "port 636.*port 389"),
        ({"server": "ldap://dc1"}, "tls_mode ldaps.*Set tls_mode to start_tls"),
        ({"server": "ldaps://dc1", "tls_mode": "start_tls"}, "tls_mode start_tls.*Set tls_mode to ldaps"),
        ({"server": None, "domain": "contoso.com:636"}, "domain.*not a DNS name"),
        ({"server": None, "domain": "ldaps://contoso.com"}, "domain.*not a DNS name"),
        ({"server": None, "domain": "192.0.2.1"}, "domain.*not a DNS name"),
        ({"server": None, "domain": "DC=contoso,DC=com"}, "domain.*not a DNS name"),
        ({"server": "dc1", "server_name": "https://dc1"}, "server_name.*neither a name nor an address"),
        ({"server": " ", "domain": ""}, "not set"),
    ],
)
def test_a_server_of_another_form_is_refused_by_name(chosen: dict[str, t.Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        settings_from(options(**chosen))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("server", ["ldaps://odj:secret-word@dc1", "odj:secret-word@dc1", "secret-word@x://dc1"])
def test_a_password_in_the_server_is_not_shown(server: str) -> None:
    with pytest.raises(InvalidInput, match="holds an account") as caught:
        settings_from(options(server=server))
    assert "secret-word" not in str(caught.value)


@given(st.text() | st.text("a1.:[]/@%-ldaps", max_size=20))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        settings = settings_from(options(server=text, domain="contoso.com"))
    except InvalidInput:
        return
    assert settings.server is None or "/" not in settings.server.partition("%")[0]


@pytest.mark.parametrize(
    ("server", "others", "said"),
    [
        ("dc1.contoso.com", ["DC1.contoso.com."], "is the server that is written to"),
        ("ldaps://dc1", ["dc1:636"], "is the server that is written to"),
        ("dc1", ["dc2", "ldaps://DC2"], "there twice"),
        ("dc1", ["dc2", " "], "empty"),
        ("dc1", ["https://dc2"], "replicated_to.*https:// is not LDAP"),
    ],
)
def test_other_servers_are_compared_as_hosts(server: str, others: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_other_servers(server, others)
    check_other_servers(server, ["dc3", "dc4:636"])
