# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

TEXT = "S-1-5-21-1004336348-1177238915-682003330-512"


def test_text_and_bytes_of_a_known_sid() -> None:
    data = bytes.fromhex("010500000000000515000000dcf4dc3b833d2b46828ba62800020000")
    assert str(Sid.from_bytes(data)) == TEXT
    assert Sid.parse(TEXT).to_bytes() == data


@pytest.mark.parametrize(
    "text",
    ["S-1-5", "S-1-5-32-544", "S-1-0x010000000000-1", "s-1-5-18"],
)
def test_other_forms(text: str) -> None:
    assert Sid.from_bytes(Sid.parse(text).to_bytes()) == Sid.parse(text)


@pytest.mark.parametrize(
    "text", ["", "S-1", "S-2-5-18", "S-1-5-", "S-1-5-4294967296", "S-1-5-x", "S-1-5" + "-1" * 16, "S-1-281474976710656"]
)
def test_what_is_no_sid_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not of the form"):
        Sid.parse(text)


def test_aliases_and_siblings() -> None:
    assert Sid.parse("S-1-5-32-544").sddl == "BA"
    assert Sid.parse(TEXT).sddl == TEXT
    assert str(Sid.parse(TEXT).sibling(515)).endswith("-515")


@pytest.mark.parametrize("data", [b"", b"\1\2" + bytes(6), b"\2\0" + bytes(6), b"\1\0" + bytes(7)])
def test_bytes_that_are_no_sid(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a security identifier"):
        Sid.from_bytes(data)
