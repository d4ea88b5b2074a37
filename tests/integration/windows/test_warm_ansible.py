# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible that is imported already and forked does what one does that is started by its name."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.windows.scenery import Site
from odj_lab import warm_ansible


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ansible")


@pytest.fixture(scope="module")
def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "ANSIBLE_HOME": str(place), "ANSIBLE_LOCAL_TEMP": str(place), "ANSIBLE_NOCOLOR": "1"}


def playbook(where: Path, *tasks: dict[str, t.Any]) -> str:
    path = where / "play.yml"
    path.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("module", "code"),
    [("ansible.windows.win_ping", 0), ("ansible.windows.win_service_info", 0), ("ansible.windows.win_stat", 2)],
)
def test_it_gives_what_a_start_gives(site: Site, module: str, code: int) -> None:
    warm, cold = site.run(module), site.start(module, way="https-ntlm")
    assert (warm.rc, warm.result) == (cold.rc, cold.result) == (code, warm.result)
    assert warm.result


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ({"ansible.builtin.debug": {"msg": "one"}}, 0),
        ({"ansible.builtin.fail": {"msg": "one"}}, 2),
        ({"ansible.builtin.no_such_action": {"msg": "one"}}, (1, 4)),
    ],
)
def test_exit_codes_and_lines_come_as_they_are(
    environment: dict[str, str], tmp_path: Path, task: dict[str, t.Any], code: int | tuple[int, ...]
) -> None:
    lines: list[str] = []
    for __ in range(2):
        lines.clear()
        found, output = warm_ansible.run("ansible-playbook", [playbook(tmp_path, task)], environment, lines.append)
        assert found in (code if isinstance(code, tuple) else (code,)), output
        assert "".join(f"{line}\n" for line in lines) == output
        assert "one" in output or "no_such_action" in output


def test_what_the_environment_says_counts(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of Ansible itself that differ, and others, and the present directory."""
    name = Path(playbook(tmp_path, {"ansible.builtin.debug": {"msg": "{{ lookup('env', 'WORD') }}"}})).name
    monkeypatch.chdir(tmp_path)
    for style in ("minimal", "oneline"):
        said = {**environment, "ANSIBLE_STDOUT_CALLBACK": style, "WORD": f"word of {style}"}
        code, output = warm_ansible.run("ansible-playbook", [name], said)
        assert code == 0, output
        assert f"word of {style}" in output
        assert ("=> {\n" in output) == (style == "minimal")


def test_nothing_is_left_behind(environment: dict[str, str], place: Path, tmp_path: Path) -> None:
    words = [playbook(tmp_path, {"ansible.builtin.copy": {"content": "x", "dest": str(tmp_path / "x")}})]
    before = None
    for __ in range(2):
        code, output = warm_ansible.run("ansible-playbook", words, environment)
        assert code == 0, output
        now = sorted(path.name for path in place.glob("ansible-local-*"))
        assert before in (None, now)
        before = now
