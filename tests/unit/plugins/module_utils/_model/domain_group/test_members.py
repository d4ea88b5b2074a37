# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers belong together, and who acts for them: never a host that has left the play."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import (
    DomainGroup,
    Member,
    group_of,
)

UNITS = ["OU=Autopilot,DC=contoso,DC=test"]
Variables = dict[str, dict[str, object]]


def look(domain: str | None, account: str | None = None, state: str = "healthy", fqdn: str = "") -> dict[str, object]:
    enrolled = account is not None
    server = {
        "host": {"domain": domain, "fqdn": fqdn},
        "service": {"account": account or "LocalSystem"},
        "enrollment": {"signed_in": enrolled},
        "state": state if enrolled else "awaiting_sign_in",
    }
    return {"server": server}


def inventory(*names: str, domain: str = "contoso.test", **more: object) -> Variables:
    return {name: {"odj_domain": domain, "odj_organizational_units": UNITS, **more} for name in names}


def group(host: str, variables: Variables, live: t.Sequence[str] | None = None) -> DomainGroup:
    return group_of(host, list(variables), list(variables) if live is None else live, variables)


def names(members: t.Iterable[Member]) -> list[str]:
    return [member.name for member in members]


def test_servers_of_one_domain_belong_together_whatever_the_batch() -> None:
    variables = {**inventory("odj01", "odj02", "odj03"), **inventory("odj11", domain="fabrikam.test")}
    found = group("odj02", variables, live=["odj02"])
    assert names(found.members) == ["odj01", "odj02", "odj03"]
    assert found.to_json()["others"] == ["odj01", "odj03"]
    assert found.acting == found.delegating == "odj02"


@pytest.mark.parametrize("spelt", ["CONTOSO.test", "contoso.test."])
def test_a_domain_is_compared_as_a_dns_name(spelt: str) -> None:
    variables = {**inventory("odj01"), **inventory("odj02", domain=spelt)}
    assert names(group("odj01", variables).members) == ["odj01", "odj02"]


def test_what_was_seen_on_the_server_counts_more_than_the_inventory() -> None:
    variables = inventory("odj01", "odj02")
    variables["odj02"]["connector_server_look"] = look("fabrikam.test")
    assert names(group("odj01", variables).members) == ["odj01"]


def test_without_a_domain_in_the_inventory_the_look_tells_them_apart() -> None:
    variables: Variables = {name: {} for name in ("odj01", "odj11", "odj12")}
    assert names(group("odj01", variables).members) == ["odj01", "odj11", "odj12"]
    variables["odj01"]["connector_server_look"] = look("contoso.test")
    variables["odj11"]["connector_server_look"] = look("fabrikam.test")
    assert names(group("odj11", variables).members) == ["odj11"]
    assert names(group("odj11", variables).possible) == ["odj11", "odj12"]


def test_who_acts_is_still_there() -> None:
    variables = inventory("odj01", "odj02", "odj03")
    assert group("odj03", variables).acting == "odj01"
    assert group("odj03", variables, live=["odj02", "odj03"]).acting == "odj02"
    assert group("odj03", variables, live=[]).acting == "odj03"


def test_a_host_of_a_later_batch_has_no_look_and_does_no_harm() -> None:
    """U3: with serial, most members have not been looked at."""
    variables = inventory("odj01", "odj02", "odj03")
    variables["odj01"]["connector_server_look"] = look(
        "contoso.test", "CONTOSO\\msaODJaaaaa$", fqdn="odj01.contoso.test"
    )
    found = group("odj01", variables, live=["odj01"])
    assert found.accounts == ("CONTOSO\\msaODJaaaaa$",)
    assert found.signed_in == ("odj01.contoso.test",)
    later = group("odj03", variables, live=["odj03"])
    assert (later.acting, later.accounts, later.signed_in) == ("odj03", (), ())


def test_accounts_are_those_of_who_wants_the_same() -> None:
    variables = inventory("odj01", "odj02", "odj03")
    for name in variables:
        variables[name]["connector_server_look"] = look("contoso.test", f"CONTOSO\\{name}$")
    variables["odj02"]["odj_organizational_units"] = ["OU=Elsewhere,DC=contoso,DC=test"]
    assert group("odj01", variables).accounts == ("CONTOSO\\odj01$", "CONTOSO\\odj03$")
    assert group("odj02", variables).accounts == ("CONTOSO\\odj02$",)
    assert group("odj02", variables).delegating == "odj02"
    assert group("odj02", variables).acting == "odj01"
    (said,) = group("odj03", variables).differences
    assert "odj02 differ from those of odj01" in said
    assert group("odj03", variables).to_json()["organizational_units"] == [*UNITS, "OU=Elsewhere,DC=contoso,DC=test"]


def test_what_is_delegated_is_not_owed_however_the_account_is_written() -> None:
    variables = inventory("odj01", "odj02")
    for name in variables:
        variables[name]["connector_server_look"] = look("contoso.test", f"CONTOSO\\{name}$")
    assert group("odj02", variables).owed == ("CONTOSO\\odj02$",)
    variables["odj01"]["connector_server__delegated"] = ["ODJ01$", "odj02$@contoso.test"]
    assert group("odj01", variables).to_delegate == ()
    assert group("odj02", variables).owed == ()


def test_a_group_account_of_all_is_one_account() -> None:
    variables = inventory("odj01", "odj02")
    for name, spelt in (("odj01", "CONTOSO\\gmsaOdj$"), ("odj02", "contoso\\GMSAODJ$")):
        variables[name]["connector_server_look"] = look("contoso.test", spelt)
    assert group("odj01", variables).accounts == ("CONTOSO\\gmsaOdj$",)


def test_a_server_that_nobody_has_asked_for_is_not_verified() -> None:
    variables = inventory("odj01", "odj02")
    variables["odj02"]["connector_server_look"] = look("contoso.test", "CONTOSO\\a$", fqdn="odj02.contoso.test")
    assert group("odj01", variables).to_json()["unverified"] == []
    assert group("odj02", variables).to_json()["unverified"] == ["odj02.contoso.test"]
    variables["odj01"]["connector_server__verified"] = ["odj02.contoso.test"]
    assert group("odj02", variables).to_json()["unverified"] == []


@pytest.mark.parametrize(
    "odd", [None, "text", 7, [], {"server": None}, {"server": {"host": 3, "state": ["x"], "enrollment": "yes"}}]
)
def test_a_look_of_another_form_is_no_look(odd: object) -> None:
    variables = inventory("odj01", connector_server_look=odd, connector_server__delegated=odd)
    found = group("odj01", variables)
    assert (found.me.domain, found.me.state, found.me.account, found.accounts) == ("contoso.test", "", "", ())
