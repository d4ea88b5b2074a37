# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines of the tests: one as it is, and one with Windows' cmdlets in front."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.tests.powershell.pwsh import Engine


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("plain"), windows=False)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("windows"), windows=True)
    yield engine
    engine.close()
