# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import sys

import pytest

GRAPH = "ansible_collections.hybridjoin.odj.plugins.module_utils._graph"


@pytest.mark.parametrize("gone", ["requests", "msal", "cryptography"])
def test_a_library_that_is_missing_is_reported_and_stops_no_import(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    for name in list(sys.modules):
        if name.startswith(f"{GRAPH}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    libraries = dict(importlib.import_module(f"{GRAPH}.libraries").LIBRARIES)
    importlib.import_module(f"{GRAPH}.connectors")
    assert set(libraries) == {"requests", "msal", "cryptography"}
    assert isinstance(libraries[gone], ImportError)
