# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts become verdicts; what is not known is never called met or unmet."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, probes_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import (
    NEEDED_SUBSETS,
    UnmetPrerequisites,
    Verdict,
    check_prerequisites,
    prerequisite_facts,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows

SCOPE = Scope(NEEDED_SUBSETS)
WINDOWS = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
DOTNET = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
MANAGE = "endpoint:manage.microsoft.com:443"


def verdicts(server: FakeWindows, domain: str | None = None) -> dict[str, Verdict]:
    return {one.name: one for one in check_prerequisites(server.ask(probes_of(SCOPE)), SCOPE, domain)}


def test_a_good_server_meets_all() -> None:
    found = verdicts(FakeWindows(), "CONTOSO.com.")
    assert {one.verdict for one in found.values()} == {"met"}
    assert len(found) == 9
    assert prerequisite_facts(list(found.values()))["warnings"] == []


Spoil = Callable[[FakeWindows], t.Any]


@pytest.mark.parametrize(
    ("spoil", "name", "verdict", "word"),
    [
        (
            lambda s: s.registry[WINDOWS]["values"].update(CurrentBuild={"data": "9600"}),
            "operating_system",
            "unmet",
            "older",
        ),
        (lambda s: s.host.update(product_type=1), "operating_system", "unmet", "no"),
        (lambda s: s.host.update(part_of_domain=False, domain_role=2), "domain_membership", "unmet", "no member"),
        (lambda s: s.host.update(domain="fabrikam.com"), "domain_membership", "unmet", "only the domain"),
        (lambda s: s.host.update(domain_role=5), "domain_membership", "met", "domain controller"),
        (
            lambda s: s.registry[DOTNET]["values"].update(Release={"data": 461807}),
            "dotnet_framework",
            "unmet",
            "too old",
        ),
        (lambda s: s.registry.pop(DOTNET), "dotnet_framework", "unmet", "too old"),
        (lambda s: s.install("6.2407.2000.8"), "connector_build", "unmet", "no longer"),
        (
            lambda s: (s.install("6.2604.2000.3"), s.entries.update({"{B2}": s.entries["{B}"]})),
            "single_connector",
            "unmet",
            "More",
        ),
        (lambda s: s.install("6.2604.2000.3"), "single_connector", "met", ""),
        (lambda s: s.unreachable.update({"manage.microsoft.com": "dns"}), MANAGE, "unmet", "resolved"),
        (lambda s: s.unreachable.update({"manage.microsoft.com": "connect"}), MANAGE, "unmet", "TCP"),
        (lambda s: s.unreachable.update({"manage.microsoft.com": "proxy"}), MANAGE, "unmet", "proxy"),
        (lambda s: s.unreachable.update({"manage.microsoft.com": "tls"}), MANAGE, "unmet", "TLS"),
        (lambda s: s.broken.add("dotnet"), "dotnet_framework", "unknown", "AccessDenied"),
        (lambda s: s.broken.add("network"), MANAGE, "unknown", "AccessDenied"),
        (lambda s: s.broken.update({"windows", "host"}), "operating_system", "unknown", "AccessDenied"),
        (lambda s: s.broken.add("host"), "domain_membership", "unknown", "AccessDenied"),
        (lambda s: s.broken.add("uninstall_32"), "single_connector", "unknown", "AccessDenied"),
        (lambda s: s.broken.add("host"), "operating_system", "unknown", "AccessDenied"),
        (lambda s: s.install("newest"), "connector_build", "unknown", "newest"),
        (lambda s: s.install("6.2604.2000.3"), "connector_state", "met", ""),
        (
            lambda s: (s.install("6.2604.2000.3"), s.sign_in(), s.service.update(state="Stopped", exit_code=1069)),
            "connector_state",
            "met",
            "could not log on",
        ),
        (
            lambda s: (s.install("6.2604.2000.3"), s.broken.add("certificate")),
            "connector_state",
            "unknown",
            "AccessDenied",
        ),
        (lambda s: s.untrusted.add("manage.microsoft.com"), MANAGE, "unmet", "does not trust"),
        (lambda s: s.forgotten.add("manage.microsoft.com"), MANAGE, "unknown", "nothing came back"),
    ],
)
def test_each_fault_has_its_verdict(spoil: Spoil, name: str, verdict: str, word: str) -> None:
    server = FakeWindows()
    spoil(server)
    one = verdicts(server, "contoso.com")[name]
    assert (one.verdict, word in one.cause) == (verdict, True)
    assert bool(one.cure) == (verdict != "met")


def test_an_old_build_is_unmet_even_when_nobody_says_that_it_is_a_server() -> None:
    server = FakeWindows(broken={"host"})
    server.registry[WINDOWS]["values"].update(CurrentBuild={"data": "9600"})
    assert verdicts(server)["operating_system"].verdict == "unmet"


def test_one_message_names_all_that_is_unmet_and_the_cures() -> None:
    server = FakeWindows(unreachable={"manage.microsoft.com": "connect"})
    server.registry.pop(DOTNET)
    error = UnmetPrerequisites("odj01", list(verdicts(server).values()))
    for word in ("odj01", "dotnet_framework", "manage.microsoft.com:443", "Install .NET", "firewall"):
        assert word in str(error)
    assert [one["name"] for one in t.cast("list[dict[str, str]]", error.facts["unmet"])] == ["dotnet_framework", MANAGE]


@pytest.mark.parametrize(
    ("stage", "cause"), [("dns", "name of the proxy"), ("connect", "proxy cannot be reached"), ("proxy", "refuses")]
)
def test_a_proxy_that_is_out_of_reach_is_the_culprit_and_not_the_firewall_in_front_of_an_endpoint(
    stage: str, cause: str
) -> None:
    scope = Scope(NEEDED_SUBSETS, proxy="http://proxy.contoso.com:8080")
    server = FakeWindows(unreachable={target.rpartition(":")[0]: stage for target in scope.endpoints})
    found = check_prerequisites(server.ask(probes_of(scope)), scope, None)
    unmet = [one for one in found if one.verdict == "unmet"]
    assert [one.name for one in unmet] == [f"endpoint:{target}" for target in scope.endpoints]
    assert all(cause in one.cause and "set the option proxy" not in one.cure for one in unmet)
    told = str(UnmetPrerequisites("odj01", found))
    assert told.count("Check host and port in the option proxy") == (stage == "connect")
