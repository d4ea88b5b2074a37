# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import compile_filter, parse_filter

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import ANYTHING, AllOf, AnyOf, Equals


def test_a_filter_as_it_is_sent() -> None:
    where = AllOf((ANYTHING, AnyOf((Equals("cn", "a*(b)\\"), Equals("objectSid", b"\1\xff")))))
    assert str(where) == r"(&(objectClass=*)(|(cn=a\2a\28b\29\5c)(objectSid=\01\ff)))"


@given(st.text(st.characters(codec="utf-8"), min_size=1) | st.binary(min_size=1))
def test_a_value_arrives_as_it_is_and_cannot_change_the_shape_of_a_filter(value: str | bytes) -> None:
    parsed = parse_filter(str(AnyOf((Equals("cn", value),))), None, False, False, None, False)
    built: t.Any = compile_filter(parsed.elements[0])
    (part,) = built["or"]
    assert part.getName() == "equalityMatch"
    assert bytes(part["equalityMatch"]["assertionValue"]) == (value if isinstance(value, bytes) else value.encode())
