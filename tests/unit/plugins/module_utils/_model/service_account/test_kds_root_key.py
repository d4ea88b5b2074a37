# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import ServiceAccountError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    RootKey,
    assess_root_keys,
    refuse_early,
)

NOW = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def test_a_key_counts_from_ten_hours_after_its_start() -> None:
    verdict = assess_root_keys([RootKey("k", NOW - 10 * HOUR)], NOW)
    assert (verdict.state, verdict.usable_from) == ("usable", NOW)
    refuse_early(verdict, "gmsa", require=True)
    early = assess_root_keys([RootKey("k", NOW - 10 * HOUR + datetime.timedelta(seconds=1))], NOW)
    assert early.state == "waiting"
    with pytest.raises(ServiceAccountError) as caught:
        refuse_early(early, "gmsa", require=False)
    for words in ("gmsa$", "the KDS root key k", "2026-11-24T12:00:01Z", "2026-11-24T12:00:00Z", "Nothing was written"):
        assert words in str(caught.value)


def test_the_oldest_key_decides() -> None:
    keys = [RootKey("new", NOW), RootKey("hidden", None), RootKey("old", NOW - 100 * HOUR)]
    assert assess_root_keys(keys, NOW).to_json()["reason"] == "the KDS root key old is in use"
    assert assess_root_keys(keys[:2], NOW).state == "waiting"


@pytest.mark.parametrize("keys", [None, [], [RootKey("k", None)]])
def test_what_cannot_be_seen_is_unknown_and_refused_only_when_a_key_is_required(keys: list[RootKey] | None) -> None:
    verdict = assess_root_keys(keys, NOW)
    assert (verdict.state, verdict.to_json()["usable_from"]) == ("unknown", None)
    refuse_early(verdict, "gmsa", require=False)
    with pytest.raises(ServiceAccountError, match="require_kds_root_key"):
        refuse_early(verdict, "gmsa", require=True)
