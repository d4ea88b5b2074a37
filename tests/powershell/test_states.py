# SPDX-License-Identifier: GPL-3.0-or-later
"""The state word, with the real script in a real PowerShell: each way in which a server of the lab can be, told right.

Windows' cmdlets and types are shims over the state of a server of the lab (``shims``); the questions, the script and
what is made of its answers are the collection's own.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import time
import typing as t
from collections.abc import Callable
from functools import partial

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.conditions import Expectation
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import (
    Scope,
    connector_facts,
    probes_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import read_state
from ansible_collections.hybridjoin.odj.tests.powershell import servers
from ansible_collections.hybridjoin.odj.tests.powershell.pwsh import Engine, needs_engine
from ansible_collections.hybridjoin.odj.tests.powershell.servers import State, certificate, service
from odj_lab.product import layout
from odj_lab.windows.machine import iso

pytestmark = needs_engine

SCOPE = Scope(frozenset({"connector", "config"}))
PROTECTED = b'<configuration><appSettings configProtectionProvider="X"><EncryptedData/></appSettings></configuration>'
Make = Callable[[], State]


def spoilt(spoil: Callable[[State], t.Any], make: Make = servers.signed_in) -> Make:
    def build() -> State:
        state = make()
        spoil(state)
        return state

    return build


def of_service(**changes: object) -> Make:
    return spoilt(lambda state: service(state).update(changes))


def of_certificate(**changes: object) -> Make:
    return spoilt(lambda state: certificate(state).update(changes))


def configured(content: bytes) -> Make:
    return spoilt(lambda state: servers.configure(state, content))


def constrained(make: Make) -> Make:
    return spoilt(lambda state: state.update(language_mode="ConstrainedLanguage"), make)


def denied(what: str, *names: str) -> Make:
    return spoilt(lambda state: state.update({what: list(names)}))


UNINSTALL = rf"HKLM\SOFTWARE\{layout.UNINSTALL}"
GONE = {"state": "Stopped", "process_id": 0, "exit_code": 1069}
VARIANTS: dict[str, tuple[Make, str, set[str]]] = {
    "nothing there": (servers.bare, "absent", {"NotInstalled"}),
    "nothing there, constrained": (constrained(servers.bare), "absent", {"NotInstalled"}),
    "installed": (servers.installed, "awaiting_sign_in", {"NotSignedIn"}),
    "healthy": (servers.signed_in, "healthy", set()),
    "healthy, constrained": (constrained(servers.signed_in), "healthy", set()),
    "legacy": (partial(servers.signed_in, "6.2407.2000.8"), "legacy", {"LegacyBuild"}),
    "1069": (of_service(**GONE), "degraded", {"AccountCannotLogOn", "ServiceStopped"}),
    "account gone": (
        spoilt(lambda s: (service(s).update(GONE), s["sids"].clear())),
        "degraded",
        {"AccountCannotLogOn", "ServiceStopped"},
    ),
    "stopped": (of_service(state="Stopped", process_id=0), "degraded", {"ServiceStopped"}),
    "stopped, constrained": (constrained(of_service(state="Stopped")), "degraded", {"ServiceStopped"}),
    "disabled": (of_service(state="Stopped", start_mode="Disabled"), "degraded", {"ServiceDisabled"}),
    "start pending": (of_service(state="Start Pending"), "degraded", {"ServicePending"}),
    "service gone": (spoilt(lambda s: s["services"].pop(layout.SERVICE)), "degraded", {"ServiceMissing"}),
    "local system": (of_service(start_name="LocalSystem"), "degraded", {"AccountLocalSystem"}),
    "another account": (of_service(start_name=r"CONTOSO\svc-odj"), "degraded", {"AccountNotManaged"}),
    "WMI denied": (denied("cim_denied", "Win32_Service"), "unknown", {"NoAnswer"}),
    "expired": (of_certificate(not_after=iso(time.time() - 60)), "degraded", {"CertificateExpired"}),
    "no key": (of_certificate(has_private_key=False), "degraded", {"CertificateWithoutKey"}),
    "key for others": (of_certificate(key_sddl="D:(A;;FA;;;SY)(A;;FA;;;BA)"), "degraded", {"KeyAccessDenied"}),
    "key unreadable, running": (of_certificate(key_broken=True), "healthy", set()),
    "key unreadable, stopped": (
        spoilt(lambda s: service(s).update(state="Stopped"), of_certificate(key_broken=True)),
        "degraded",
        {"ServiceStopped"},
    ),
    "store denied": (denied("denied_stores", "My"), "unknown", {"NoAnswer"}),
    "store denied, constrained": (constrained(denied("denied_stores", "My")), "unknown", {"NoAnswer"}),
    "uninstall keys denied": (denied("denied_keys", UNINSTALL), "unknown", {"NoAnswer"}),
    "uninstall keys denied, constrained": (constrained(denied("denied_keys", UNINSTALL)), "unknown", {"NoAnswer"}),
    "own entries denied": (spoilt(servers.deny_entries), "unknown", {"EntryUnreadable"}),
    "another's entry denied": (spoilt(servers.deny_other_entry), "healthy", set()),
    "another's entry denied, constrained": (constrained(spoilt(servers.deny_other_entry)), "healthy", set()),
    "only the MSI's entry": (spoilt(servers.only_msi), "unknown", {"BuildUnknown"}),
    "broken configuration": (configured(b"<configuration><appSettings>"), "degraded", {"ConfigurationBroken"}),
    "protected configuration": (configured(PROTECTED), "degraded", {"ConfigurationProtected"}),
    "no configuration": (
        spoilt(lambda s: s["files"].pop(layout.WIZARD_CONFIG)),
        "degraded",
        {"ConfigurationMissing"},
    ),
    "configuration denied": (denied("denied_paths", layout.WIZARD_CONFIG), "unknown", {"NoAnswer"}),
    "configuration in use": (denied("locked_paths", layout.WIZARD_CONFIG), "unknown", {"NoAnswer"}),
}


def look(engine: Engine, state: State) -> Snapshot:
    asked_at = datetime.datetime.now(datetime.UTC)
    answers = engine.run("odj_server_probe", {"probes": probes_of(SCOPE)}, state)["answers"]
    return Snapshot(answers, asked_at, datetime.datetime.now(datetime.UTC))


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_of_a_server_has_its_state_word(windows: Engine, variant: str) -> None:
    make, state, reasons = VARIANTS[variant]
    judged = read_state(look(windows, make()))
    assert (judged.state, {one.reason for one in judged.reasons}) == (state, reasons), judged.conditions


def test_the_service_file_is_the_evidence_where_only_an_msi_is_registered(windows: Engine) -> None:
    snapshot = look(windows, spoilt(servers.only_msi)())
    facts: t.Any = connector_facts(snapshot, SCOPE)
    assert facts["connector"]["service_file_version"] == servers.NEWEST
    assert read_state(snapshot, Expectation(build_from="service_file")).state == "healthy"


def test_a_denied_sub_key_is_named(windows: Engine) -> None:
    for make in (spoilt(servers.deny_other_entry), constrained(spoilt(servers.deny_other_entry))):
        facts: t.Any = connector_facts(look(windows, make()), SCOPE)
        (told,) = facts["connector"]["unreadable_uninstall_keys"]
        assert told.startswith("{0000}: ")


def test_the_access_list_of_the_key_and_the_account_are_read(windows: Engine) -> None:
    evidence = read_state(look(windows, servers.signed_in())).condition("account_ready").evidence
    assert (evidence["sid"], evidence["key_error"]) == (servers.ACCOUNT_SID, None)
    assert servers.ACCOUNT_SID in str(evidence["key_sddl"])
    unreadable = read_state(look(windows, of_certificate(key_broken=True)())).condition("account_ready").evidence
    assert (unreadable["key_sddl"], bool(unreadable["key_error"])) == (None, True)


def test_a_file_is_replaced_and_its_access_list_read_where_no_types_are_loaded(windows: Engine) -> None:
    state, content = servers.signed_in(), b"<configuration/>"
    before = base64.b64decode(state["files"][layout.WIZARD_CONFIG]["content"])
    change = {
        "operation": "replace_file",
        "path": layout.WIZARD_CONFIG,
        "content": base64.b64encode(content).decode(),
        "expected_sha256": hashlib.sha256(before).hexdigest(),
        "backup_path": f"{layout.WIZARD_CONFIG}.bak",
    }
    answer = windows.run("odj_server_change", change, state)
    assert (answer.get("failed"), answer["changed"]) == (None, True), answer
    assert answer["after_sha256"] == hashlib.sha256(content).hexdigest()
    assert answer["sddl_before"] == answer["sddl_after"] == state["files"][layout.WIZARD_CONFIG]["sddl"]


def test_a_file_question_tells_the_access_list_where_no_types_are_loaded(windows: Engine) -> None:
    state = servers.signed_in()
    probe = {"id": "it", "kind": "file", "path": layout.WIZARD_CONFIG, "acl": True}
    answer = windows.run("odj_server_probe", {"probes": [probe]}, state)["answers"]["it"]
    assert answer["value"]["sddl"] == state["files"][layout.WIZARD_CONFIG]["sddl"]
