# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions, the state word and its reasons: each way in which a connector can be, told apart from the others."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.conditions import (
    REMEDIATIONS,
    TYPES,
    Expectation,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, further_probes, probes_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import (
    STATES,
    ServerState,
    may_count_on,
    read_state,
)
from ansible_collections.hybridjoin.odj.plugins.modules.odj_server_info import RETURN
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import ACCOUNT_SID, FakeWindows, facts
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, ROOT, entry_values

BUILD = "6.2604.2000.3"
SCOPE = Scope(frozenset({"connector", "config"}))
PROTECTED = (
    b'<configuration><appSettings configProtectionProvider="Dpapi"><EncryptedData/></appSettings></configuration>'
)
CONDITIONS_DOC = RETURN[RETURN.index("    conditions:") : RETURN.index("    reasons:")]
Spoil = Callable[[FakeWindows], t.Any]


def signed_in(spoil: Spoil = lambda _server: None) -> FakeWindows:
    server = FakeWindows()
    server.install(BUILD)
    server.sign_in()
    spoil(server)
    return server


def judge(server: FakeWindows, expected: Expectation | None = None, scope: Scope = SCOPE) -> ServerState:
    return read_state(server.ask(probes_of(scope)), expected)


def stopped(code: int, mode: str = "Auto") -> Spoil:
    return lambda server: server.service.update(state="Stopped", start_mode=mode, exit_code=code)


def certificate(**changes: object) -> Spoil:
    return lambda server: server.certificates[0].update(changes)


def key_access(sddl: str) -> Spoil:
    return certificate(key_sddl=sddl)


def configuration(content: bytes) -> Spoil:
    return lambda server: server.files.update({CONFIG: content})


def denied(probe: str, spoil: Spoil = lambda _server: None) -> Spoil:
    def spoil_more(server: FakeWindows) -> None:
        server.broken.add(probe)
        spoil(server)

    return spoil_more


def legacy_without_certificate(server: FakeWindows) -> None:
    server.install("6.2407.2000.8")
    server.certificates.clear()


SIGNED_IN: list[tuple[str, Spoil, str, set[str]]] = [
    ("sound", lambda _s: None, "healthy", set()),
    ("1069", stopped(1069), "degraded", {"AccountCannotLogOn", "ServiceStopped"}),
    ("no right to log on", stopped(1385), "degraded", {"AccountCannotLogOn", "ServiceStopped"}),
    ("stopped by somebody", stopped(0), "degraded", {"ServiceStopped"}),
    ("crashed", stopped(1067), "degraded", {"ServiceStopped"}),
    ("disabled", stopped(1077, "Disabled"), "degraded", {"ServiceDisabled"}),
    ("start pending", lambda s: s.service.update(state="Start Pending"), "degraded", {"ServicePending"}),
    ("no state", lambda s: s.service.update(state=None), "unknown", {"NoAnswer"}),
    ("service gone", lambda s: s.service.update(exists=False), "degraded", {"ServiceMissing"}),
    ("expired", certificate(not_after="2020-01-02T00:00:00.0000000Z"), "degraded", {"CertificateExpired"}),
    ("not yet", certificate(not_before="2998-01-02T00:00:00.0000000Z"), "degraded", {"CertificateNotYetValid"}),
    ("no key", certificate(has_private_key=False), "degraded", {"CertificateWithoutKey"}),
    ("key for others", key_access("O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)"), "degraded", {"KeyAccessDenied"}),
    ("key for a group", key_access("D:(A;;FA;;;SY)(A;;FR;;;S-1-5-21-1-2-3-9)"), "healthy", set()),
    ("key not seen", certificate(key_sddl=None, key_error="LanguageMode"), "healthy", set()),
    ("local system", lambda s: s.service.update(start_name="LocalSystem"), "degraded", {"AccountLocalSystem"}),
    ("a person", lambda s: s.service.update(start_name=r"CONTOSO\svc"), "degraded", {"AccountNotManaged"}),
    ("no account", lambda s: s.service.update(start_name=None), "degraded", {"AccountNotManaged"}),
    ("UPN", lambda s: s.service.update(start_name="msaODJab1cd$@contoso.com"), "healthy", set()),
    ("broken file", configuration(b"<configuration>"), "degraded", {"ConfigurationBroken"}),
    ("protected file", configuration(PROTECTED), "degraded", {"ConfigurationProtected"}),
    (
        "UTF-16",
        configuration("\ufeff".encode("utf-16-le") + PROTECTED.decode().encode("utf-16-le")),
        "degraded",
        {"ConfigurationProtected"},
    ),
    ("no file", lambda s: s.files.pop(CONFIG), "degraded", {"ConfigurationMissing"}),
    ("file denied", denied("config_0"), "unknown", {"NoAnswer"}),
    ("file denied, and stopped", denied("config_0", stopped(0)), "degraded", {"ServiceStopped"}),
    ("store denied", denied("certificate"), "unknown", {"NoAnswer"}),
    ("store denied, and stopped", denied("certificate", stopped(0)), "unknown", {"NoAnswer"}),
    ("service denied", denied("service"), "unknown", {"NoAnswer"}),
    ("keys denied", denied("uninstall_32"), "unknown", {"NoAnswer"}),
    ("legacy", lambda s: s.install("6.2407.2000.8"), "legacy", {"LegacyBuild"}),
    ("legacy, and nobody signed in", legacy_without_certificate, "legacy", {"LegacyBuild"}),
    ("no number", lambda s: s.install("newest"), "unknown", {"BuildUnknown"}),
    ("uninstalled", lambda s: s.entries.clear(), "absent", {"NotInstalled"}),
]


@pytest.mark.parametrize(("spoil", "state", "reasons"), [row[1:] for row in SIGNED_IN], ids=[r[0] for r in SIGNED_IN])
def test_each_state_of_a_signed_in_connector_has_its_word_and_reasons(
    spoil: Spoil, state: str, reasons: set[str]
) -> None:
    judged = judge(signed_in(spoil))
    assert (judged.state, {one.reason for one in judged.reasons}) == (state, reasons)
    assert all(one.cause and one.remediation for one in judged.reasons)
    assert tuple(one.type for one in judged.conditions) == TYPES
    assert {one.status for one in judged.conditions} <= {"true", "false", "unknown"}
    assert may_count_on(judged).answer is {"healthy": True, "unknown": None}.get(state, False)


def test_the_table_has_every_state_but_the_one_before_the_sign_in() -> None:
    assert {row[2] for row in SIGNED_IN} == set(STATES) - {"awaiting_sign_in"}


def test_every_reason_of_the_table_is_documented() -> None:
    documented = set(re.findall(r"V\(([A-Z]\w+)\)", CONDITIONS_DOC))
    assert documented == {f"{reason}" for reason in REMEDIATIONS}


def test_a_fresh_installation_awaits_the_sign_in_and_says_nothing_of_the_service() -> None:
    server = FakeWindows()
    server.install(BUILD)
    judged = judge(server)
    assert (judged.state, [one.reason for one in judged.reasons]) == ("awaiting_sign_in", ["NotSignedIn"])
    assert judged.signed_in is False


def test_what_hinders_the_sign_in_is_told_with_it() -> None:
    server = FakeWindows()
    server.install(BUILD)
    server.files[CONFIG] = b"<"
    assert [one.reason for one in judge(server).reasons] == ["NotSignedIn", "ConfigurationBroken"]


@pytest.mark.parametrize("spoil", [stopped(1069), stopped(0, "Disabled"), certificate(has_private_key=False)])
def test_signed_in_does_not_depend_on_the_service(spoil: Spoil) -> None:
    assert facts(signed_in(spoil))["enrollment"]["signed_in"] is True


def test_whether_somebody_signed_in_is_not_known_where_the_store_cannot_be_read() -> None:
    assert facts(signed_in(lambda s: s.broken.add("certificate")))["enrollment"]["signed_in"] is None


def test_a_valid_certificate_with_a_key_counts_before_a_later_one_without() -> None:
    server = signed_in()
    server.certificates.append(
        {**server.certificates[0], "not_after": "2999-06-01T00:00:00Z", "has_private_key": False}
    )
    assert judge(server).state == "healthy"


def test_a_number_that_an_msi_cut_is_never_a_legacy_build() -> None:
    server = signed_in()
    server.entries = {"{M}": entry_values("6.26.4.2000", 1)}
    judged = judge(server)
    assert (judged.state, judged.reasons[0].reason) == ("unknown", "BuildUnknown")
    assert judged.condition("installed").evidence["service_file_version"] == BUILD
    assert "6.26.4.2000" in judged.reasons[0].cause
    assert BUILD in judged.reasons[0].cause
    assert judge(server, Expectation(build_from="service_file")).state == "healthy"


def test_the_bundle_tells_the_build_beside_a_number_that_an_msi_cut() -> None:
    server = signed_in()
    server.entries["{M}"] = entry_values("6.26.4.2000", 1)
    assert (facts(server)["connector"]["version"], judge(server).state) == (BUILD, "healthy")


def test_the_build_of_the_service_file_is_unknown_without_one() -> None:
    server = signed_in()
    server.file_version = None
    assert judge(server, Expectation(build_from="service_file")).state == "unknown"


def test_one_unreadable_uninstall_key_is_named_and_the_rest_counts() -> None:
    server = signed_in(lambda s: s.unreadable.append("{OTHER}"))
    result = facts(server)
    assert result["state"] == "healthy"
    assert result["connector"]["unreadable_uninstall_keys"] == ["{OTHER}: Zugriff verweigert"]
    server.entries.clear()
    assert judge(server).reasons[0].reason == "EntryUnreadable"  # the service is there, so one of them may be its
    server.service = {"exists": False}
    assert judge(server).state == "absent"


@pytest.mark.parametrize(
    ("expected", "state"),
    [("msaODJab1cd", "healthy"), (r"CONTOSO\msaODJab1cd$", "healthy"), ("gmsaODJ@contoso.com", "degraded")],
)
def test_the_expected_account_is_compared_by_its_name(expected: str, state: str) -> None:
    judged = judge(signed_in(), Expectation(account=expected))
    assert judged.state == state
    assert ("AccountUnexpected" in {one.reason for one in judged.reasons}) is (state == "degraded")


def test_an_expected_unit_that_the_list_lacks_makes_it_degraded() -> None:
    unit = "OU=Autopilot,DC=contoso,DC=com"
    judged = judge(signed_in(), Expectation(organizational_units=(unit,)))
    assert (judged.state, judged.reasons[0].reason) == ("degraded", "OuListIncomplete")
    assert unit in judged.reasons[0].cause


def test_a_configuration_that_was_not_asked_for_decides_nothing() -> None:
    judged = judge(signed_in(), scope=replace(SCOPE, subsets=frozenset({"connector"})))
    assert (judged.state, judged.condition("configured").reason) == ("healthy", "NotAsked")


@pytest.mark.parametrize(
    ("code", "word"), [(1069, "may not log on"), (1067, "unexpectedly"), (1066, "error 7"), (4711, "4711")]
)
def test_the_last_exit_code_is_said_in_words(code: int, word: str) -> None:
    server = signed_in(stopped(code))
    server.service["service_exit_code"] = 7
    assert word in (judge(server).condition("service_running").message)


def test_the_account_is_looked_for_in_the_access_list_of_the_key() -> None:
    evidence = judge(signed_in()).condition("account_ready").evidence
    assert evidence["sid"] == ACCOUNT_SID
    assert ACCOUNT_SID in str(evidence["key_sddl"])


def test_the_service_file_is_asked_for_again_where_the_connector_lies_elsewhere() -> None:
    server = signed_in()
    server.service["path"] = r"D:\ODJ\ODJConnectorSvc\ODJConnectorSvc.exe"
    connector = Scope(frozenset({"connector"}))
    assert further_probes(server.ask(probes_of(connector)), connector) == []
    server.entries = {"{M}": entry_values("6.26.4.2000", 1)}
    (again,) = further_probes(server.ask(probes_of(connector)), connector)
    assert again["path"] == r"D:\ODJ\ODJConnectorSvc\ODJConnectorSvc.exe"
    assert ROOT not in str(again)
