# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks on a server that are killed right before or right after anything they do: run again, they get there."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import SPEC
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.connector_install import (
    ConnectorInstall,
    installer_of,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.ou_config import DesiredConfig, OuConfig
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG

OLD, NEW = "6.2504.2001.8", "6.2604.2000.3"
WEB = hashlib.sha256(b"from the web").hexdigest()
Result = dict[str, t.Any]


class Killed(BaseException):
    """The process ends: nothing that comes behind in it is done."""


@dataclass
class MortalWindows(ChangingWindows):
    """A server, and a controller that is killed at one of its calls, counted from 0."""

    at: int = -1
    before: bool = False

    def run_module(self, tried: str, module: str, options: Mapping[str, t.Any]) -> t.Any:
        self.at -= 1
        if self.at == -1 and self.before:
            raise Killed
        answer = super().run_module(tried, module, options)
        if self.at == -1:
            raise Killed
        return answer


def installation(server: ChangingWindows, **options: t.Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in SPEC["argument_spec"].items()}
    merged = {**defaults, **options}
    job = ConnectorInstall(
        server,
        state=merged["state"],
        installer=installer_of(merged, server),
        reboot=True,
        build_from=merged["build_from"],
    )
    return carry_out(job, check_mode=False)


def fresh(server: ChangingWindows) -> Result:
    return installation(server, version=NEW, checksum=WEB, url="https://files/odj.exe")


def upgrade(server: ChangingWindows) -> Result:
    return installation(server, version=NEW, checksum=WEB, url="https://files/odj.exe", state="latest")


def removal(server: ChangingWindows) -> Result:
    return installation(server, state="absent")


def ou_list(server: ChangingWindows) -> Result:
    return carry_out(OuConfig(server, DesiredConfig(("OU=A,DC=x",), "exact", {}, None)), check_mode=False)


CASES: dict[str, tuple[Callable[[ChangingWindows], Result], str | None]] = {
    "fresh": (fresh, None),
    "upgrade": (upgrade, OLD),
    "removal": (removal, NEW),
    "ou_list": (ou_list, NEW),
}
CALLS = {"fresh": 5, "upgrade": 5, "removal": 2, "ou_list": 1}


def scene(build: str | None) -> MortalWindows:
    server = MortalWindows(programs={"ODJConnectorBootstrapper.exe": (NEW, 3010)})
    if build:
        server.install(build)
    return server


def world(server: ChangingWindows) -> Result:
    """Return what the server holds, but for backups and for what a killed task brought there."""
    files = {p: data for p, data in server.files.items() if not p.endswith(".bak") and not p.startswith(r"C:\Temp")}
    return {"entries": server.entries, "files": files, "service": server.service}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("case", "at"), [(case, at) for case, number in CALLS.items() for at in range(number)])
def test_a_change_of_a_server_that_was_killed_at_any_call_gets_there_when_it_runs_again(
    case: str, at: int, before: bool
) -> None:
    task, build = CASES[case]
    undisturbed = scene(build)
    whole = task(undisturbed)
    assert len(undisturbed.calls) == CALLS[case]
    server = scene(build)
    server.at, server.before = at, before
    with pytest.raises(Killed):
        task(server)
    again = task(server)
    assert world(server) == world(undisturbed)
    assert task(server)["changed"] is False
    all_of_it = [change["summary"] for change in whole["plan"]["changes"]]
    rest = [change["summary"] for change in again["plan"]["changes"]]
    assert rest == all_of_it[len(all_of_it) - len(rest) :], "the second run does what the first one left"
    assert again["changed"] is bool(rest)
    assert (server.files.get(CONFIG) is None) is (case == "removal")
