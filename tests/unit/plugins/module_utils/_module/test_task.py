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
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import DeleteAccount, Operation, Plan, Record
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out, run_module
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


def removal(name: str) -> Operation:
    return DeleteAccount(target=name, before=f"{name}\n", after="", summary=f"{name}: remove", reason="It is to go.")


class Halfway(Remarking):
    """A job that fails at its second of three operations, which it began."""

    in_doubt = False
    settled = False

    def plan(self) -> Plan:
        return Plan(tuple(map(removal, ("CN=a", "CN=b", "CN=c"))))

    def apply(self, plan: Plan, record: Record) -> None:
        with record.performing(plan.changes[0]):
            pass
        record.warnings.append("a file is left")
        record.evidence["exit_codes"] = [0]
        with record.performing(plan.changes[1]):
            problem = OdjError("remove the object", on="CN=b", got="gone")
            problem.in_doubt = self.in_doubt
            raise problem

    def settle(self, plan: Plan, record: Record) -> None:
        self.settled = True


@pytest.mark.parametrize("in_doubt", [False, True])
def test_a_module_that_fails_half_way_says_what_it_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, in_doubt: bool
) -> None:
    given: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda self, warning: given.append(warning))
    job = Halfway()
    job.in_doubt = in_doubt
    with patch_module_args({}), pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, lambda params: nullcontext(job))
    answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert answer["failed"]
    assert answer["changed"] is True
    assert answer["msg"] == "Could not remove the object (CN=b): gone. Changed before this: CN=a: remove."
    progress = {name: [one["target"] for one in part] for name, part in answer["progress"].items()}
    doubtful, left = (["CN=b"], ["CN=c"]) if in_doubt else ([], ["CN=b", "CN=c"])
    assert progress == {"done": ["CN=a"], "in_doubt": doubtful, "left": left}
    assert [one["before_header"] for one in answer["diff"]] == ["CN=a", *doubtful]
    assert [one["target"] for one in answer["plan"]["changes"]] == ["CN=a", "CN=b", "CN=c"]
    assert answer["exit_codes"] == [0]
    assert given == ["a file is left"]
    assert not job.settled


def test_a_task_that_changed_nothing_before_it_failed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({}), pytest.raises(SystemExit):
        run_module({"argument_spec": {}}, lambda params: nullcontext(Failing()))
    answer: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    assert not answer.get("changed")
    assert "progress" not in answer


class Waiting(Remarking):
    """A job without changes that waits for something."""

    settled = 0

    def settle(self, plan: Plan, record: Record) -> None:
        self.settled += 1
        record.warnings.append("it took long")


def test_nothing_is_waited_for_in_check_mode_and_something_outside_it_also_without_changes() -> None:
    job = Waiting()
    assert "it took long" not in t.cast("list[str]", carry_out(job, check_mode=True)["warnings"])
    assert job.settled == 0
    assert carry_out(job, check_mode=False)["warnings"] == ["look here", "it took long"]
    assert job.settled == 1


class Late(Halfway):
    """A job whose changes are made, and what is waited for does not come."""

    def apply(self, plan: Plan, record: Record) -> None:
        for change in plan.changes:
            with record.performing(change):
                pass

    def settle(self, plan: Plan, record: Record) -> None:
        raise OdjError("see the account on the other domain controllers", on="dc2")


def test_a_wait_that_fails_hides_no_change() -> None:
    record = Record()
    with pytest.raises(OdjError, match=r"dc2.*Changed before this: CN=a: remove; CN=b: remove; CN=c: remove\."):
        carry_out(Late(), check_mode=False, record=record)
    assert record.to_json()["changed"] is True
    assert record.to_json()["progress"]["left"] == []


def test_an_error_is_not_its_own_cause_when_it_leaves() -> None:
    with pytest.raises(OdjError) as caught:
        carry_out(Halfway(), check_mode=False)
    seen: list[BaseException] = []
    problem: BaseException | None = caught.value
    while problem:
        assert problem not in seen
        seen.append(problem)
        problem = problem.__cause__
