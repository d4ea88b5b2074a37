# SPDX-License-Identifier: GPL-3.0-or-later
"""odj_ou_config: the OU list in a file full of traps, changed without touching another byte."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import (
    CHANGE,
    PROBE,
    Stage,
    Step,
    check,
    content,
    task,
    thrice,
    unchanged,
)
from odj_lab.product import host, layout
from odj_lab.store import JsonLog
from odj_lab.windows import filesystem

CONFIG = "odj_ou_config"
PATIENCE = 300  # seconds for what takes one
KEY = layout.OU_KEY
TRAPS = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n'
    "<!-- <appSettings><add key='OrganizationalUnitsUsedForOfflineDomainJoin' value='no'/></appSettings> -->\r\n"
    "<configuration>\n\t<appSettings  >\r\n"
    "\t\t<add value='https://portal.manage.microsoft.com/Home/ClientLogon?a=1&amp;b=2'   key='SignInURL'/>\n"
    "<add\r\n  value = 'LIST' key = \"KEY\"></add><!-- é -->   \r\n"
    "  </appSettings>\r\n<appSettings2/></configuration>\r\n\r\n"
).replace("KEY", KEY)
KIOSK, AUTOPILOT = "OU=Kiosk,OU=Autopilot,DC=contoso,DC=test", "OU=Autopilot,DC=contoso,DC=test"
COMMA, SEMICOLON = r"OU=Lab\, North,DC=contoso,DC=test", r"OU=a\;b & 'c',DC=contoso,DC=test"
RIGHTS = "O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)"


def config(*units: str) -> bytes:
    """Return the file with an OU list, as text inside single quotes."""
    return TRAPS.replace("LIST", ";".join(units)).encode()


@pytest.fixture
def listed(stage: Stage) -> Stage:
    """A connector whose list holds one OU, in a spelling of its own, in a file with rights of its own."""
    stage.install()
    with stage.change() as state:
        host.put_file(state, layout.WIZARD_CONFIG, config("ou=KIOSK, ou=Autopilot,dc=contoso,dc=test"), sddl=RIGHTS)
    return stage


SPELT = "ou=KIOSK, ou=Autopilot,dc=contoso,dc=test"
IN_FILE = r"OU=a\3Bb &amp; &apos;c&apos;,DC=contoso,DC=test"


def backup(step: Step) -> bytes | None:
    return content(step.state, step.result["backup_path"])


def only_the_file_differs(before: dict[str, t.Any], step: Step) -> None:
    """See that nothing but the file and its backup is another than before, and that both have the file's rights."""
    files = {path: record for path, record in step.state["files"].items() if path != step.result["backup_path"]}
    assert set(files) == set(before["files"])
    changed = [path for path in files if files[path] != before["files"][path]]
    assert changed == [layout.WIZARD_CONFIG]
    assert (filesystem.entry(step.state, layout.WIZARD_CONFIG) or {})["sddl"] == RIGHTS


def test_present_adds_what_is_missing(listed: Stage) -> None:
    first = listed.state()
    checked, done, again = listed.tasks("odj01", thrice(CONFIG, organizational_units=[KIOSK, COMMA, SEMICOLON]))

    assert checked.changed
    assert checked.diff == (f"{SPELT}\n", f"{SPELT}\n{COMMA}\n{SEMICOLON}\n")
    assert (checked.result["backup_path"], checked.ran) == (None, (PROBE,))
    assert unchanged(first, checked.state)

    assert done.changed
    assert done.diff == checked.diff
    assert done.result["organizational_units"] == [SPELT, COMMA, SEMICOLON]
    assert done.conditions == ["configure_service_account"]
    assert content(done.state) == config(SPELT, COMMA, IN_FILE)
    assert backup(done) == config(SPELT)
    assert done.ran == (PROBE, CHANGE)
    only_the_file_differs(first, done)

    assert not again.changed
    assert (again.result["diff"], again.result["backup_path"], again.ran) == ([], None, (PROBE,))
    assert unchanged(done.state, again.state)


def test_exact_takes_out_what_is_not_named(listed: Stage) -> None:
    first = listed.state()
    checked, done, again = listed.tasks("odj01", thrice(CONFIG, organizational_units=[COMMA], state="exact"))

    assert checked.diff == (f"{SPELT}\n", f"{COMMA}\n")
    assert unchanged(first, checked.state)
    assert done.changed
    assert content(done.state) == config(COMMA)
    assert backup(done) == config(SPELT)
    only_the_file_differs(first, done)
    assert not again.changed
    assert again.ran == (PROBE,)


def test_absent_takes_out_what_is_named(listed: Stage) -> None:
    listed.put(layout.WIZARD_CONFIG, config(SPELT, COMMA, IN_FILE))
    first = listed.state()
    units = [r"OU=Lab\2C North,dc=contoso,dc=test", AUTOPILOT]
    checked, done, again = listed.tasks("odj01", thrice(CONFIG, organizational_units=units, state="absent"))

    stays = r"OU=a\3Bb & 'c',DC=contoso,DC=test"
    assert checked.diff == (f"{SPELT}\n{COMMA}\n{stays}\n", f"{SPELT}\n{stays}\n")
    assert unchanged(first, checked.state)
    assert content(done.state) == config(SPELT, IN_FILE)
    only_the_file_differs(first, done)
    assert not again.changed


def test_keys_of_an_own_account_are_added_once(listed: Stage) -> None:
    keys = {"tenant_configured_managed_service_account": "gmsaODJ@contoso.test", "disable_ou_updates": True}
    checked, done, again = listed.tasks("odj01", thrice(CONFIG, organizational_units=[KIOSK], **keys))
    assert f"{layout.NO_OU_UPDATES_KEY}: true" in checked.diff[1]
    settings = layout.settings(content(done.state) or b"")
    assert settings[layout.OWN_ACCOUNT_KEY] == "gmsaODJ@contoso.test"
    assert settings[layout.NO_OU_UPDATES_KEY] == "true"
    assert settings[KEY] == SPELT
    assert not again.changed


def test_a_connector_in_another_directory_is_found(stage: Stage) -> None:
    stage.install()
    with stage.change() as state:
        moved = {path.replace(layout.ROOT, r"D:\ODJ"): record for path, record in state["files"].items()}
        state["files"] = moved
        service = state["services"][layout.SERVICE]
        service["path"] = service["path"].replace(layout.ROOT, r"D:\ODJ")
    units = {"organizational_units": [COMMA]}
    told = task(CONFIG, **units, install_path="D:\\ODJ\\")
    done, again, again_told = stage.tasks("odj01", [task(CONFIG, **units), task(CONFIG, **units), told])
    assert done.result["path"] == layout.WIZARD_CONFIG.replace(layout.ROOT, r"D:\ODJ")
    assert COMMA.encode() in (content(done.state, done.result["path"]) or b"")
    assert (again.changed, again.ran) == (False, (PROBE, PROBE))
    assert (again_told.changed, again_told.ran) == (False, (PROBE,))


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (config(SPELT).replace(b"</appSettings>", b""), "not well-formed XML"),
        (config(SPELT).replace(b"appSettings", b"other"), "0 sections"),
        (config(SPELT).replace("é".encode(), b"\xe9"), "cannot be decoded as utf-8"),
        (config(SPELT).replace(b"SignInURL", KEY.upper().encode()), "more than once"),
    ],
)
def test_a_file_that_cannot_be_understood_stays(listed: Stage, broken: bytes, named: str) -> None:
    listed.put(layout.WIZARD_CONFIG, broken)
    before = listed.state()
    units = {"organizational_units": [COMMA]}
    checked, done = listed.tasks("odj01", [check(task(CONFIG, **units)), task(CONFIG, **units)])
    for step in (checked, done):
        assert layout.WIZARD_CONFIG in step.message
        assert named in step.message
        assert unchanged(before, step.state)


def test_what_is_refused_before_anything_is_asked(stage: Stage) -> None:
    malformed = task(CONFIG, organizational_units=[COMMA, "OU=Autopilot;DC=contoso"])
    relative = task(CONFIG, organizational_units=["OU=Autopilot"])
    absent = task(CONFIG, organizational_units=[COMMA])
    bad, no_domain, not_there = stage.tasks("odj01", [malformed, relative, absent])
    assert "OU=Autopilot;DC=contoso" in bad.message
    assert "does not end with the domain" in no_domain.message
    assert bad.ran == no_domain.ran == ()
    assert "no connector is installed" in not_there.message
    assert "odj_connector_install" in not_there.message


def test_somebody_else_was_faster(listed: Stage) -> None:
    """The change waits behind this test's own edit, which begins before the look and ends after it."""
    log = JsonLog(listed.lab.server_dir("odj01") / "executions.jsonl")
    begun, limit = len(log.entries()), time.monotonic() + PATIENCE
    with ThreadPoolExecutor(1) as pool:
        with listed.change() as state:
            running = pool.submit(listed.tasks, "odj01", [task(CONFIG, organizational_units=[COMMA])])
            while len(log.entries()) == begun and not running.done() and time.monotonic() < limit:
                time.sleep(0.01)
            host.put_file(state, layout.WIZARD_CONFIG, config(AUTOPILOT))
        (step,) = running.result()
    assert step.ran == (PROBE, CHANGE)
    assert "was changed by somebody else just now. Run again." in step.message
    assert content(step.state) == config(AUTOPILOT)
    assert [path for path in step.state["files"] if path.endswith(".bak")] == []


def test_what_is_no_ou_or_elsewhere_is_written_with_a_warning(listed: Stage) -> None:
    container, foreign = "CN=Computers,DC=contoso,DC=test", "OU=Autopilot,DC=fabrikam,DC=test"
    (step,) = listed.tasks("odj01", [task(CONFIG, organizational_units=[container, AUTOPILOT, foreign])])
    assert step.result["changed"] is True
    assert step.result["warnings"] == [
        f"{container} is no organizational unit.",
        f"{foreign} is in the domain fabrikam.test; a connector serves that of its server, contoso.test.",
    ]
