# SPDX-License-Identifier: GPL-3.0-or-later
"""Uninstall entries, service and certificate become one connector; test_state.py has what they mean."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    connector_probes,
    known_connector,
    read_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import entry_values


def test_the_newest_certificate_counts_and_may_have_expired() -> None:
    server = FakeWindows()
    server.certificates = [
        {"thumbprint": "NEW", "not_after": "2020-01-01T00:00:00.0000000Z"},
        {"thumbprint": "OLD", "not_after": "2019-01-01T00:00:00.0000000Z"},
    ]
    certificate = facts(server)["enrollment"]["certificate"]
    assert (certificate["thumbprint"], certificate["expired"]) == ("NEW", True)


@pytest.mark.parametrize("probe", ["uninstall_64", "uninstall_32", "service", "certificate"])
def test_a_question_without_an_answer_is_never_an_absent_connector(probe: str) -> None:
    server = FakeWindows(broken={probe})
    server.install("6.2604.2000.3")
    server.sign_in()
    result = facts(server)
    assert (result["state"], list(result["errors"])) == ("unknown", [probe])
    with pytest.raises(OdjError, match="AccessDenied: Zugriff verweigert"):
        known_connector(server.ask(connector_probes()), "odj01")
    with pytest.raises(OdjError, match="no answer"):
        known_connector(Snapshot({}, NOON, NOON), "odj01")


@pytest.mark.parametrize(
    ("command", "root"),
    [
        (r'"D:\Dienste\Straße\odjconnectorsvc\ODJCONNECTORSVC.EXE" -x', r"D:\Dienste\Straße"),
        (r"D:\ODJ\ODJConnectorSvc\ODJConnectorSvc.exe", r"D:\ODJ"),
        (r"D:\other.exe", r"C:\Program Files\Microsoft Intune\ODJConnector"),
    ],
)
def test_the_service_tells_where_the_connector_lies(command: str, root: str) -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.service["path"] = command
    assert facts(server)["connector"]["install_path"] == root


def test_the_set_up_program_comes_before_its_msi() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.entries = dict(reversed(server.entries.items()))
    entries = facts(server)["connector"]["uninstall_entries"]
    assert [(entry["key"], entry["msi"]) for entry in entries] == [("{B}", False), ("{M}", True)]


def test_an_entry_in_both_views_of_the_registry_is_one_and_the_64_bit_view_tells_its_version() -> None:
    versions = {"uninstall_64": "6.2604.2000.3", "uninstall_32": "6.2504.2001.8"}
    answers = {
        probe_id: {"ok": True, "value": {"subkeys": [{"name": "{B}", "values": entry_values(version, 0)}]}}
        for probe_id, version in versions.items()
    }
    entries = read_connector(Snapshot(answers, NOON, NOON)).entries
    assert [(entry.key, entry.version) for entry in entries] == [("{B}", "6.2604.2000.3")]
