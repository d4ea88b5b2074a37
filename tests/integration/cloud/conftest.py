# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud of its own for these tests: no directory, no servers, addresses that no other lab uses."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.graph import GRAPH_OPTIONS, open_graph
from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.unit.fakes.graph import PatientClock
from odj_lab.cloud import CLIENT_ID, create_state, serve
from odj_lab.cloud.state import requests_log, store
from odj_lab.settings import Lab

SECRET = "pearl-in-the-shell"


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab.new("cloud", nets.net("cloud"), tmp_path_factory.mktemp("cloud"))
    lab = replace(made, passwords={**made.passwords, "graph-app": SECRET})
    cloud = serve(lab)
    yield lab
    cloud.close()


@pytest.fixture
def lab(standing: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Put the cloud back to its first day, and take what speaks of clouds and proxies from the environment."""
    store(standing).create(create_state(standing))
    requests_log(standing).path.unlink(missing_ok=True)
    for name in list(os.environ):
        if name.startswith(("AZURE_", "MSGRAPH_")) or name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            monkeypatch.delenv(name)
    return standing


@pytest.fixture
def options(lab: Lab) -> dict[str, t.Any]:
    """Return options of the collection that fit the lab's cloud."""
    return {
        "tenant_id": lab.tenant_id,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "authority_host": lab.cloud_url,
        "graph_url": lab.cloud_url,
        "ca_path": str(lab.ca_path),
    }


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
def opened(options: dict[str, t.Any], clock: PatientClock) -> Iterator[Callable[..., Graph]]:
    """Open a session with Graph, with other options than the fitting ones where given."""
    open_now = []

    def open_with(**other: t.Any) -> Graph:
        params = {name: option.get("default") for name, option in GRAPH_OPTIONS.items()}
        context = open_graph({**params, **options, **other}, clock)
        open_now.append(context)
        return context.__enter__()

    yield open_with
    for context in open_now:
        context.__exit__(None, None, None)


@pytest.fixture
def app_pem(lab: Lab) -> Path:
    """Return the file with key and certificate that the app registration knows."""
    return lab.pki_dir / "graph-app.pem"
