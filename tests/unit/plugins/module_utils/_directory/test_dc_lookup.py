# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controllers are tried, and in which order."""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Callable

import dns.rcode
import dns.resolver
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.connection import Place, places
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.dns_server import Zone, dns_server

PDC, DC = "_ldap._tcp.pdc._msdcs.contoso.test", "_ldap._tcp.dc._msdcs.contoso.test"
ZONE: Zone = {
    (PDC, "SRV"): ["0 100 389 DC2.contoso.test."],
    (DC, "SRV"): [
        "10 100 389 dc3.contoso.test.",
        "0 100 389 dc1.contoso.test.",
        "20 0 389 dc4.contoso.test.",
        "0 100 389 dc2.contoso.test.",
    ],
    ("dc1.contoso.test", "A"): ["192.0.2.1"],
    ("dc2.contoso.test", "AAAA"): ["2001:db8::2"],
}
Look = Callable[..., list[Place]]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look up with a server that is told what to answer; its port is not that of DNS."""

    def run(zone: Zone | None = None, code: dns.rcode.Rcode = dns.rcode.NOERROR, **settings: t.Any) -> list[Place]:
        with dns_server(ZONE if zone is None else zone, code) as port:
            fixed = property(lambda self: port, lambda self, value: None)
            monkeypatch.setattr(dns.resolver.Resolver, "port", fixed, raising=False)
            given = {"server": None, "domain": "contoso.test", "dns_servers": ("127.0.0.1",), "timeout": 5, **settings}
            return list(places(Settings(**given)))

    return run


def test_the_pdc_emulator_comes_first_then_the_others_by_priority(look: Look) -> None:
    found = [place.name for place in look()]
    assert found == [f"dc{n}.contoso.test" for n in (2, 1, 3, 4)]


def test_addresses_come_from_the_same_dns_servers_where_they_have_them(look: Look) -> None:
    addresses = {place.name: place.address for place in look()}
    assert addresses["dc1.contoso.test"] == "192.0.2.1"
    assert addresses["dc2.contoso.test"] == "2001:db8::2"
    assert addresses["dc3.contoso.test"] == "dc3.contoso.test"


def test_a_server_that_is_named_is_the_only_one(look: Look) -> None:
    assert look(server="dc1.contoso.test") == [Place("dc1.contoso.test", "192.0.2.1")]
    assert look(server="192.0.2.9") == [Place("192.0.2.9", "192.0.2.9")]
    assert look(zone={}, server="dc1", dns_servers=()) == [Place("dc1", "dc1")]


def test_a_domain_without_pdc_emulator_in_dns_has_the_others(look: Look) -> None:
    zone = {key: values for key, values in ZONE.items() if key[0] != PDC}
    assert {place.name for place in look(zone)} == {f"dc{n}.contoso.test" for n in (1, 2, 3, 4)}


def test_a_trailing_dot_and_case_make_no_other_domain(look: Look) -> None:
    assert look(domain="Contoso.Test.") == look()


def test_a_name_outside_of_the_domain_is_left_out(look: Look) -> None:
    """Else a forged answer, and a valid certificate for the name in it, would be enough to be sent the password."""
    zone = {**ZONE, (PDC, "SRV"): ["0 100 389 dc2.evil.test.", "0 100 389 dc2.contoso.test."]}
    assert look(zone) == look()


@pytest.mark.parametrize(
    ("zone", "code", "said"),
    [
        ({}, dns.rcode.NOERROR, "no such records"),
        ({(DC, "SRV"): ["0 0 0 ."]}, dns.rcode.NOERROR, "no such records"),  # RFC 2782: the service is not there
        (
            {(PDC, "SRV"): ["0 0 389 dc1.evil.test.", "0 0 389 evilcontoso.test."]},
            dns.rcode.NOERROR,
            "not in the domain",
        ),
        (ZONE, dns.rcode.REFUSED, "REFUSED"),
        (ZONE, dns.rcode.SERVFAIL, "SERVFAIL"),
    ],
)
def test_what_dns_does_not_know(look: Look, zone: Zone, code: dns.rcode.Rcode, said: str) -> None:
    with pytest.raises(DirectoryError, match=f"(?s)look up domain controllers.*{said}.*127.0.0.1.*dns_servers"):
        look(zone, code, timeout=1)


def test_a_dns_server_is_given_by_address(look: Look) -> None:
    with pytest.raises(DirectoryError, match="nonsense"):
        look(dns_servers=("nonsense",))


def test_without_the_library_it_is_said_what_is_missing(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    with pytest.raises(DirectoryError, match="dnspython is not installed"):
        look()
    assert look(server="dc1", dns_servers=()) == [Place("dc1", "dc1")]
