# SPDX-License-Identifier: GPL-3.0-or-later
"""The glue: every action plugin from its arguments to its result."""

from __future__ import annotations

import hashlib
import importlib
import json
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import OU_LIST_KEY
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import replace_settings
from ansible_collections.hybridjoin.odj.plugins.plugin_utils import _action
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, XML

ACTIONS = "ansible_collections.hybridjoin.odj.plugins.action"
SUM = "0" * 64
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "odj_connector_ready": {},
    "odj_server_info": {},
    "odj_prereqs": {},
    "odj_connector_install": {"version": "6.2604.2000.3", "checksum": SUM, "url": "https://files/odj.exe"},
    "odj_ou_config": {"organizational_units": ["OU=A,DC=x"]},
}


class Task(SimpleNamespace):
    """As much of a task as the glue touches."""

    async_val = 0
    environment = None

    def copy(self) -> Task:
        return Task(**vars(self))


def run(
    name: str, server: ChangingWindows, arguments: dict[str, t.Any], *, check_mode: bool = True
) -> dict[str, t.Any]:
    plugin = importlib.import_module(f"{ACTIONS}.{name}").ActionModule
    task = Task(args=dict(arguments), check_mode=check_mode, action=name)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), has_pipelining=True)
    play_context = SimpleNamespace(check_mode=check_mode)
    action = plugin(task, connection, play_context, None, None, SimpleNamespace())
    action._load_name = name  # as the plugin loader does
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_action, "WindowsHost", lambda _action, _vars, _clock: server)
        return t.cast("dict[str, t.Any]", action.run(task_vars={}))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_check_mode_changes_nothing_and_tells_the_plan(name: str) -> None:
    server = ChangingWindows(refuse_writes=True)
    if name == "odj_ou_config":
        server.install("6.2604.2000.3")
    result = run(name, server, ARGUMENTS[name])
    assert "failed" not in result
    assert result["changed"] is (name in ("odj_connector_install", "odj_ou_config"))
    assert bool(result["diff"]) is result["changed"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_unknown_option_is_refused(name: str) -> None:
    with pytest.raises(AnsibleError, match="nonsense"):
        run(name, ChangingWindows(), {**ARGUMENTS[name], "nonsense": 1})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "version, checksum"),
        ({"version": "6.2604.2000.3", "checksum": SUM}, "path, src, url"),
        ({"version": "6.2604.2000.3", "checksum": SUM, "path": "a", "url": "b"}, "mutually exclusive"),
        ({"state": "newest"}, "present, latest, absent"),
    ],
)
def test_what_an_installation_needs(arguments: dict[str, t.Any], words: str) -> None:
    with pytest.raises(AnsibleError, match=words):
        run("odj_connector_install", ChangingWindows(), arguments)


def test_an_error_of_ours_becomes_a_failed_task_with_its_parts() -> None:
    result = run("odj_ou_config", ChangingWindows(), ARGUMENTS["odj_ou_config"])
    assert result["failed"] is True
    assert result["error"]["advice"] == "Install it first (odj_connector_install)."
    assert result["msg"].startswith("Could not edit the configuration of the connector (odj01): no connector")


def converged() -> ChangingWindows:
    """Return a server on which none of the tasks of this file has anything to do, and that refuses to be changed."""
    server = ChangingWindows(refuse_writes=True)
    server.install("6.2604.2000.3")
    server.files[CONFIG] = replace_settings(XML, {OU_LIST_KEY: "OU=A,DC=x"}, CONFIG)
    return server


def look(server: ChangingWindows) -> dict[str, t.Any]:
    """Return the snapshot of a server as a play hands it on."""
    result = run("odj_server_info", server, {"return_snapshot": True})
    assert result["_ansible_no_log"] is True
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(result["snapshot"])))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_with_a_snapshot_a_converged_server_is_not_asked_again(name: str) -> None:
    server = converged()
    own = run(name, server, ARGUMENTS[name])
    snapshot, before = look(server), server.looks
    given = run(name, server, {**ARGUMENTS[name], "snapshot": snapshot})
    assert (given, server.looks) == (own, before)
    assert given["changed"] is False


@pytest.mark.parametrize("name", ["odj_connector_install", "odj_ou_config"])
def test_what_a_snapshot_would_have_changed_is_looked_at_anew(name: str) -> None:
    bare = ChangingWindows()
    bare.install("6.2501.2000.5")
    server = converged()
    before = server.looks
    result = run(
        name,
        server,
        {**ARGUMENTS[name], "state": "latest" if "install" in name else "present", "snapshot": look(bare)},
        check_mode=False,
    )
    assert (result["changed"], server.looks) == (False, before + 1)


def test_what_a_snapshot_says_is_wrong_is_looked_at_anew() -> None:
    server = converged()
    snapshot = look(ChangingWindows(broken={"service"}))
    result = run("odj_ou_config", server, {**ARGUMENTS["odj_ou_config"], "snapshot": snapshot})
    assert "failed" not in result


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_is_no_snapshot_is_refused_before_anything_is_asked(name: str) -> None:
    server = converged()
    result = run(name, server, {**ARGUMENTS[name], "snapshot": {"schema": 7}})
    assert (result["failed"], server.looks) == (True, 0)
    assert "snapshot" in result["msg"]


class Leaving(ChangingWindows):
    """A server that goes away while the installer runs."""

    def _run_win_package(self, options: t.Any) -> t.Any:
        raise AnsibleConnectionFailure("odj01 went away")


def installation(server: ChangingWindows, **more: t.Any) -> dict[str, t.Any]:
    arguments = {"version": "6.2604.2000.3", "checksum": WEB, "url": "https://files/odj.exe", **more}
    return run("odj_connector_install", server, arguments, check_mode=False)


WEB = hashlib.sha256(b"from the web").hexdigest()
NAME = "ODJConnectorBootstrapper.exe"


def test_a_server_that_goes_away_half_way_is_unreachable_and_perhaps_changed() -> None:
    result = installation(Leaving())
    assert (result["unreachable"], result["changed"], result["msg"]) == (True, True, "odj01 went away")
    assert [one["action"] for one in result["progress"]["in_doubt"]] == ["install"]


def test_a_server_that_goes_away_before_anything_is_ansibles_own_matter() -> None:
    class Away(ChangingWindows):
        def ask(self, probes: t.Any) -> t.Any:
            raise AnsibleConnectionFailure("odj01 is away")

    with pytest.raises(AnsibleConnectionFailure):
        installation(Away())


def test_a_wrong_build_that_was_installed_is_a_change() -> None:
    result = installation(ChangingWindows(programs={NAME: ("6.2504.2001.8", 0)}))
    assert (result["failed"], result["changed"]) == (True, True)
    assert [one["action"] for one in result["progress"]["done"]] == ["install"]
    assert result["exit_codes"] == [0]
    assert result["server"]["connector"]["version"] == "6.2504.2001.8"
    assert "Changed before this: Install the connector" in result["msg"]


def test_an_installer_that_failed_may_have_changed_something() -> None:
    result = installation(ChangingWindows(programs={NAME: ("6.2604.2000.3", 1603)}))
    assert (result["failed"], result["changed"]) == (True, True)
    assert [one["action"] for one in result["progress"]["in_doubt"]] == ["install"]


def test_an_installer_that_did_not_start_changed_nothing() -> None:
    result = installation(ChangingWindows(), checksum="1" * 64)
    assert (result["failed"], result["changed"]) == (True, False)
    assert [one["action"] for one in result["progress"]["left"]] == ["install"]


@pytest.mark.parametrize(
    ("answer", "part"), [({"changed": True}, "in_doubt"), ({"changed": False}, "left"), ({}, "in_doubt")]
)
def test_what_the_change_script_says_of_a_failure_counts(answer: dict[str, t.Any], part: str) -> None:
    class Failing(ChangingWindows):
        def _run_odj_server_change(self, options: t.Any) -> t.Any:
            return {"failed": True, "msg": "AccessRightsDiffer", **answer}

    server = Failing()
    server.install("6.2604.2000.3")
    result = run("odj_ou_config", server, ARGUMENTS["odj_ou_config"], check_mode=False)
    assert result["failed"]
    assert result["changed"] is (part == "in_doubt")
    assert [one["action"] for one in result["progress"][part]] == ["replace_file"]
    assert ("backup_path" in result) is (part == "in_doubt"), "what a person needs to put it back"


def test_a_restart_that_failed_and_a_copy_that_is_left_are_both_told() -> None:
    class Stuck(ChangingWindows):
        def _run_win_reboot(self, _options: t.Any) -> t.Any:
            return {"failed": True, "msg": "timed out waiting for the server", "rebooted": True}

        def _run_win_file(self, _options: t.Any) -> t.Any:
            raise AnsibleConnectionFailure("odj01 is going down")

    result = installation(Stuck(programs={NAME: ("6.2604.2000.3", 3010)}), reboot=True)
    assert result["failed"]
    assert [one["action"] for one in result["progress"]["done"]] == ["install"]
    assert [one["action"] for one in result["progress"]["in_doubt"]] == ["restart"]
    assert "is going down" in result["warnings"][0]
    assert (result["exit_codes"], result["reboot_required"]) == ([3010], True)


def test_a_copy_that_cannot_be_removed_does_not_skip_the_restart() -> None:
    class Littered(ChangingWindows):
        def _run_win_file(self, _options: t.Any) -> t.Any:
            return {"failed": True, "msg": "in use"}

    result = installation(Littered(programs={NAME: ("6.2604.2000.3", 3010)}), reboot=True)
    assert "failed" not in result
    assert result["rebooted"] is True
    assert "in use" in result["warnings"][0]


def test_old_backups_go_and_one_that_cannot_is_a_warning() -> None:
    server = ChangingWindows()
    server.install("6.2604.2000.3")
    backups = [f"{CONFIG}.2025010{day}T000000Z.bak" for day in range(1, 6)]
    server.files |= dict.fromkeys(backups, b"old")
    server.held = {backups[1]}
    options = {**ARGUMENTS["odj_ou_config"], "backup_keep": 3}
    result = run("odj_ou_config", server, options, check_mode=False)
    assert result["changed"]
    left = sorted(path for path in server.files if path.endswith(".bak"))
    assert left == [backups[1], backups[3], backups[4], result["backup_path"]]
    assert [backups[1] in warning for warning in result["warnings"] if ".bak" in warning] == [True]


def test_a_negative_number_of_backups_is_refused() -> None:
    result = run("odj_ou_config", ChangingWindows(), {**ARGUMENTS["odj_ou_config"], "backup_keep": -1})
    assert "backup_keep" in result["msg"]
