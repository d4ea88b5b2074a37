# SPDX-License-Identifier: GPL-3.0-or-later
"""What names versions of Ansible or Python says the same as the list in versions.py."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from versions import CORES, NEWEST, OLDEST, PYTHONS, Core, in_words

ROOT = Path(__file__).parents[2]
ROLES = sorted((ROOT / "roles").glob("*/meta/main.yml"))


def words(name: str) -> str:
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_the_readme_names_the_oldest_the_newest_and_what_is_tested() -> None:
    readme = words("README.md")
    assert f"(ansible-core {OLDEST.version} or newer)" in readme
    assert f"ansible-core {OLDEST.version} to {NEWEST.version} on the controller, {in_words()};" in readme


def test_the_collection_requires_the_oldest() -> None:
    assert yaml.safe_load(words_of_yaml("meta/runtime.yml"))["requires_ansible"] == f">={OLDEST.version}.0"


@pytest.mark.parametrize("meta", ROLES, ids=[role.parts[-3] for role in ROLES])
def test_each_role_requires_the_oldest(meta: Path) -> None:
    galaxy = yaml.safe_load(meta.read_text(encoding="utf-8"))["galaxy_info"]
    assert galaxy["min_ansible_version"] == OLDEST.version


def test_ansible_lint_is_told_only_of_versions_that_are_tested() -> None:
    told = yaml.safe_load(words_of_yaml(".config/ansible-lint.yml"))["supported_ansible_also"]
    assert set(told) <= {core.version for core in CORES}
    assert NEWEST.version in told


def test_the_oldest_python_is_that_of_the_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    config = yaml.safe_load(words_of_yaml("tests/config.yml"))
    assert project["tool"]["mypy"]["python_version"] == PYTHONS[0]
    assert project["tool"]["ruff"]["target-version"] == f"py{PYTHONS[0].replace('.', '')}"
    assert config["modules"]["python_requires"] == f">={PYTHONS[0]}"


@pytest.mark.parametrize("core", CORES, ids=[core.version for core in CORES])
def test_each_core_is_pinned_to_a_release_of_its_own_and_to_known_pythons(core: Core) -> None:
    assert re.fullmatch(rf"{re.escape(core.version)}\.\d+", core.pin)
    assert set(core.pythons) <= set(PYTHONS)


def test_the_pythons_are_all_used() -> None:
    assert {core.pythons[0] for core in CORES} == set(PYTHONS)


def test_sanity_runs_on_the_oldest_and_the_newest() -> None:
    assert [core for core in CORES if core.sanity] == [OLDEST, NEWEST]


def words_of_yaml(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
