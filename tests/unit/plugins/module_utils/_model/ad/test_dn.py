# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, escape_value
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
        (r"OU=a+OU=b,DC=c", "escaped"),
        ("<GUID=6f5e1c2a>", "not of the form"),
        ("OU=a;DC=b", "escaped"),
        ("OU=a,DC=b,", "empty part"),
        ("contoso.test/Autopilot", "not of the form"),
    ],
)
def test_malformed_names_are_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Dn.parse(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ou=LAB  1,dc=Contoso", "OU=lab 1,DC=contoso"),
        ("OU=\u00c4\u00d6\u00dc \u0416,DC=a", "ou=\u00e4\u00f6\u00fc \u0436,dc=A"),
        (r"OU=Lab\2c North,DC=a", r"ou=LAB\, NORTH,dc=a"),
        (r"OU=\ Lab\ ,DC=a", "OU=Lab,DC=a"),
        (r"OU=J\C3\BCrgen,DC=a", "OU=j\u00dcrgen,DC=a"),
        ("OU = Lab , DC = a", "OU=Lab,DC=a"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert Dn.parse(one).key == Dn.parse(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"OU=Lab\, 1,DC=a", "OU=Lab,OU=1,DC=a"),
        ("OU=Stra\u00dfe,DC=a", "OU=Strasse,DC=a"),
        ("OU=\u0131,DC=a", "OU=i,DC=a"),
        ("OU=caf\u00e9,DC=a", "OU=cafe\u0301,DC=a"),
        (r"OU=a\0Ab,DC=a", "OU=a b,DC=a"),
        ("OU=a\u00a0b,DC=a", "OU=a b,DC=a"),
        (r"OU=a\3Db,DC=a", "OU=a,DC=a"),
        ("CN=a,DC=a", "OU=a,DC=a"),
        (r"OU=a\5C,DC=a", "OU=a,DC=a"),
    ],
)
def test_names_that_a_server_may_tell_apart_are_told_apart(one: str, other: str) -> None:
    """Of two names taken for the same, one would be left out, or the entry of the other would be changed."""
    assert Dn.parse(one).key != Dn.parse(other).key
    assert not Dn.parse(one).is_within(Dn.parse(other))


@given(NAMES, NAMES)
def test_names_below_each_other(name: Dn, base: Dn) -> None:
    below = Dn((*name.parts, *base.parts))
    assert below.is_within(base)
    assert base.is_within(below) == (base.key == below.key)


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


def test_the_slash_of_adsi_is_said_to_be_one() -> None:
    with pytest.raises(InvalidInput, match=r"ADSI.*OU=R/D,") as caught:
        Dn.parse(r"OU=R\/D,DC=contoso,DC=com")
    assert "comma" not in str(caught.value)
    assert Dn.parse(r"OU=R/D,DC=x").name == "R/D"
    assert Dn.parse(r"OU=R\\/D,DC=x").name == "R\\/D"
