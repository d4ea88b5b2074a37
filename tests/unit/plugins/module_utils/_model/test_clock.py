# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import (
    from_filetime,
    from_generalized,
    from_ticks,
    utc_text,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import to_filetime

MOMENT = datetime.datetime(2022, 6, 17, 20, 26, 40, tzinfo=datetime.UTC)


def test_filetimes_there_and_back() -> None:
    assert from_filetime(116444736000000000 + 1655497600 * 10**7) == MOMENT
    assert to_filetime(MOMENT) == 132999712000000000


@pytest.mark.parametrize("value", [None, 0, -1, 0x7FFFFFFFFFFFFFFF])
def test_filetimes_that_mean_no_moment(value: int | None) -> None:
    assert from_filetime(value) is None


@pytest.mark.parametrize("text", ["20220617202640.0Z", "20220617202640Z"])
def test_generalized_time(text: str) -> None:
    moment = from_generalized(text)
    assert moment == MOMENT
    assert utc_text(moment) == "2022-06-17T20:26:40Z"


@pytest.mark.parametrize("text", ["", "Z", "20220617202640", "20220617202640.xZ", "20221317202640.0Z", "20220617Z"])
def test_what_is_no_generalized_time(text: str) -> None:
    assert from_generalized(text) is None


def test_ticks_of_dotnet() -> None:
    assert from_ticks(621_355_968_000_000_000 + 1655497600 * 10**7) == MOMENT
    assert [from_ticks(ticks) for ticks in (None, -1, 10**19, 10**400)] == [None] * 4
