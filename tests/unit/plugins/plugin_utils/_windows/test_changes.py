# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations of a server, planned in one process and performed in another."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import typing as t
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.operation_json import (
    operation_from_json,
    operation_to_json,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    DeleteAccount,
    Fence,
    Operation,
    ReplaceFile,
    RestartServer,
    SetStartType,
    StartService,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import SERVICE_NAME
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import SPEC
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_install import (
    ConnectorInstall,
    installer_of,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.ou_config import DesiredConfig, OuConfig
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.changes import WindowsChanges
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG

OLD, NEW = "6.2504.2001.8", "6.2604.2000.3"
PROGRAM = b"MZ the installer"
WEB = hashlib.sha256(b"from the web").hexdigest()
PATH = r"D:\odj.exe"
RESTART = RestartServer(target="odj01", before="", after="", summary="Restart odj01.", reason="It is asked for.")
SAID: dict[str, str] = {"target": "odj01", "before": "", "after": "", "summary": "x", "reason": "x"}
SERVICE: dict[str, Operation] = {
    "set_start_type": SetStartType(**SAID, service=SERVICE_NAME),
    "start_service": StartService(**SAID, service=SERVICE_NAME),
}
DELETE = DeleteAccount(target="CN=x", before="", after="", summary="x", reason="x")


def server(build: str | None = None) -> ChangingWindows:
    programs = {"odj.exe": (NEW, 0), "ODJConnectorBootstrapper.exe": (NEW, 3010)}
    made = ChangingWindows(files={PATH: PROGRAM}, programs=programs)
    if build:
        made.install(build)
    return made


def installation(host: ChangingWindows, **options: t.Any) -> ConnectorInstall:
    defaults = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}
    merged = {**defaults, **options}
    return ConnectorInstall(
        host, state=merged["state"], installer=installer_of(merged, host), reboot=False, build_from=merged["build_from"]
    )


def plan(case: str, source: Path) -> tuple[ChangingWindows, tuple[Operation, ...]]:
    """Return a server, and what has to be done there."""
    path = {"version": NEW, "checksum": hashlib.sha256(PROGRAM).hexdigest(), "path": PATH}
    if case == "restart":
        return server(OLD), (RESTART,)
    if case in SERVICE:
        host = server(NEW)
        host.service |= {"state": "Stopped", "start_mode": "Disabled"}
        return host, (SERVICE[case],)
    if case == "replace_file":
        host = server(NEW)
        return host, OuConfig(host, DesiredConfig(("OU=A,DC=x",), "exact", {}, None)).plan().changes
    builds = {"install": None, "install_src": None, "install_url": None, "upgrade": OLD, "uninstall": NEW}
    options: dict[str, dict[str, t.Any]] = {
        "install": path,
        "install_src": {**path, "path": None, "src": str(source)},
        "install_url": {**path, "path": None, "url": "https://files/odj.exe", "checksum": WEB},
        "upgrade": {**path, "state": "latest"},
        "uninstall": {"state": "absent"},
    }
    host = server(builds[case])
    return host, installation(host, **options[case]).plan().changes


def planned_elsewhere(case: str, source: Path) -> list[Operation]:
    """Plan in another process, and bring the operations here as JSON."""

    def work(end: Connection) -> None:
        end.send(json.dumps([operation_to_json(one) for one in plan(case, source)[1]]))

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=work, args=(there,))
    process.start()
    there.close()
    text = here.recv()
    process.join()
    return [operation_from_json(one) for one in json.loads(text)]


@pytest.mark.parametrize(
    "case", ["install", "install_src", "install_url", "upgrade", "uninstall", "replace_file", "restart", *SERVICE]
)
def test_what_another_process_planned_does_the_same(case: str, tmp_path: Path) -> None:
    source = tmp_path / "odj.exe"
    source.write_bytes(PROGRAM)
    direct, operations = plan(case, source)
    door = WindowsChanges(direct)
    for one in operations:
        door.perform(one)
    other, __ = plan(case, source)
    through_json = WindowsChanges(other)
    for one in planned_elsewhere(case, source):
        through_json.perform(one)
    assert (door.clean_up(), through_json.clean_up()) == ([], [])
    assert direct.calls
    assert replace(other, clock=direct.clock) == direct, "calls, files, uninstall entries, service"
    assert through_json.exit_codes == door.exit_codes


def test_a_file_that_is_another_one_by_then_stays(tmp_path: Path) -> None:
    host, (operation,) = plan("replace_file", tmp_path)
    host.files[CONFIG] = b"<configuration/>"
    with pytest.raises(OdjError, match="changed by somebody else just now"):
        WindowsChanges(host).perform(operation)
    assert host.files[CONFIG] == b"<configuration/>"


def test_a_fence_goes_with_the_replacement_of_a_file_and_is_refused_elsewhere(tmp_path: Path) -> None:
    host, (operation,) = plan("replace_file", tmp_path)
    assert isinstance(operation, ReplaceFile)
    WindowsChanges(host).perform(operation, Fence("nightly", 7))
    assert host.calls[0][1]["fence"] == {"run": "nightly", "epoch": 7}
    with pytest.raises(InvalidInput, match="takes no fence"):
        WindowsChanges(host).perform(RESTART, Fence("nightly", 7))
    assert len(host.calls) == 1


def test_what_is_the_directorys_is_refused() -> None:
    with pytest.raises(InvalidInput, match="none of a server's"):
        WindowsChanges(server()).perform(DELETE)
