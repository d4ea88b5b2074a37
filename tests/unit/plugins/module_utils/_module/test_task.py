# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's arguments to its answer, as ansible-core sees it."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from contextlib import nullcontext

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan, Record
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import run_module
from ansible_collections.hybridjoin.odj.tests.unit.fakes.module_arguments import patch_module_args


class Remarking:
    """A job that changes nothing and has something to say."""

    def plan(self) -> Plan:
        return Plan(())

    def apply(self, plan: Plan, record: Record) -> None:
        raise AssertionError("there is nothing to apply")

    def settle(self, plan: Plan, record: Record) -> None:
        pass

    def facts(self, plan: Plan) -> Mapping[str, object]:
        return {"warnings": ["look here"], "found": 1}


class Failing(Remarking):
    """A job that cannot be planned."""

    def plan(self) -> Plan:
        raise OdjError("read the unit", on="OU=PCs", got="no such object", advice="Name one that exists.")


def test_a_failure_says_it_in_a_sentence_and_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({}), pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, lambda params: nullcontext(Failing()))
    answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert answer["failed"]
    assert answer["msg"] == "Could not read the unit (OU=PCs): no such object. Name one that exists."
    parts = {"tried": "read the unit", "on": "OU=PCs", "got": "no such object", "advice": "Name one that exists."}
    assert answer["error"] == parts


def test_a_library_that_is_missing_is_named_before_anything_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    missing = ImportError("No module named 'ldap3'")
    with patch_module_args({}), pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, lambda params: pytest.fail("opened"), libraries=(("ldap3", missing),))
    answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert answer["failed"]
    assert "library (ldap3)" in answer["msg"]


def test_a_warning_is_given_in_the_way_that_ansible_will_still_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda self, warning: given.append(warning))
    with patch_module_args({}), pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, lambda params: nullcontext(Remarking()))
    answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert given == ["look here"]
    assert (answer["found"], answer["changed"], "warnings" in answer) == (1, False, False)
