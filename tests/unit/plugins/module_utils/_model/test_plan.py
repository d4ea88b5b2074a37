# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations as data, and the record of how far a task got."""

from __future__ import annotations

import json
import typing as t
from dataclasses import fields

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.operation_json import (
    operation_from_json,
    operation_to_json,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    MOST_NAMED,
    OPERATIONS,
    CreateAccount,
    DeleteAccount,
    LinkHost,
    ModifyAccount,
    Operation,
    Plan,
    Record,
    ReplaceFile,
    RestartServer,
    RestoreDacl,
    RunInstaller,
    RunUninstaller,
    RunUpgrade,
    SetStartType,
    StartService,
    UnlinkHost,
    WriteDacl,
)

SAID: dict[str, t.Any] = {"target": "CN=x", "before": "", "after": "y\n", "summary": "x: y", "reason": "It is to be y."}
EACH: list[Operation] = [
    WriteDacl(**SAID, known=b"\x00\xff", wanted=b""),
    RestoreDacl(**SAID, known=b"\x00", wanted=b"\x01"),
    CreateAccount(**SAID, object_class="msDS-ManagedServiceAccount", values={"sAMAccountName": b"x$"}),
    ModifyAccount(**SAID, values={"description": None, "dNSHostName": b"\xc3\xa9"}),
    DeleteAccount(**SAID),
    LinkHost(**SAID, account="CN=a"),
    UnlinkHost(**SAID, account="CN=a"),
    ReplaceFile(**SAID, content=b"<x/>", expected_sha256="00", backup_path="C:\\x.bak", keep_backups=3),
    RunInstaller(**SAID, url="https://files/odj.exe", checksum="00", arguments="/quiet", success_codes=(0, 3010)),
    RunUpgrade(**SAID, path="D:\\odj.exe", checksum="00"),
    RunUninstaller(**SAID, product_id="{B}", msi=True),
    RestartServer(**SAID),
    SetStartType(**SAID, service="x"),
    StartService(**SAID, service="x"),
]


def test_every_operation_is_here() -> None:
    assert {type(one).__name__ for one in EACH} == set(OPERATIONS)


@pytest.mark.parametrize("operation", EACH, ids=lambda one: type(one).__name__)
def test_an_operation_goes_through_json(operation: Operation) -> None:
    again = operation_from_json(json.loads(json.dumps(operation_to_json(operation))))
    assert again == operation
    assert type(again) is type(operation)


def test_what_interrupts_a_connector() -> None:
    interrupting = {type(one).__name__ for one in EACH if one.INTERRUPTS}
    assert interrupting == {"DeleteAccount", "UnlinkHost", "RunUpgrade", "RunUninstaller", "RestartServer"}


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, {"operation": "Format"}, {"operation": ["WriteDacl"]}, {"operation": "DeleteAccount"},
        {**operation_to_json(EACH[4]), "more": 1}, {**operation_to_json(EACH[0]), "known": "text"},
        {**operation_to_json(EACH[0]), "known": {"base64": "?"}}, {**operation_to_json(EACH[0]), "known": {}},
        {**operation_to_json(EACH[0]), "known": {"base64": "é"}}, {**operation_to_json(EACH[10]), "msi": 1},
        {**operation_to_json(EACH[8]), "success_codes": [True]}, {**operation_to_json(EACH[8]), "success_codes": "0"},
        {**operation_to_json(EACH[3]), "values": {"values": {"description": 1}}},
        {**operation_to_json(EACH[3]), "target": None},
    ],
)  # fmt: skip
def test_what_is_no_operation_is_refused(data: object) -> None:
    with pytest.raises(OdjError, match="Could not read an operation"):
        operation_from_json(data)


def test_a_result_tells_nothing_that_an_operation_is_performed_by() -> None:
    told = Plan(tuple(EACH)).to_json()["changes"]
    assert {name for one in told for name in one} == {*SAID, "action", "interrupts"}
    hidden = {one.name for kind in OPERATIONS.values() for one in fields(kind) if not one.repr}
    assert hidden >= {"known", "wanted", "values", "content", "url", "arguments"}, "nor does a traceback"


class Killed(BaseException):
    """What nobody catches."""


def fail(problem: BaseException) -> t.NoReturn:
    raise problem


def test_a_record_tells_what_was_done_what_is_in_doubt_and_what_is_left() -> None:
    done, doubtful, left = EACH[2], EACH[4], EACH[5]
    record = Record(Plan((done, doubtful, left)))
    lost = OdjError("remove the object")
    lost.in_doubt = True
    with record.performing(done):
        pass
    with pytest.raises(OdjError), record.performing(doubtful):
        fail(lost)
    told = record.to_json()
    assert told["changed"] is True
    assert {name: [one["action"] for one in part] for name, part in told["progress"].items()} == {
        "done": ["create"],
        "in_doubt": ["delete"],
        "left": ["link_host"],
    }
    assert len(told["diff"]) == 2
    assert len(told["plan"]["changes"]) == 3


def test_what_is_refused_is_left_and_what_is_killed_is_in_doubt() -> None:
    record = Record(Plan((EACH[2], EACH[4])))
    with pytest.raises(OdjError), record.performing(EACH[2]):
        fail(OdjError("create the account", got="no"))
    assert record.to_json()["changed"] is False
    with pytest.raises(Killed), record.performing(EACH[4]):
        fail(Killed())
    assert record.in_doubt == [EACH[4]]


def test_a_message_names_some_and_counts_the_others() -> None:
    record = Record(done=[EACH[0]] * (MOST_NAMED + 3))
    assert record.sentence().endswith("CN=x and 3 more.")
    assert record.sentence().count("CN=x") == MOST_NAMED
