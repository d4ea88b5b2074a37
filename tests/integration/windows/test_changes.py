# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins of the modules that change a server: what they do, what they leave, and check mode."""

from __future__ import annotations

import base64
import hashlib
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.windows.scenery import Change, Json, Site

PATH = r"C:\ProgramData\app.config"
OLD, NEW = b"old content", b"new content"
CHECK = "--check"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def replacement(change: Change) -> Json:
    with change("file") as state:
        state["files"][PATH] = {
            "content": base64.b64encode(OLD).decode(),
            "last_write": "2026-01-02T03:04:05.0000000Z",
            "attributes": "Archive",
            "sddl": "O:BAG:SYD:(A;;FA;;;SY)",
        }
    return {
        "operation": "replace_file",
        "path": PATH,
        "content": base64.b64encode(NEW).decode(),
        "expected_sha256": sha256(OLD),
        "backup_path": f"{PATH}.bak",
    }


def content(site: Site, path: str) -> bytes | None:
    record = site.state()["files"].get(path)
    return base64.b64decode(record["content"]) if record else None


def test_a_run_that_was_overtaken_changes_nothing(site: Site, replacement: Json) -> None:
    def run(epoch: int, *words: str) -> Json:
        fence = {"run": f"run {epoch}", "epoch": epoch}
        return site.run("hybridjoin.odj.odj_server_change", {**replacement, "fence": fence}, *words).result

    assert run(8)["changed"]
    late = run(7)
    assert (late["changed"], late["error"]["id"]) == (False, "Fenced")
    assert run(7, CHECK)["error"]["id"] == "Fenced"
    assert run(9, CHECK)["stale"]
    assert run(8)["stale"]


def test_a_file_is_replaced_and_the_old_one_kept(site: Site, replacement: Json) -> None:
    checked = site.run("hybridjoin.odj.odj_server_change", replacement, CHECK).result
    assert checked["changed"]
    assert content(site, PATH) == OLD
    result = site.run("hybridjoin.odj.odj_server_change", replacement).result
    assert (result["before_sha256"], result["after_sha256"]) == (sha256(OLD), sha256(NEW))
    assert result["sddl_before"] == result["sddl_after"] == "O:BAG:SYD:(A;;FA;;;SY)"
    assert (content(site, PATH), content(site, f"{PATH}.bak")) == (NEW, OLD)


def test_a_file_that_is_not_as_expected_stays(site: Site, replacement: Json) -> None:
    result = site.run("hybridjoin.odj.odj_server_change", {**replacement, "expected_sha256": sha256(b"")}).result
    assert (result["stale"], result["changed"]) == (True, False)
    assert content(site, PATH) == OLD


@pytest.mark.parametrize(
    ("patch", "error"),
    [({"backup_path": r"C:\elsewhere.bak"}, "BadArgument"), ({"path": r"C:\ProgramData\no"}, "PathNotFound")],
)
def test_a_replacement_that_cannot_be(site: Site, replacement: Json, patch: Json, error: str) -> None:
    result = site.run("hybridjoin.odj.odj_server_change", {**replacement, **patch}).result
    assert result["failed"]
    assert result["error"]["id"] == error


def test_an_account_is_taken_into_use_by_the_system(site: Site, change: Change) -> None:
    with change("account") as state:
        state["accounts"]["svcOdj"] = {"state": 4}
    options = {"operation": "use_service_account", "name": "svcOdj"}
    as_system = ("--become", "--become-method", "runas", "--become-user", "SYSTEM")
    assert site.run("hybridjoin.odj.odj_server_change", options).result["error"]["id"] == "NoCredentials"
    result = site.run("hybridjoin.odj.odj_server_change", options, *as_system).result
    assert (result["changed"], result["state_before"], result["state_after"]) == (True, 4, 5)
    again = site.run("hybridjoin.odj.odj_server_change", options, *as_system).result
    assert not again["changed"]
    unknown = {**options, "name": "nobody"}
    assert site.run("hybridjoin.odj.odj_server_change", unknown, *as_system).result["error"]["id"] == "NotUsable"


@pytest.fixture
def installer(change: Change) -> str:
    with change("installer") as state:
        for name in ("setup.exe", "fails.exe", "3010.exe"):
            state["files"][rf"C:\Windows\Temp\{name}"] = {
                "content": base64.b64encode(b"MZ").decode(),
                "last_write": "2026-01-02T03:04:05.0000000Z",
                "attributes": "Archive",
                "sddl": "D:",
            }
    return r"C:\Windows\Temp\setup.exe"


def test_a_package_is_installed_unless_it_is_there(site: Site, installer: str, programs: list[str]) -> None:
    options = {"path": installer, "arguments": "/quiet", "creates_path": r"C:\ProgramData\none"}
    assert site.run("ansible.windows.win_package", options, CHECK).result["changed"]
    assert programs == []
    result = site.run("ansible.windows.win_package", options).result
    assert (result["changed"], result["rc"], result["reboot_required"]) == (True, 0, False)
    assert programs == [rf"{installer} /quiet"]
    there = {**options, "creates_path": r"C:\ProgramData"}
    assert not site.run("ansible.windows.win_package", there).result["changed"]


def test_exit_codes_and_checksums_of_packages(site: Site, installer: str, programs: list[str]) -> None:
    options: Json = {"path": installer, "checksum_algorithm": "sha256", "checksum": sha256(b"other")}
    assert "did not match" in site.run("ansible.windows.win_package", options).result["msg"]
    assert programs == []
    asks = site.run("ansible.windows.win_package", {"path": installer.replace("setup", "3010")}).result
    assert (asks["changed"], asks["reboot_required"]) == (True, True)
    fails = site.run("ansible.windows.win_package", {"path": installer.replace("setup", "fails")}).result
    assert fails["failed"]
    assert fails["rc"] == 5
    gone = site.run("ansible.windows.win_package", {"path": r"C:\nowhere.exe"}).result
    assert "cannot be reached" in gone["msg"]


def test_uninstalling_by_product_id_uses_the_entry(site: Site, change: Change, programs: list[str]) -> None:
    key = r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{app}"
    with change("entry") as state:
        state["registry"][key] = {"values": {"QuietUninstallString": {"kind": "String", "data": '"C:\\u.exe" /x'}}}
    options = {"product_id": "{app}", "state": "absent", "arguments": "/quiet"}
    assert site.run("ansible.windows.win_package", options).result["changed"]
    assert programs == ['"C:\\u.exe" /x /quiet']
    other = {**options, "product_id": "{other}"}
    assert not site.run("ansible.windows.win_package", other).result["changed"]


def test_a_service_is_changed_and_the_product_hears_of_it(
    site: Site, change: Change, told: list[tuple[t.Any, ...]]
) -> None:
    with change("account") as state:
        state["sids"]["CONTOSO\\svcOdj$"] = "S-1-5-21-1-2-3-1104"
    options = {"name": "w32time", "username": "CONTOSO\\svcOdj$", "start_mode": "delayed", "state": "restarted"}
    assert site.run("ansible.windows.win_service", options, CHECK).result["changed"]
    assert site.state()["services"]["W32Time"]["start_name"] == "LocalSystem"
    assert told == []
    assert site.run("ansible.windows.win_service", options).result["state"] == "running"
    record = site.state()["services"]["W32Time"]
    assert (record["start_name"], record["delayed"], record["managed_account"]) == ("CONTOSO\\svcOdj$", True, True)
    assert told == [("odj01", "W32Time", action) for action in ("account", "stop", "start")]
    settled = {**options, "state": "started"}
    assert not site.run("ansible.windows.win_service", settled).result["changed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "Nobody", "state": "started"}, "need to set 'path'"),
        ({"name": "W32Time", "username": "CONTOSO\\nobody"}, "could not be translated"),
        ({"name": "W32Time", "sid_info": "none"}, "no stand-in for the option sid_info"),
        ({"name": "W32Time", "password": "x"}, "required by 'password': username"),
    ],
)
def test_services_that_cannot_be_changed_so(site: Site, options: Json, said: str) -> None:
    before = site.state()["services"]
    result = site.run("ansible.windows.win_service", options).result
    assert said in result["msg"]
    assert site.state()["services"] == before


def test_user_rights(site: Site) -> None:
    options = {"name": "SeServiceLogonRight", "users": ["S-1-5-21-1-2-3-1104", "LocalSystem"], "action": "add"}
    result = site.run("ansible.windows.win_user_right", options).result
    assert result["added"] == ["S-1-5-21-1-2-3-1104", "NT AUTHORITY\\SYSTEM"]
    assert site.state()["user_rights"]["SeServiceLogonRight"] == ["S-1-5-80-0", "S-1-5-21-1-2-3-1104", "S-1-5-18"]
    assert not site.run("ansible.windows.win_user_right", options).result["changed"]
    wrong = site.run("ansible.windows.win_user_right", {**options, "name": "SeFlyRight"}).result
    assert "not a valid right" in wrong["msg"]


def test_registry_values_are_written_and_removed(site: Site) -> None:
    options: Json = {"path": r"HKLM:\SOFTWARE\Lab", "name": "Number", "data": 7, "type": "dword"}
    assert site.run("ansible.windows.win_regedit", options).result["changed"]
    assert site.state()["registry"][r"HKLM\SOFTWARE\Lab"]["values"] == {"Number": {"kind": "DWord", "data": 7}}
    assert not site.run("ansible.windows.win_regedit", options).result["changed"]
    assert site.run("ansible.windows.win_regedit", {**options, "data": 8}).result["data_changed"]
    assert site.run("ansible.windows.win_regedit", {**options, "state": "absent"}).result["changed"]
    assert site.state()["registry"][r"HKLM\SOFTWARE\Lab"]["values"] == {}


def test_a_download_is_checked_before_it_is_kept(site: Site, change: Change) -> None:
    url = "https://example.test/app.exe"
    with change("web") as state:
        state["web"][url] = base64.b64encode(NEW).decode()
    dest = r"C:\Windows\Temp"
    options = {"url": url, "dest": dest, "checksum_algorithm": "sha256", "checksum": sha256(OLD)}
    wrong = site.run("ansible.windows.win_get_url", options).result
    assert "did not match" in wrong["msg"]
    assert content(site, rf"{dest}\app.exe") is None
    right = site.run("ansible.windows.win_get_url", {**options, "checksum": sha256(NEW)}).result
    assert (right["changed"], right["dest"]) == (True, rf"{dest}\app.exe")
    assert content(site, rf"{dest}\app.exe") == NEW
    unknown = site.run("ansible.windows.win_get_url", {"url": "https://nowhere.test/x", "dest": dest}).result
    assert "could not be resolved" in unknown["msg"]


def test_a_temporary_directory_is_new_and_goes_with_all_in_it(site: Site) -> None:
    first, second = (site.run("ansible.windows.win_tempfile", {"state": "directory"}).result["path"] for __ in range(2))
    assert first != second
    site.run("ansible.windows.win_file", {"path": rf"{first}\x", "state": "touch"})
    assert site.run("ansible.windows.win_file", {"path": first, "state": "absent"}).result["changed"]
    state = site.state()
    assert second in state["directories"]
    assert not [path for path in (*state["directories"], *state["files"]) if path.startswith(first)]


def test_the_log_of_executions_holds_no_values(site: Site) -> None:
    secret = "hush-hush-1"
    site.run("ansible.windows.win_service", {"name": "W32Time", "username": "LocalSystem", "password": secret})
    (execution,) = site.executions()
    assert execution["options"] == ["name", "password", "username"]
    for path in site.lab.server_dir("odj01").glob("*.json*"):
        assert secret not in path.read_text(encoding="utf-8"), path
