# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    checked_name,
    encryption_names,
    readers_descriptor,
    readers_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


@pytest.mark.parametrize("name", ["msaODJab1cd", "msaODJab1cd$", "a" * 15, "gmsa-odj.1"])
def test_names_that_are_taken(name: str) -> None:
    assert checked_name(name) == name.removesuffix("$")


@pytest.mark.parametrize(
    "name", ["", "$", "a" * 16, "a$b", "a/b", "a,b", " a", "a ", "a=b", "a\nb", "CONTOSO\\a", "a@b"]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 15 characters"):
        checked_name(name)


def test_readers_come_back_from_their_descriptor() -> None:
    readers = (Sid(5, (21, 1, 2, 3, 515)), Sid(5, (21, 1, 2, 3, 1000)))
    assert readers_in(readers_descriptor(readers)) == readers
    assert readers_in(readers_descriptor(())) == ()


def test_encryption_types_have_names() -> None:
    assert encryption_names(0x18) == ["aes128", "aes256"]
    assert encryption_names(0x1C) == ["rc4", "aes128", "aes256"]
