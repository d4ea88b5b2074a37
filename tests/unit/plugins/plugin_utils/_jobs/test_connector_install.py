# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing, upgrading and removing against a server that keeps state."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_install import (
    ConnectorInstall,
    installer_of,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import WindowsError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, XML

OLD, NEW, LEGACY = "6.2504.2001.8", "6.2604.2000.3", "6.2407.2000.8"
PROGRAM = b"MZ the set-up program"
SUM = hashlib.sha256(PROGRAM).hexdigest()
PATH = r"D:\odj.exe"
Result = dict[str, t.Any]


def run(server: ChangingWindows, *, check_mode: bool = False, **options: t.Any) -> Result:
    """Run the job with the defaults of the spec."""
    defaults = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}
    given = {"version": NEW, "checksum": SUM, "path": PATH}
    given = {} if options.get("state") == "absent" else given
    if {"src", "url"} & options.keys():
        given.pop("path")
    merged = {**defaults, **given, **options}
    installer = installer_of(merged, server)
    job = ConnectorInstall(
        server,
        state=merged["state"],
        installer=installer,
        reboot=merged["reboot"],
        build_from=merged["build_from"],
    )
    return t.cast(Result, carry_out(job, check_mode=check_mode))


def server_with(build: str | None = None, *, code: int = 0, installs: str = NEW, **more: t.Any) -> ChangingWindows:
    server = ChangingWindows(files={PATH: PROGRAM}, programs={"odj.exe": (installs, code)}, **more)
    server.programs["ODJConnectorBootstrapper.exe"] = (installs, code)
    if build:
        server.install(build)
    return server


def modules(server: ChangingWindows) -> list[str]:
    return [name.rpartition(".")[2] for name, _options in server.calls]


def test_installs_verifies_and_asks_for_the_sign_in() -> None:
    server = server_with()
    result = run(server)
    assert (result["changed"], result["server"]["state"]) == (True, "awaiting_sign_in")
    assert result["plan"]["side_conditions"][0]["kind"] == "sign_in"
    assert modules(server) == ["win_package"]
    assert server.calls[0][1] == {
        "path": PATH,
        "state": "present",
        "provider": "registry",
        "arguments": "/quiet /norestart",
        "checksum": SUM,
        "checksum_algorithm": "sha256",
        "expected_return_code": [0, 3010, 1641],
    }


@pytest.mark.parametrize("state", ["present", "latest", "absent"])
def test_a_converged_server_costs_one_look(state: str) -> None:
    server = server_with(None if state == "absent" else NEW, refuse_writes=True)
    result = run(server, state=state)
    assert (result["changed"], server.looks, result["diff"]) == (False, 1, [])


@pytest.mark.parametrize("state", ["present", "latest", "absent"])
def test_check_mode_promises_and_writes_nothing(state: str) -> None:
    build = {"present": None, "latest": OLD, "absent": NEW}[state]
    server = server_with(build, refuse_writes=True)
    result = run(server, state=state, check_mode=True)
    assert (result["changed"], server.looks) == (True, 1)
    assert len(result["diff"]) == len(result["plan"]["changes"]) > 0


def test_present_leaves_an_older_build_and_latest_upgrades_it() -> None:
    assert run(server_with(OLD))["changed"] is False
    result = run(server_with(OLD), state="latest")
    assert (result["plan"]["changes"][0]["action"], result["server"]["connector"]["version"]) == ("upgrade", NEW)
    assert (result["differences"], result["warnings"]) == ([], [])


def test_latest_does_not_go_back() -> None:
    assert run(server_with(NEW), state="latest", version=OLD)["changed"] is False


def test_an_upgrade_tells_what_it_did_not_keep() -> None:
    class Forgetful(ChangingWindows):
        def install(self, build: str, *, msi: bool = True) -> None:
            super().install(build, msi=msi)
            if build == NEW:
                self.files[CONFIG] = b"<configuration><appSettings/></configuration>"
                self.service["start_name"] = "LocalSystem"

    server = Forgetful(files={PATH: PROGRAM}, programs={"odj.exe": (NEW, 0)})
    server.install(OLD)
    server.sign_in()
    server.files[CONFIG] = XML.replace(
        b'"SignInURL" value="x"', b'"OrganizationalUnitsUsedForOfflineDomainJoin" value="OU=A"'
    )
    result = run(server, state="latest")
    assert [one["what"] for one in result["differences"]] == ["OU list", "service account"]
    assert "not now. The service runs as LocalSystem" in result["warnings"][0]
    assert "OU list differs: empty instead of OU=A" in result["warnings"][1]
    assert "LocalSystem instead of CONTOSO\\msaODJab1cd$" in result["warnings"][2]


def test_an_upgrade_that_keeps_the_list_in_another_file_is_no_difference() -> None:
    class Rewriting(ChangingWindows):
        def install(self, build: str, *, msi: bool = True) -> None:
            super().install(build, msi=msi)
            self.files[CONFIG] = XML + b"<!-- of this build -->" if build == NEW else XML

    server = Rewriting(files={PATH: PROGRAM}, programs={"odj.exe": (NEW, 0)})
    server.install(OLD)
    server.sign_in()
    result = run(server, state="latest")
    assert (result["differences"], result["warnings"]) == ([], [])


@pytest.mark.parametrize("state", ["present", "latest"])
def test_a_legacy_connector_is_refused_untouched(state: str) -> None:
    with pytest.raises(OdjError, match=rf"legacy build {LEGACY}.*state: absent"):
        run(server_with(LEGACY, refuse_writes=True), state=state)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"version": LEGACY}, "legacy build"),
        ({"version": "newest"}, "three or four numbers"),
        ({"version": None}, "missing"),
        ({"checksum": "abc"}, "not a SHA-256"),
    ],
)
def test_bad_options_are_refused_before_any_look(options: Result, word: str) -> None:
    server = server_with(refuse_writes=True)
    with pytest.raises(InvalidInput, match=word):
        run(server, **options)
    assert server.looks == 0


@pytest.mark.parametrize(("content", "word"), [(b"other", "its SHA-256 is"), (None, "no such file")])
def test_a_wrong_installer_on_the_server_is_refused(content: bytes | None, word: str) -> None:
    server = server_with(refuse_writes=True)
    server.files = {} if content is None else {PATH: content}
    with pytest.raises(OdjError, match=word):
        run(server)


def test_a_share_that_cannot_be_read_is_explained() -> None:
    server = server_with(refuse_writes=True, broken={"installer"})
    with pytest.raises(OdjError, match=r"AccessDenied.*CredSSP"):
        run(server, path=r"\\files\share\odj.exe")


def test_a_file_of_the_controller_is_checked_copied_and_removed(tmp_path: Path) -> None:
    local = tmp_path / "odj.exe"
    local.write_bytes(PROGRAM)
    server = server_with()
    assert run(server, src=str(local))["changed"]
    assert modules(server) == ["win_tempfile", "win_copy", "win_package", "win_file"]
    assert not [path for path in server.files if path.startswith(r"C:\Temp")]


@pytest.mark.parametrize("content", [b"other", None])
def test_a_wrong_file_of_the_controller_is_refused_before_anything(tmp_path: Path, content: bytes | None) -> None:
    local = tmp_path / "odj.exe"
    if content:
        local.write_bytes(content)
    server = server_with(refuse_writes=True)
    with pytest.raises(InvalidInput, match="installer"):
        run(server, src=str(local))
    assert server.looks == 0


def test_an_address_is_fetched_by_the_server_with_its_checksum() -> None:
    server = server_with()
    digest = hashlib.sha256(b"from the web").hexdigest()
    assert run(server, url="https://files/odj.exe", checksum=f"SHA256:{digest.upper()}")["changed"]
    assert server.calls[1][1]["checksum"] == digest


def test_what_was_brought_is_removed_when_the_installer_fails() -> None:
    server = server_with(code=1603)
    digest = hashlib.sha256(b"from the web").hexdigest()
    with pytest.raises(WindowsError, match=r"exit code 1603\. 0x80070643"):
        run(server, url="https://files/odj.exe", checksum=digest)
    assert modules(server)[-1] == "win_file"


def test_a_copy_of_the_installer_that_cannot_be_removed_is_a_warning_and_hides_no_failure() -> None:
    class Littered(ChangingWindows):
        def _run_win_file(self, options: Result) -> Result:
            return {"failed": True, "msg": "in use"}

    server = Littered(programs={"ODJConnectorBootstrapper.exe": (NEW, 1603)})
    digest = hashlib.sha256(b"from the web").hexdigest()
    with pytest.raises(WindowsError, match=r"exit code 1603"):
        run(server, url="https://files/odj.exe", checksum=digest)
    server.programs["ODJConnectorBootstrapper.exe"] = (NEW, 0)
    result = run(server, url="https://files/odj.exe", checksum=digest)
    assert result["changed"]
    assert result["server"]["state"] == "awaiting_sign_in"
    assert "remove the installer" in result["warnings"][0]
    assert r"Remove the directory C:\Temp\odj-connector.1 on odj01 by hand." in result["warnings"][0]


def test_a_configuration_file_that_cannot_be_read_does_not_hinder_a_removal() -> None:
    server = server_with(NEW, broken={"config_0"})
    assert run(server, state="absent")["server"]["state"] == "absent"


def test_an_upgrade_tells_that_it_could_not_compare_the_configuration_file() -> None:
    class Locking(ChangingWindows):
        def install(self, build: str, *, msi: bool = True) -> None:
            super().install(build, msi=msi)
            self.broken |= {"config_0"} if build == NEW else set()

    server = Locking(files={PATH: PROGRAM}, programs={"odj.exe": (NEW, 0)})
    server.install(OLD)
    result = run(server, state="latest")
    assert [(one["what"], "AccessDenied" in one["after"]) for one in result["differences"]] == [("OU list", True)]


def test_an_unknown_success_code_can_be_named() -> None:
    assert run(server_with(code=1603), success_codes=[1603])["exit_codes"] == [1603]


@pytest.mark.parametrize("reboot", [True, False])
def test_a_restart_is_made_or_reported(reboot: bool) -> None:
    server = server_with(code=3010)
    result = run(server, reboot=reboot)
    assert (result["rebooted"], result["reboot_required"]) == (reboot, not reboot)
    assert ("win_reboot" in modules(server)) is reboot


def test_another_build_than_promised_is_an_error() -> None:
    with pytest.raises(OdjError, match=f"{OLD} is installed instead of {NEW}"):
        run(server_with(installs=OLD))


def test_removal_takes_the_set_up_program_first() -> None:
    server = server_with(LEGACY)
    result = run(server, state="absent")
    assert (result["changed"], result["server"]["state"]) == (True, "absent")
    ids = [(options["product_id"], options["provider"], options.get("arguments")) for _name, options in server.calls]
    assert ids == [("{B}", "registry", "/quiet /norestart"), ("{M}", "msi", None)]


def test_an_entry_that_cannot_be_removed_is_refused() -> None:
    server = server_with(NEW, refuse_writes=True)
    server.entries["{B}"].pop("UninstallString")
    with pytest.raises(OdjError, match=r"entry \{B\} names no command"):
        run(server, state="absent")


def test_a_version_that_cannot_be_read_is_refused() -> None:
    server = server_with("unknown", refuse_writes=True)
    with pytest.raises(OdjError, match="which build is installed is not known"):
        run(server)


def test_what_is_left_after_a_removal_is_an_error() -> None:
    class Stubborn(ChangingWindows):
        def _run_win_package(self, options: Result) -> Result:
            return {"rc": 0}

    server = Stubborn()
    server.install(NEW)
    with pytest.raises(OdjError, match=r"still registered: \{B\}, \{M\}"):
        run(server, state="absent")


def test_an_unanswered_question_stops_everything() -> None:
    with pytest.raises(OdjError, match="which connector is installed"):
        run(server_with(broken={"uninstall_64"}, refuse_writes=True))


@pytest.mark.parametrize("code", ["x", "0", "é", [], 1.5, True])
def test_an_exit_code_that_is_none_is_an_error(code: object) -> None:
    class Lying(ChangingWindows):
        def _run_win_package(self, options: Result) -> Result:
            return {**super()._run_win_package(options), "rc": code}

    server = Lying(files={PATH: PROGRAM}, programs={"odj.exe": (NEW, 0)})
    with pytest.raises(WindowsError, match=r"run the installer \(odj01\): the module answered without an exit code"):
        run(server)


@pytest.mark.parametrize("answer", [{}, {"path": ""}, {"path": None}])
def test_a_directory_that_the_server_does_not_name_is_not_written_to(answer: Result, tmp_path: Path) -> None:
    class Lying(ChangingWindows):
        def _run_win_tempfile(self, options: Result) -> Result:
            return answer

    (tmp_path / "odj.exe").write_bytes(PROGRAM)
    server = Lying()
    with pytest.raises(WindowsError, match="no temporary directory"):
        run(server, src=str(tmp_path / "odj.exe"))
    assert server.files == {}


def test_a_restart_that_the_outcome_waits_for_is_said_and_the_outcome_judged_after_it() -> None:
    server = server_with(code=3010, waits_for_restart=True)
    first = run(server)
    assert (first["changed"], first["reboot_required"], first["server"]["state"]) == (True, True, "absent")
    assert "asked for a restart (exit code 3010)" in first["warnings"][0]
    again = run(server)
    assert (again["changed"], again["reboot_required"], again["exit_codes"]) == (False, True, [])
    assert again["warnings"] == first["warnings"]
    server.restart()
    after = run(server)
    assert (after["changed"], after["reboot_required"], after["warnings"]) == (False, False, [])
    assert after["server"]["connector"]["version"] == NEW


def test_a_pending_restart_is_made_by_the_next_run_when_it_may() -> None:
    server = server_with(code=3010, waits_for_restart=True)
    run(server)
    checked = run(server, reboot=True, check_mode=True)
    assert [change["action"] for change in checked["plan"]["changes"]] == ["restart"]
    result = run(server, reboot=True)
    assert (result["changed"], result["rebooted"], result["reboot_required"]) == (True, True, False)
    assert result["server"]["connector"]["version"] == NEW
    assert run(server, reboot=True)["changed"] is False


def test_an_installer_that_asks_for_restarts_and_changes_nothing_is_found_out() -> None:
    server = server_with(code=3010, does_nothing=True)
    assert run(server)["changed"] is True
    assert run(server)["changed"] is False
    server.restart()
    with pytest.raises(
        OdjError, match=r"restart again; the server has been restarted since.*no connector is installed"
    ):
        run(server)


def test_an_installer_that_ends_well_and_changes_nothing_is_found_out() -> None:
    server = server_with(does_nothing=True)
    for _time in range(2):
        with pytest.raises(OdjError, match="no connector is installed instead of"):
            run(server)


def test_a_restart_that_brings_nothing_is_found_out_at_once() -> None:
    with pytest.raises(OdjError, match="no connector is installed instead of"):
        run(server_with(code=3010, does_nothing=True), reboot=True)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", '{"outcome": 1}', '{"outcome": "absent", "exit_code": "x"}'])
def test_a_note_that_is_none_is_not_believed(text: str) -> None:
    server = server_with()
    server.registry[r"HKLM\SOFTWARE\hybridjoin.odj"] = {
        "exists": True,
        "values": {"PendingRestart": {"kind": "String", "data": text}},
    }
    assert run(server)["changed"] is True


def test_a_note_that_cannot_be_written_is_a_warning() -> None:
    class Locked(ChangingWindows):
        def _run_win_regedit(self, options: Result) -> Result:
            return {"failed": True, "msg": "denied"}

    server = Locked(files={PATH: PROGRAM}, programs={"odj.exe": (NEW, 3010)})
    result = run(server)
    assert result["changed"]
    assert "denied" in result["warnings"][0]
