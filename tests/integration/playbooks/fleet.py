# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the domain group stand on: three servers, and what one run of the main job did to them."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import ldap3
import pytest

from odj_lab import audit, directory, plays
from odj_lab import directory_acl as acl
from odj_lab.product import accounts, builds, host, programs, sign_in
from odj_lab.settings import Lab
from odj_lab.store import State

SITE = "hybridjoin.odj.site"
CREATE = r"\(OA;;CC;bf967a86-0de6-11d0-a285-00aa003049e2;;(S-[\d-]+)\)"
SET_UP = r"C:\Windows\Temp\setup.exe"
STOP = {"odj_poll_interval": 1, "odj_active_timeout": 30, "odj_sign_in": "stop"}


@dataclass(frozen=True)
class Run:
    """How a run ended.

    Attributes:
        code: The exit code.
        changed: The hosts of the recap, with how many tasks changed something there.
        delegated: The servers to whose accounts every OU is delegated now and was not before.
        granted: How many accounts may create computers in every OU now that could not before.
        sign_ins: The servers of the list of sign-ins, in its order.
        said: All that was printed, on one line.
    """

    code: int
    changed: dict[str, int]
    delegated: set[str]
    granted: int
    sign_ins: list[str]
    said: str


@dataclass
class Fleet:
    """The three servers of the lab's first domain.

    Attributes:
        made: The account that each sign-in has made, by server.
    """

    lab: Lab
    made: dict[str, accounts.ServiceAccount] = field(default_factory=dict)

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(self.lab.domains[0].organizational_units)

    def run(
        self,
        *words: str,
        playbook: str | Path = SITE,
        on_line: t.Callable[[str], None] = lambda __: None,
        **variables: object,
    ) -> Run:
        """Run a playbook, by default the main job, which stops where somebody has to sign in."""
        before = self._rights()
        play = plays.run(self.lab, playbook, *words, variables={**STOP, **variables}, on_line=on_line, warm=True)
        new = self._rights() - before
        delegated = {server for server, account in self.made.items() if account["sid"] in new}
        said = " ".join(play.output.split())
        return Run(play.code, play.changed(), delegated, len(new), sign_ins_of(play.output), said)

    def _rights(self) -> set[str]:
        """Return the SIDs that may create computers in every OU."""
        texts = audit.descriptors(self.lab.domains[0], *self.units)
        return set.intersection(*(set(re.findall(CREATE, text)) for text in texts))

    @contextmanager
    def change(self, server: str) -> Iterator[State]:
        """Change a server for a while; all of it is put back afterwards."""
        store = host.store(self.lab, server)
        before = store.read()
        with store.edit("a row of the table begins") as state:
            yield state

        def put_back() -> None:
            with store.edit("a row of the table ends") as state:
                state.clear()
                state.update(before)

        self.undo.append(put_back)

    undo: list[t.Callable[[], None]] = field(default_factory=list)

    def install(self, build: str, server: str) -> None:
        """Have a build installed as a person would have done it long ago."""
        store = host.store(self.lab, server)
        with store.edit("a set-up program comes") as state:
            host.put_file(state, SET_UP, builds.make_bootstrapper(build))
        assert programs.execute(self.lab, server, f"{SET_UP} /quiet").rc == 0
        with store.edit("and goes") as state:
            del state["files"][SET_UP]

    def sign_in(self, server: str) -> None:
        self.made[server] = sign_in.sign_in(self.lab, server)

    def delete_named(self, name: str) -> None:
        """Delete an account that a run has made, if it has."""
        domain = self.lab.domains[0]
        with directory.connected(domain, "Administrator") as connection:
            if entry := directory.find(connection, domain, f"{name}$"):
                connection.delete(entry["dn"])

    def put_back(self) -> None:
        """Undo what ``change`` has seen."""
        while self.undo:
            self.undo.pop()()

    def build(self, server: str) -> str:
        return str(host.store(self.lab, server).read()["product"]["build"])

    @contextmanager
    def descriptors_kept(self) -> Iterator[None]:
        """Put the access lists of the OUs back afterwards."""
        domain = self.lab.domains[0]
        with directory.connected(domain, "Administrator") as connection:
            found = {unit: _descriptor(connection, unit) for unit in self.units}
        yield
        with directory.connected(domain, "Administrator") as connection:
            for unit, raw in found.items():
                change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [raw])]}
                connection.modify(unit, t.cast(t.Any, change), controls=acl.DACL_ONLY)

    def delete_account(self, server: str) -> None:
        with directory.connected(self.lab.domains[0], "Administrator") as connection:
            connection.delete(self.made.pop(server)["dn"])


def _descriptor(connection: ldap3.Connection, unit: str) -> bytes:
    attributes = ["nTSecurityDescriptor"]
    connection.search(unit, "(objectClass=*)", ldap3.BASE, attributes=attributes, controls=acl.DACL_ONLY)
    return t.cast(bytes, acl.responses(connection)[0]["raw_attributes"]["nTSecurityDescriptor"][0])


def sign_ins_of(output: str) -> list[str]:
    """Read the servers off the statistics at the end of a run."""
    found = re.search(r"CUSTOM STATS: \*+\s+RUN: (\{.*?^\})?", output, re.DOTALL | re.MULTILINE)
    text = output[found.start() :].partition("RUN: ")[2] if found else "{}"
    stats: Mapping[str, t.Any] = json.JSONDecoder().raw_decode(text)[0]
    return [str(one["server"]) for one in stats.get("odj_sign_ins", [])]


def shown(patch: pytest.MonkeyPatch, **more: str) -> None:
    """Have the statistics printed, and set further settings of Ansible."""
    patch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "true")
    for name, value in more.items():
        patch.setenv(name, value)
