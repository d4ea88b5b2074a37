# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    MINIMUM_BUILD,
    Build,
    is_legacy,
    made_by_sign_in,
)


@pytest.mark.parametrize("text", ["6.2407.2000.8", "6.2501.2000.5", "6.2604.2000.3"])
def test_a_build_is_printed_as_it_was_written(text: str) -> None:
    assert str(Build.parse(text)) == text


def test_blanks_and_a_missing_fourth_number_are_understood() -> None:
    assert Build.parse(" 6.2505.0\n") == Build(6, 2505, 0, 0)


def test_builds_compare_by_number_and_not_as_text() -> None:
    assert Build.parse("6.999.2000.5") < Build.parse("6.2501.2000.5") < Build.parse("6.2501.2000.10")


@pytest.mark.parametrize(
    "text", ["", "latest", "6.2501", "6.2501.2000.5.1", "v6.2501.2000.5", "6.2501.-1.5", "6.٢.0.0"]
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Build.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "legacy"), [("6.2407.2000.8", True), ("6.2501.2000.4", True), ("6.2501.2000.5", False)]
)
def test_legacy_ends_at_the_minimum_build(text: str, legacy: bool) -> None:
    assert is_legacy(Build.parse(text)) is legacy
    assert str(MINIMUM_BUILD) == "6.2501.2000.5"


@pytest.mark.parametrize("name", ["msaODJab1cd$", "MSAODJAB1CD$", "msaODJ-äöß.$", "msaODJ     $"])
def test_an_account_of_the_sign_in_has_five_characters_behind_the_prefix(name: str) -> None:
    assert made_by_sign_in(name, "msDS-ManagedServiceAccount")
    assert made_by_sign_in(name, "MSDS-MANAGEDSERVICEACCOUNT")


@pytest.mark.parametrize(
    ("name", "object_class"),
    [
        ("msaODJab1c$", "msDS-ManagedServiceAccount"),
        ("msaODJab1cde$", "msDS-ManagedServiceAccount"),
        ("msaODJab1cd", "msDS-ManagedServiceAccount"),
        ("msaODJab1cd$$", "msDS-ManagedServiceAccount"),
        ("msaODJab1c$$", "msDS-ManagedServiceAccount"),
        ("msaODJab1cd$\n", "msDS-ManagedServiceAccount"),
        ("xmsaODJab1cd$", "msDS-ManagedServiceAccount"),
        ("mſaODJab1cd$", "msDS-ManagedServiceAccount"),
        ("msaODJ-pilot$", "msDS-ManagedServiceAccount"),
        ("gmsaODJ01$", "msDS-ManagedServiceAccount"),
        ("", "msDS-ManagedServiceAccount"),
        ("msaODJab1cd$", "msDS-GroupManagedServiceAccount"),
        ("msaODJab1cd$", "computer"),
        ("msaODJab1cd$", ""),
    ],
)
def test_no_other_account_is_one_of_the_sign_in(name: str, object_class: str) -> None:
    assert not made_by_sign_in(name, object_class)
