# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn, escape_value
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

TEXT = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda s: s.strip(" "))
NAMES = st.lists(st.tuples(st.sampled_from(("CN", "OU", "DC")), TEXT), min_size=1, max_size=5).map(tuple).map(Dn)


@given(NAMES)
def test_a_printed_name_reads_as_the_same_name(name: Dn) -> None:
    assert Dn.parse(str(name)) == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (r"OU=Lab\, North,DC=contoso,DC=test", (("OU", "Lab, North"), ("DC", "contoso"), ("DC", "test"))),
        (r"OU=Lab\2C North, DC=contoso", (("OU", "Lab, North"), ("DC", "contoso"))),
        (r"ou = x , dc = y", (("ou", "x"), ("dc", "y"))),
        (r"CN=J\C3\BCrgen", (("CN", "Jürgen"),)),
        (r"CN=a=b", (("CN", "a=b"),)),
        (r"CN=\#1\ ", (("CN", "#1 "),)),
        (r"CN=gone\0ADEL:1", (("CN", "gone\nDEL:1"),)),
    ],
)
def test_forms_of_names(text: str, parts: tuple[tuple[str, str], ...]) -> None:
    assert Dn.parse(text).parts == parts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("OU=Lab, North,DC=contoso", "'North' is not of the form"),
        ("OU=a,,DC=b", "empty part"),
        ("OU=,DC=b", "a value is empty"),
        ('OU="Lab, North",DC=b', "escaped"),
        ("OU=a+CN=b", "escaped"),
        ("OU=#04", "unescaped #"),
        ("OU=a\\", "backslash"),
        ("OU=a\\x", "backslash"),
        ("OU=\\C3", "UTF-8"),
        ("contoso.test/Autopilot", "not of the form"),
    ],
)
def test_malformed_names_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Dn.parse(text)


def test_case_and_repeated_spaces_do_not_tell_names_apart() -> None:
    assert Dn.parse("ou=LAB  1,dc=Contoso").key == Dn.parse("OU=lab 1,DC=contoso").key
    assert Dn.parse(r"OU=Lab\, 1,DC=a").key != Dn.parse("OU=Lab,OU=1,DC=a").key


def test_relations() -> None:
    base = Dn.parse("DC=contoso,DC=test")
    unit = base.child("OU", "Lab, North")
    assert str(unit) == r"OU=Lab\, North,DC=contoso,DC=test"
    assert unit.is_within(base)
    assert not base.is_within(unit)
    assert unit.parent == base
    assert Dn.parse("DC=test").parent is None
    assert unit.name == "Lab, North"


def test_values_are_escaped_at_both_ends() -> None:
    assert escape_value(" a ") == r"\ a\ "
    assert escape_value("#a;b") == r"\#a\;b"
