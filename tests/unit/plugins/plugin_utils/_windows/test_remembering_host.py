# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a server is not asked again, until something is changed there."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, facts_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import ask_file, ask_host
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import look_at
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.remembering_host import RememberingHost
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import ALL
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, ROOT

HOST, FILE = ask_host("host"), ask_file("it", r"C:\a")


@pytest.mark.parametrize("subset", sorted(ALL.subsets))
def test_each_part_of_a_look_at_everything_is_known(subset: str) -> None:
    server = ChangingWindows()
    server.install("6.2604.2000.3")
    remembering = RememberingHost(server, look_at(server, ALL))
    scope = Scope(frozenset({subset}))
    assert facts_of(look_at(remembering, scope), scope) == facts_of(look_at(server, scope), scope)
    assert server.looks == 2  # that at everything, and the one to compare with


def test_a_connector_in_another_directory_is_known_too() -> None:
    server = ChangingWindows()
    server.install("6.2604.2000.3")
    for entry in server.entries.values():
        entry["InstallLocation"] = {"kind": "String", "data": r"D:\ODJ"}
    server.files[CONFIG.replace(ROOT, r"D:\ODJ")] = server.files.pop(CONFIG)
    seen = look_at(server, ALL)
    before = server.looks
    config = facts_of(look_at(RememberingHost(server, seen), ALL), ALL)["config"]
    assert (config == facts_of(seen, ALL)["config"], server.looks) == (True, before)


def test_what_is_lacking_is_asked_once_and_alone() -> None:
    server = ChangingWindows()
    remembering = RememberingHost(server, server.ask([HOST]))
    for _time in range(2):
        both = remembering.ask([HOST, FILE])
    assert (set(both.answers), server.looks) == ({"host", "it"}, 2)


def test_after_a_change_everything_is_asked_anew() -> None:
    for way in ("run_module", "run_action"):
        server = ChangingWindows(files={r"C:\a": b"old"})
        remembering = RememberingHost(server, server.ask([FILE]))
        server.files[r"C:\a"] = b"new"
        before = remembering.ask([FILE]).value("it")
        getattr(remembering, way)("restart", "ansible.windows.win_reboot", {})
        assert remembering.ask([FILE]).value("it") != before


def test_name_and_files_are_those_of_the_server() -> None:
    server = ChangingWindows()
    remembering = RememberingHost(server, server.ask([]))
    assert (remembering.name, remembering.find_file("x")) == ("odj01", "x")
