# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer on a server: what it leaves behind, and how it ends. Needs no directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.integration.product.scene import INSTALLER, install
from odj_lab.product import builds, host, layout, programs
from odj_lab.settings import Lab
from odj_lab.store import State
from odj_lab.windows import create_state

SERVER = "odj01"
OLDER = "6.2504.2001.8"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Return a lab of which nothing runs."""
    made = Lab.new("still", nets.net("nowhere"), tmp_path)
    host.store(made, SERVER).create(create_state(made, SERVER))
    return made


def state_of(lab: Lab) -> State:
    return host.store(lab, SERVER).read()


def entries(state: State) -> list[dict[str, str]]:
    found = [key["values"] for key in state["registry"].values()]
    read = [{name: value["data"] for name, value in values.items()} for values in found]
    return [values for values in read if values.get("DisplayName") == builds.PRODUCT]


def test_quiet_installation_leaves_what_is_documented(lab: Lab) -> None:
    assert install(lab, SERVER) == 0
    state = state_of(lab)
    assert {e["DisplayVersion"] for e in entries(state)} == {builds.NEWEST}
    assert len(entries(state)) == 2
    service = state["services"]["ODJConnectorSvc"]
    assert (service["state"], service["start_name"]) == ("Stopped", "LocalSystem")
    assert set(layout.CHANNELS) <= set(state["channels"])
    for path in (layout.SERVICE_CONFIG, layout.WIZARD_CONFIG):
        content = host.read_file(state, path) or b""
        assert content.startswith(b"\xef\xbb\xbf<?xml")
        assert content.count(b"\n") == content.count(b"\r\n") > 5
    assert layout.settings(host.read_file(state, layout.WIZARD_CONFIG) or b"")[layout.OU_KEY] == ""


def test_legacy_connector_runs_as_local_system(lab: Lab) -> None:
    assert install(lab, SERVER, builds.LEGACY) == 0
    service = state_of(lab)["services"]["ODJConnectorSvc"]
    assert (service["state"], service["start_name"]) == ("Running", "LocalSystem")


def test_without_quiet_nothing_happens(lab: Lab) -> None:
    assert install(lab, SERVER, switches="/norestart") == programs.CANCELLED
    assert entries(state_of(lab)) == []


def test_upgrade_keeps_configuration_and_account(lab: Lab) -> None:
    install(lab, SERVER, OLDER)
    with host.store(lab, SERVER).edit("test") as state:
        host.put_file(state, layout.WIZARD_CONFIG, b"<configuration/>")
        state["services"]["ODJConnectorSvc"]["start_name"] = "CONTOSO\\msaODJaaaaa$"
    assert install(lab, SERVER) == 0
    state = state_of(lab)
    assert {e["DisplayVersion"] for e in entries(state)} == {builds.NEWEST}
    assert host.read_file(state, layout.WIZARD_CONFIG) == b"<configuration/>"
    assert state["services"]["ODJConnectorSvc"]["start_name"] == "CONTOSO\\msaODJaaaaa$"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (builds.LEGACY, builds.NEWEST, programs.FAILURE),
        (builds.NEWEST, OLDER, programs.OTHER_VERSION),
    ],
)
def test_what_does_not_go_over_what(lab: Lab, before: str, after: str, code: int) -> None:
    install(lab, SERVER, before)
    untouched = entries(state_of(lab))
    assert install(lab, SERVER, after) == code
    assert entries(state_of(lab)) == untouched


def test_too_old_windows_is_refused(lab: Lab) -> None:
    with host.store(lab, SERVER).edit("test") as state:
        state["os"]["build"] = "9600"
    assert install(lab, SERVER) == programs.FAILURE
    assert entries(state_of(lab)) == []


def test_full_disk_is_refused(lab: Lab) -> None:
    with host.store(lab, SERVER).edit("test") as state:
        host.put_file(state, INSTALLER, builds.make_bootstrapper(builds.NEWEST))
        state["faults"].append({"kind": "disk_full"})
    assert programs.execute(lab, SERVER, f"{INSTALLER} /quiet").rc == programs.FAILURE


def test_planned_exit_codes(lab: Lab) -> None:
    with host.store(lab, SERVER).edit("test") as state:
        host.product(state)["exit_codes"] = [1603, 3010]
    assert [install(lab, SERVER) for __ in range(3)] == [1603, 3010, 0]
    assert len(entries(state_of(lab))) == 2


@pytest.mark.parametrize("hive", ["WOW6432Node", "Microsoft"])
def test_both_uninstall_entries_remove_everything(lab: Lab, hive: str) -> None:
    install(lab, SERVER)
    key = next(k for k in layout.uninstall_entries(builds.NEWEST) if k.startswith(f"HKLM\\SOFTWARE\\{hive}"))
    values = layout.uninstall_entries(builds.NEWEST)[key]
    command = str(values.get("QuietUninstallString") or f"{values['UninstallString']} /quiet")
    assert programs.execute(lab, SERVER, command).rc == 0
    state = state_of(lab)
    assert entries(state) == []
    assert "ODJConnectorSvc" not in state["services"]
    assert not [path for path in state["files"] if "ODJConnector" in path]
    assert not set(layout.CHANNELS) & set(state["channels"])


def test_damaged_installer_is_no_program(lab: Lab) -> None:
    with host.store(lab, SERVER).edit("test") as state:
        host.put_file(state, INSTALLER, builds.make_bootstrapper(builds.NEWEST)[:-1])
    assert programs.execute(lab, SERVER, f"{INSTALLER} /quiet").rc == programs.NOT_A_PROGRAM
    assert programs.execute(lab, SERVER, "C:\\none.exe /quiet").rc == programs.NOT_FOUND


def test_log_file_is_written(lab: Lab) -> None:
    assert install(lab, SERVER, switches='/quiet /norestart /log "C:\\My Logs\\setup.log"') == 0
    assert "0x0" in (host.read_file(state_of(lab), "C:\\My Logs\\setup.log") or b"").decode("utf-16")
