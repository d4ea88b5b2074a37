# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ou_delegation: every variable reaches the module, and the defaults are what Microsoft documents."""

from __future__ import annotations

import json
import re
import secrets
import typing as t
from collections.abc import Iterator, Mapping

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import Stage, Step
from odj_lab import audit, directory, inventory
from odj_lab import directory_acl as acl

CREATE, DELETE = (rf"\(OA;{{}};{right};bf967a86-0de6-11d0-a285-00aa003049e2;;{{}}\)" for right in ("CC", "DC"))
KEEPER, WIZARD, LEGACY = "msaRoleODJ", f"msaODJ{secrets.token_hex(3)[:5]}", "ODJ03$"


class Place(t.NamedTuple):
    """A unit that odj-automation may delegate, and the SIDs of three accounts."""

    stage: Stage
    unit: str
    keeper: str
    wizard: str
    legacy: str

    def run(self, *given: Mapping[str, object], check: bool = False) -> list[Step]:
        """Run the role once with each of these sets of variables (written without its name), and return its steps."""
        play = {
            "hosts": "odj01",
            "gather_facts": False,
            "module_defaults": {"group/hybridjoin.odj.odj_directory": inventory.access(self.stage.domain)},
            "tasks": [self._include(variables) for variables in given],
        }
        steps = self.stage.run([play], *(["--check"] if check else []))["odj01"]
        return [step for step in steps if step.outcome == "failed" or "plan" in step.result]

    def _include(self, variables: Mapping[str, object]) -> dict[str, object]:
        whole = {"organizational_units": [self.unit], "accounts": [KEEPER], **variables}
        return {
            "name": "The role",
            "ansible.builtin.include_role": {
                "name": "hybridjoin.odj.ou_delegation", "apply": {"ignore_errors": True}
            },
            "vars": {f"ou_delegation_{name}": value for name, value in whole.items()},
        }  # fmt: skip

    def holds(self, right: str, sid: str, flags: str = "") -> bool:
        return re.search(right.format(flags, sid), audit.descriptor(self.stage.domain, self.unit)) is not None


@pytest.fixture
def place(stage: Stage) -> Iterator[Place]:
    domain, unit = stage.domain, f"OU=Role {secrets.token_hex(3)},{stage.domain.base_dn}"
    names = [f"CN={name},{domain.msa_container}" for name in (KEEPER, WIZARD)]
    with directory.connected(domain, "Administrator") as connection:
        connection.add(unit, "organizationalUnit")
        acl.grant(connection, unit, acl.allow(directory.sid_of(connection, domain, "odj-automation"), acl.WRITE_DAC))
        for dn, name in zip(names, (KEEPER, WIZARD), strict=True):
            connection.add(dn, "msDS-ManagedServiceAccount", {"sAMAccountName": f"{name}$"})
        sids = [
            acl.sid_text(directory.sid_of(connection, domain, name)) for name in (f"{KEEPER}$", f"{WIZARD}$", LEGACY)
        ]
        yield Place(stage, unit, *sids)
        for dn in (unit, *names):
            connection.delete(dn)


def test_the_defaults_give_one_right_on_this_object(place: Place) -> None:
    before = audit.descriptor(place.stage.domain, place.unit)
    (checked,) = place.run({}, check=True)
    assert checked.changed
    assert audit.descriptor(place.stage.domain, place.unit) == before
    done, again = place.run({}, {})
    assert (done.changed, again.changed, done.result["plan"]) == (True, False, checked.result["plan"])
    assert place.holds(CREATE, place.keeper)
    assert audit.descriptor(place.stage.domain, place.unit).count(place.keeper) == 1
    (gone,) = place.run({"state": "absent"})
    assert gone.changed
    assert audit.descriptor(place.stage.domain, place.unit) == before


def test_every_variable_reaches_the_module(place: Place) -> None:
    domain, path = place.stage.domain, place.stage.scratch / "points.json"
    orphan = Sid.parse(place.keeper).sibling(999999)
    with directory.connected(domain, "Administrator") as connection:
        computer = directory.schema_guid(connection, domain, "computer")
        acl.grant(connection, place.unit, acl.allow(orphan.to_bytes(), acl.CREATE_CHILD, computer))
    place.run({"accounts": [LEGACY, WIZARD], "applies_to": "subtree"})
    before = audit.descriptor(domain, place.unit)
    assert [sid in before for sid in (place.wizard, place.legacy, str(orphan))] == [True] * 3
    options: dict[str, object] = {
        "rights": ["create_computer", "delete_computer"], "applies_to": "subtree", "state": "exact",
        "connector_accounts": [LEGACY], "purge_orphans": True, "backup_path": str(path),
    }  # fmt: skip
    done, again = place.run(options, options)
    assert (done.changed, again.changed) == (True, False)
    assert place.holds(CREATE, place.keeper, "CI")
    assert place.holds(DELETE, place.keeper, "CI")
    after = audit.descriptor(domain, place.unit)
    assert [sid in after for sid in (place.wizard, place.legacy, str(orphan))] == [False] * 3
    assert [point["dn"] for point in json.loads(path.read_text(encoding="utf-8"))["restore_points"]] == [place.unit]
    back: dict[str, object] = {"accounts": [], "state": "restored", "backup_path": str(path)}
    more, refused, forced, again = place.run({"rights": ["reuse_computer"]}, back, {**back, "force": True}, back)
    assert more.changed
    assert "was added" in refused.message
    assert (forced.changed, again.changed) == (True, False)
    assert audit.descriptor(domain, place.unit) == before


def test_order_and_unusual_targets_are_asked_for_by_name(place: Place) -> None:
    domain, container = place.stage.domain, place.stage.domain.msa_container
    unusual = {"organizational_units": [container]}
    unnamed, named = place.run(unusual, {**unusual, "allow_unusual_targets": [container]})
    assert "allow_unusual_targets" in unnamed.message
    assert "may not write them" in named.message, "what hinders it now is the missing right alone"
    deny = AccessRule(False, acl.CREATE_CHILD, Sid.parse("S-1-5-32-546")).to_ace()
    with directory.connected(domain, "Administrator") as connection:
        acl.grant(connection, place.unit, deny, last=True)
    refused, done = place.run({}, {"canonicalize": True})
    assert "canonical order" in refused.message
    assert done.changed


def test_values_that_do_not_exist_are_refused_by_the_role(place: Place) -> None:
    refused, *__ = place.run({"rights": ["rename"], "state": "gone", "applies_to": "all"})
    assert all(word in refused.message for word in ("rename", "gone", "all"))
    assert "ou_delegation_state" in refused.message
