# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file is found on a server, read, and edited in place: only the value's bytes differ."""

from __future__ import annotations

import codecs
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import OU_LIST_KEY
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    read_settings,
    replace_settings,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG

HEAD = '<?xml version="1.0" encoding="{}"?>\r\n<!-- <add key="{}" value="not this" /> -->\r\n<configuration>\r\n'
BODY = (
    "\t<appSettings>\r\n\t\t<add  key='A'   value=\"&quot;1&#33;\" />\n"
    '\t\t{}\r\n\t</appSettings>\r\n<x a="é"/></configuration>\r\n'
)


def document(element: str, encoding: str = "utf-8", bom: bytes = b"") -> bytes:
    return bom + (HEAD.format(encoding, OU_LIST_KEY) + BODY.format(element)).encode(encoding)


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("windows-1252", b"")],
)
def test_only_the_value_changes(encoding: str, bom: bytes, quote: str) -> None:
    def element(value: str) -> str:
        return f"<add value={quote}{value}{quote}\r\n  key='{OU_LIST_KEY}'></add>"

    before = document(element("OU=A,DC=x"), encoding, bom)
    after = replace_settings(before, {OU_LIST_KEY: "OU=Ä & <B>,DC=x"}, "f")
    assert after == document(element("OU=Ä &amp; &lt;B>,DC=x"), encoding, bom)
    assert read_settings(after, "f")[OU_LIST_KEY] == "OU=Ä & <B>,DC=x"


def test_what_the_encoding_cannot_write_becomes_a_reference() -> None:
    before = document(f'<add key="{OU_LIST_KEY}" value=""/>', "windows-1252")
    after = replace_settings(before, {OU_LIST_KEY: "OU=東,DC=x"}, "f")
    assert b'value="OU=&#26481;,DC=x"' in after
    assert read_settings(after, "f")[OU_LIST_KEY] == "OU=東,DC=x"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b'<configuration>\r\n  <appSettings>\r\n    <add key="a" value="b" />\r\n'
            b"  </appSettings>\r\n</configuration>",
            b'<configuration>\r\n  <appSettings>\r\n    <add key="a" value="b" />\r\n    <add key="K" value="v" />\r\n'
            b"  </appSettings>\r\n</configuration>",
        ),
        (
            b"<configuration>\n <appSettings>\n </appSettings>\n</configuration>",
            b'<configuration>\n <appSettings>\n   <add key="K" value="v" />\n </appSettings>\n</configuration>',
        ),
        (
            b"<configuration>\n  <appSettings />\n</configuration>",
            b'<configuration>\n  <appSettings>\n    <add key="K" value="v" />\n  </appSettings>\n</configuration>',
        ),
        (
            b'<configuration><appSettings><add key="a"/></appSettings></configuration>',
            b'<configuration><appSettings><add key="a"/><add key="K" value="v" /></appSettings></configuration>',
        ),
        (
            b'<configuration><appSettings><add key="k"/></appSettings></configuration>',
            b'<configuration><appSettings><add key="k" value="v"/></appSettings></configuration>',
        ),
    ],
)
def test_a_missing_key_or_value_is_added_in_the_style_of_the_file(before: bytes, after: bytes) -> None:
    assert replace_settings(before, {"K": "v"}, "f") == after


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<configuration>", "not well-formed"),
        (b"", "not well-formed"),
        (b"<configuration/>", "0 sections"),
        (b"<configuration><appSettings/><appSettings/></configuration>", "2 sections"),
        (b'<configuration><appSettings><add key="a"/><add key="A"/></appSettings></configuration>', "more than once"),
        (b'<configuration><appSettings file="o.config"/></configuration>', "another file"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><configuration><appSettings/></configuration>', "document type"),
        (b'<?xml version="1.0" encoding="klingon"?><configuration/>', "cannot be decoded"),
        (b"<configuration>\xff</configuration>", "cannot be decoded"),
        (b'<?xml version="1.0" encoding="utf-16"?><configuration/>', "cannot be decoded|do not survive"),
    ],
)
def test_what_cannot_be_understood_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(OdjError, match=reason) as caught:
        replace_settings(content, {OU_LIST_KEY: "x"}, r"C:\f.config")
    assert caught.value.on == r"C:\f.config"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_value_reads_back_and_the_rest_stays(value: str) -> None:
    before = document(f'<add key="{OU_LIST_KEY}" value="" />')
    after = replace_settings(before, {OU_LIST_KEY: value}, "f")
    assert read_settings(after, "f")[OU_LIST_KEY] == value
    start, end = before.index(b'value="" />') + 7, len(before) - before.index(b'value="" />') - 7
    assert (after[:start], after[-end:]) == (before[:start], before[-end:])
    assert ET.fromstring(after).findall("appSettings/add")[1].get("value") == value  # noqa: S314 (our own text)


def test_configuration_and_its_errors() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    assert facts(server)["config"]["keys"] == {"SignInURL": "x"}
    server.files[CONFIG] = b"<"
    assert "not well-formed" in facts(server)["config"]["error"]
    server.files[CONFIG] = b" " * 2_000_000
    assert "more than" in facts(server)["config"]["error"]


def test_the_misspelt_name_is_the_second_choice() -> None:
    server = FakeWindows()
    server.install("6.2604.2000.3")
    misspelt = CONFIG.replace("Wizard.exe", "Wiazard.exe")
    server.files[misspelt] = server.files[CONFIG]
    assert facts(server)["config"]["path"] == CONFIG
    del server.files[CONFIG]
    assert facts(server)["config"]["path"] == misspelt
