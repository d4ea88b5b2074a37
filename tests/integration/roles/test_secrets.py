# SPDX-License-Identifier: GPL-3.0-or-later
"""What -vvv and --diff print of the main job, and of tasks that fail: everything, and no secret."""

from __future__ import annotations

import base64
import hashlib
import re
import typing as t
from collections.abc import Iterator

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import OLD, Person, Stage, task
from odj_lab import audit, directory, inventory, plays
from odj_lab import directory_acl as acl
from odj_lab.product import accounts, builds
from odj_lab.settings import Lab
from odj_lab.store import JsonLog, JsonStore

VERBOSE = ("-vvv", "--diff")
FAST = {"odj_poll_interval": 1, "odj_sign_in": "stop", "odj_connector_state": "latest"}


def secrets_of(lab: Lab) -> dict[str, str]:
    """Return every secret of the lab by a name that may be printed."""
    stores = [JsonStore(accounts.passwords_path(domain)) for domain in lab.domains]
    known = {**lab.passwords}
    for store in stores:
        known |= store.read() if store.path.exists() else {}
    encoded = {
        f"{name} in base64": base64.b64encode(text.encode()).decode().rstrip("=") for name, text in known.items()
    }
    return {**known, **encoded}


def leaked(lab: Lab, output: str) -> list[str]:
    """Return the names of the secrets that an output shows; a token counts when the cloud has ever given it out."""
    tokens = JsonStore(lab.cloud_dir / "state.json").read()["tokens"]
    words = set(re.findall(r"[\w.~+/=-]{16,}", output))
    shown = [word[:4] for word in words if hashlib.sha256(word.encode()).hexdigest() in tokens]
    return [name for name, text in secrets_of(lab).items() if text in output] + [f"token {start}..." for start in shown]


@pytest.fixture(autouse=True)
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the arguments of modules printed, which core 2.21 leaves out unless told."""
    monkeypatch.setenv("ANSIBLE_INJECT_INVOCATION", "true")


@pytest.fixture
def restored(stage: Stage) -> Iterator[None]:
    """Take what the main job delegates back afterwards."""
    with directory.connected(stage.domain, "Administrator") as connection:
        found = {unit: _descriptor(connection, unit) for unit in stage.domain.organizational_units}
        yield
    with directory.connected(stage.domain, "Administrator") as connection:
        for unit, raw in found.items():
            change = {"nTSecurityDescriptor": [(ldap3.MODIFY_REPLACE, [raw])]}
            connection.modify(unit, t.cast(t.Any, change), controls=acl.DACL_ONLY)


def _descriptor(connection: ldap3.Connection, unit: str) -> bytes:
    attributes = ["nTSecurityDescriptor"]
    connection.search(unit, "(objectClass=*)", ldap3.BASE, attributes=attributes, controls=acl.DACL_ONLY)
    return t.cast(bytes, acl.responses(connection)[0]["raw_attributes"]["nTSecurityDescriptor"][0])


@pytest.mark.usefixtures("restored")
def test_the_main_job_prints_no_secret(stage: Stage, person: Person) -> None:
    stage.install(OLD, "odj01")  # odj01 is upgraded, configured and delegated; odj02 is installed and stops
    account = person.signs_in("odj01")
    lab, domain = stage.lab, stage.domain
    units = domain.organizational_units
    before = audit.descriptors(domain, *units)
    settings = {**FAST, "odj_allow_outage": True}  # nobody carries the joins while odj01 is upgraded
    play = plays.run(lab, "hybridjoin.odj.site", *VERBOSE, "--limit", "odj01,odj02", variables=settings)
    assert play.code == 0, play.output
    assert [new != old for new, old in zip(audit.descriptors(domain, *units), before, strict=True)] == [True] * len(
        units
    )
    assert (stage.state("odj01")["product"]["build"], stage.state("odj02")["product"]["build"]) == (builds.NEWEST,) * 2
    requests = JsonLog(lab.cloud_dir / "requests.jsonl").entries()
    assert {"token", "read"} <= {entry["kind"] for entry in requests}
    # It is talkative enough for a secret to show: arguments of modules, diffs, accounts.
    for seen in ('"client_secret": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"', "+++ after", account, "invocation"):
        assert seen in play.output.replace("\\\\", "\\"), seen
    assert leaked(lab, play.output) == []


def test_the_check_finds_secrets_that_show(stage: Stage) -> None:
    lab = stage.lab
    token = "eyJ0eXAiOiJKV1QifQ.made-up.token"
    with JsonStore(lab.cloud_dir / "state.json").edit("a token") as state:
        state["tokens"][hashlib.sha256(token.encode()).hexdigest()] = {"client_id": "x", "expires": 0}
    output = f'"Authorization": "Bearer {token}" {lab.passwords["ansible"]}'
    assert leaked(lab, output) == ["ansible", "token eyJ0..."]


def test_failures_print_no_secret(stage: Stage) -> None:
    lab, access, cloud = stage.lab, inventory.access(stage.domain), inventory.graph(stage.lab)
    units = list(stage.domain.organizational_units)
    wrong = {"secret": "Wrong-Secret-9f2c", "password": "Wrong-Password-77ab", "token": "wrong.token-4d1e8a90b2"}
    asked = {**access, "organizational_units": units}
    graph = {k: v for k, v in cloud.items() if k not in ("tenant_id", "client_id", "client_secret")}
    tasks = [
        task("odj_connector_info", **{**cloud, "client_secret": wrong["secret"]}),
        task("odj_connector_info", **graph, access_token=wrong["token"]),
        task("odj_organizational_unit_info", **{**asked, "password": wrong["password"]}),
        task("odj_ou_delegate", **asked, accounts=["nobody-there"]),
        task("odj_msa", **access, name="x" * 16),
    ]
    local = [{**one, "delegate_to": "localhost"} for one in tasks]
    steps = stage.run([{"hosts": "odj01", "gather_facts": False, "tasks": local}], *VERBOSE)["odj01"]
    assert [step.outcome for step in steps] == ["failed"] * len(tasks), stage.output
    assert "invocation" in stage.output
    assert leaked(lab, stage.output) == []
    assert [name for name, text in wrong.items() if text in stage.output] == []
