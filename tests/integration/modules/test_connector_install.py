# SPDX-License-Identifier: GPL-3.0-or-later
"""odj_connector_install: each source and state, in check mode, for real and again; what set-up programs answer."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import (
    NEW,
    OLD,
    PROBE,
    SET_UP,
    Person,
    Stage,
    check,
    content,
    present,
    task,
    thrice,
    unchanged,
)
from odj_lab.product import builds, layout

INSTALL = "odj_connector_install"
URL = "https://files.contoso.test/ODJConnectorBootstrapper.exe"
WRONG = "0" * 64
PACKAGE = "ansible.windows.win_package"


@pytest.fixture
def source(stage: Stage, request: pytest.FixtureRequest) -> dict[str, str]:
    """Lay the set-up program where a source of that kind is looked for."""
    kind: str = request.param
    if kind == "path":
        stage.put(SET_UP, builds.make_bootstrapper(NEW))
    if kind == "url":
        with stage.change() as state:
            state["web"][URL] = base64.b64encode(builds.make_bootstrapper(NEW)).decode()
    return {kind: {"path": SET_UP, "src": str(builds.installer_path(stage.lab, NEW)), "url": URL}[kind]}


@pytest.mark.parametrize("source", ["src", "path", "url"], indirect=True)
def test_a_source_installs_once_and_leaves_nothing_behind(stage: Stage, source: dict[str, str]) -> None:
    first = stage.state()
    bad = task(INSTALL, **present(**source, checksum=WRONG))
    refused, checked, done, again = stage.tasks("odj01", [bad, *thrice(INSTALL, **present(**source))])

    assert WRONG in refused.message
    assert builds.checksum(NEW) in refused.message.lower()
    assert PACKAGE not in refused.ran
    assert unchanged(first, refused.state)

    assert checked.changed
    assert checked.diff == ("", f"Intune Connector for Active Directory {NEW}\n")
    assert (checked.result["server"]["state"], checked.ran) == ("absent", (PROBE,))
    assert unchanged(first, checked.state)

    assert done.changed
    assert done.diff == checked.diff
    assert done.result["plan"] == checked.result["plan"]
    assert done.conditions == ["sign_in"]
    assert done.result["server"]["state"] == "awaiting_sign_in"
    assert done.result["server"]["connector"]["version"] == NEW
    assert done.result["exit_codes"] == [0]
    assert done.state["product"]["build"] == NEW
    assert done.ran.count(PACKAGE) == 1
    assert [path for path in done.state["directories"] if "odj-connector." in path] == []
    assert [path for path in done.state["files"] if "Temp" in path] == list(first["files"])

    assert not again.changed
    assert (again.result["diff"], again.result["plan"]["changes"], again.ran) == ([], [], (PROBE,))
    assert unchanged(done.state, again.state)


def test_an_upgrade_keeps_account_and_configuration(stage: Stage, person: Person) -> None:
    stage.install(OLD)
    account = person.signs_in()
    fresh = content(stage.state()) or b""
    before = fresh.replace(b'OfflineDomainJoin" value=""', b'OfflineDomainJoin" value="OU=Kept,DC=contoso,DC=test"')
    assert before != fresh
    stage.put(layout.WIZARD_CONFIG, before)
    options = present(src=str(builds.installer_path(stage.lab, NEW)))
    stays = task(INSTALL, **options)
    kept, checked, done, again = stage.tasks("odj01", [stays, *thrice(INSTALL, state="latest", **options)])

    assert not kept.changed
    assert kept.result["server"]["connector"]["version"] == OLD

    assert checked.changed
    assert checked.diff == tuple(f"Intune Connector for Active Directory {build}\n" for build in (OLD, NEW))
    assert unchanged(kept.state, checked.state)

    assert done.changed
    assert done.result["server"]["connector"]["version"] == NEW
    assert (done.result["server"]["state"], done.result["server"]["service"]["account"]) == ("healthy", account)
    assert (done.result["differences"], done.conditions) == ([], [])
    assert content(done.state) == before

    assert not again.changed
    assert again.ran == (PROBE,)


def test_an_upgrade_that_loses_something_says_what(stage: Stage, person: Person) -> None:
    stage.install(OLD)
    person.signs_in()
    stage.put(SET_UP, builds.make_bootstrapper(NEW))
    with stage.change() as state:  # a set-up program that lays its own file down when there is none
        del state["files"][layout.WIZARD_CONFIG]
    (done,) = stage.tasks("odj01", [task(INSTALL, state="latest", **present(path=SET_UP))])
    assert [one["what"] for one in done.result["differences"]] == ["OU list"]
    assert "OU list differs: empty instead of no configuration file" in " ".join(done.result["warnings"])


def test_removal_takes_every_entry(stage: Stage) -> None:
    first = stage.state()
    stage.install()
    installed = stage.state()
    checked, done, again = stage.tasks("odj01", thrice(INSTALL, state="absent"))

    assert checked.changed
    assert [change["action"] for change in checked.result["plan"]["changes"]] == ["uninstall", "uninstall"]
    assert unchanged(installed, checked.state)

    assert done.changed
    assert done.result["plan"] == checked.result["plan"]
    assert (done.result["server"]["state"], done.conditions) == ("absent", ["clean_up"])
    assert done.state["registry"] == first["registry"]
    assert layout.SERVICE not in done.state["services"]

    assert not again.changed
    assert again.ran == (PROBE,)


def test_a_legacy_build_is_refused_with_the_way_out(stage: Stage) -> None:
    stage.install(builds.LEGACY)
    stage.put(SET_UP, builds.make_bootstrapper(NEW))
    first = stage.state()
    old = {"version": builds.LEGACY, "checksum": builds.checksum(builds.LEGACY), "path": SET_UP}
    options = present(path=SET_UP)
    tasks = [
        task(INSTALL, **old),
        task(INSTALL, **options),
        check(task(INSTALL, state="latest", **options)),
        task(INSTALL, state="absent"),
        task(INSTALL, **options),
    ]
    as_source, there, there_too, removed, installed = stage.tasks("odj01", tasks)

    assert builds.LEGACY in as_source.message
    assert OLD in as_source.message
    assert as_source.ran == ()
    for refused in (there, there_too):
        assert f"legacy build {builds.LEGACY} is installed" in refused.message
        assert "state: absent" in refused.message
        assert unchanged(first, refused.state)

    assert removed.changed
    assert removed.result["server"]["state"] == "absent"
    assert installed.changed
    assert installed.result["server"]["connector"]["version"] == NEW


def test_what_a_set_up_program_answers(stage: Stage) -> None:
    stage.put(SET_UP, builds.make_bootstrapper(NEW))
    with stage.change() as state:
        state["product"]["exit_codes"] = [1603, 3010, 3010]
    first = stage.state()
    options = present(path=SET_UP)
    one = task(INSTALL, **options)
    tasks = [one, one, one, task("odj_connector_ready"), task(INSTALL, state="absent", reboot=True)]
    failed, restart_later, still_later, not_ready, restarted = stage.tasks("odj01", tasks)

    assert "exit code 1603" in failed.message
    assert "success_codes" in failed.message
    assert failed.state["registry"] == first["registry"]

    assert restart_later.changed
    assert restart_later.result["exit_codes"] == [3010]
    assert (restart_later.result["reboot_required"], restart_later.result["rebooted"]) == (True, False)
    assert restart_later.state["boot_time"] == first["boot_time"]

    assert not still_later.changed
    assert (still_later.result["reboot_required"], still_later.ran) == (True, (PROBE,))
    assert "asked for a restart (exit code 3010)" in still_later.result["warnings"][0]
    assert "asked for a restart of the server" in not_ready.message

    assert restarted.result["exit_codes"] == [3010, 0]
    assert (restarted.result["reboot_required"], restarted.result["rebooted"]) == (False, True)
    assert restarted.state["boot_time"] > first["boot_time"]
    assert restarted.result["server"]["state"] == "absent"
    assert restarted.result["warnings"] == []


def test_a_set_up_program_of_another_build_is_found_out(stage: Stage) -> None:
    stage.put(SET_UP, builds.make_bootstrapper(OLD))
    (done,) = stage.tasks("odj01", [task(INSTALL, **present(path=SET_UP, checksum=builds.checksum(OLD)))])
    assert f"{OLD} is installed instead of {NEW}" in done.message
