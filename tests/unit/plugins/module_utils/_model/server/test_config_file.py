# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file is found on a server, read, and edited in place: only the value's bytes differ."""

from __future__ import annotations

import base64
import codecs
import random
import typing as t
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import OU_LIST_KEY
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server import config_file
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    CONTENT_LIMIT,
    find_config_file,
    read_settings,
    replace_settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, XML

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
            b"<configuration><appSettings/></configuration>",
            b'<configuration><appSettings><add key="K" value="v" /></appSettings></configuration>',
        ),
        (
            b"<configuration><appSettings a='/>'\n /></configuration>",
            b'<configuration><appSettings a=\'/>\'><add key="K" value="v" /></appSettings></configuration>',
        ),
        (
            b"<configuration><appSettings></appSettings></configuration>",
            b'<configuration><appSettings><add key="K" value="v" /></appSettings></configuration>',
        ),
        (
            b'<configuration><appSettings><clear/><add key="a"/></appSettings></configuration>',
            b'<configuration><appSettings><clear/><add key="a"/>'
            b'<add key="K" value="v" /></appSettings></configuration>',
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
        (
            b'<configuration><appSettings configProtectionProvider="P"><EncryptedData/></appSettings></configuration>',
            "are encrypted",
        ),
        (b"<configuration><appSettings><EncryptedData/></appSettings></configuration>", "the element EncryptedData"),
        (b'<configuration><appSettings><add key="a"/><clear/></appSettings></configuration>', "the element clear"),
        (
            b'<configuration><appSettings><add key="a"/><remove key="a"/></appSettings></configuration>',
            "the element remove",
        ),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><configuration><appSettings/></configuration>', "document type"),
        (b'<?xml version="1.0" encoding="klingon"?><configuration/>', "cannot be decoded"),
        *(
            (f'<?xml version="1.0" encoding="{name}"?><configuration/>'.encode("ascii"), "cannot be decoded")
            for name in ("undefined", "idna", "punycode", "utf-7", "unicode_escape", "rot13", "base64", "mbcs", "zlib")
        ),
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


class CountedBytes(bytes):
    """Bytes that count how many of them are taken out."""

    taken = 0

    def __getitem__(self, key: t.Any) -> t.Any:
        found = super().__getitem__(key)
        CountedBytes.taken += len(found) if isinstance(found, bytes) else 1
        return found


class CountedText(str):
    """Text whose bytes count."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return CountedBytes(super().encode(encoding, errors))


def test_reading_a_large_file_costs_as_much_as_it_is_long_and_not_its_square() -> None:
    adds = "".join(f'<add key="é{number}" value="" />' for number in range(20_000))
    text = f"<configuration><appSettings>{adds}</appSettings></configuration>"
    CountedBytes.taken = 0
    found = config_file._locate(config_file._Text(CountedText(text), b"", "utf-8"), "f")
    assert CountedBytes.taken <= len(text.encode())
    assert len(found.adds) == 20_000
    assert all(text.startswith("<add", at) for at, _key, _value in found.adds)
    edited = replace_settings(text.encode(), {"é19999": "x", "new": "y"}, "f").decode()
    assert edited == text.replace('"é19999" value=""', '"é19999" value="x"').replace(
        "</app", '<add key="new" value="y" /></app'
    )


@pytest.mark.parametrize(
    "content", ["<a>" * 150_000, "<configuration><appSettings>" + "<a>" * 150_000, "<a " * 150_000]
)
def test_a_file_that_is_nested_beyond_all_measure_is_refused(content: str) -> None:
    with pytest.raises(OdjError, match="not well-formed"):
        read_settings(content.encode(), "f")


def test_content_that_is_no_base64_is_an_error() -> None:
    answer = {"exists": True, "directory": False, "sha256": "", "truncated": False}
    for content in ("é", "A", "=", "A" * 5, "²²²²"):
        value = {"ok": True, "value": {**answer, "content": content}}
        with pytest.raises(OdjError, match="is not base64"):
            find_config_file(Snapshot({"config_0": value}, NOON, NOON), None)


@pytest.mark.parametrize(("size", "fits"), [(CONTENT_LIMIT, True), (CONTENT_LIMIT + 3, False)])
def test_content_beyond_the_limit_is_refused_whatever_the_server_says_of_it(size: int, fits: bool) -> None:
    answer = {"exists": True, "directory": False, "content": base64.b64encode(b" " * size).decode(), "truncated": False}
    snapshot = Snapshot({"config_0": {"ok": True, "value": answer}}, NOON, NOON)
    if fits:
        found = find_config_file(snapshot, None)
        assert found is not None
        assert len(found.content) == size
        return
    with pytest.raises(OdjError, match="more than 1048576 bytes"):
        find_config_file(snapshot, None)


def keys_by_another_reader(content: bytes) -> dict[str, str] | None:
    try:
        root = ET.fromstring(content)  # noqa: S314 (what has a document type is refused before)
    except (ET.ParseError, ValueError, LookupError):
        return None
    return {each.get("key", ""): each.get("value", "") for each in root.findall("appSettings/add")}


def test_mutated_files_are_read_right_or_refused() -> None:
    chance = random.Random(20261128)  # noqa: S311 (a test's choice)
    element = f'<add key="{OU_LIST_KEY}" value="OU=Ä,DC=x" />'
    whole = [
        *(document(element, name) for name in ("utf-8", "windows-1252")),
        document(element, "utf-16-le", codecs.BOM_UTF16_LE),
        b"<configuration><appSettings/></configuration>",
        XML,
    ]
    pieces = [
        b"<!--",
        b"-->",
        b"/>",
        b">",
        b'"',
        b"<![CDATA[",
        b"]]>",
        b"&#0;",
        b"&lt;",
        b"\xff",
        b"\0",
        b"<add key='B'/>",
    ]
    pieces += [b"</appSettings>", b"<appSettings>", b"<clear/>", b'encoding="undefined"', b"<?x?>", b"\r\n  "]
    read = refused = 0
    for _round in range(4000):
        content = bytearray(chance.choice(whole))
        for _edit in range(chance.randint(1, 3)):
            at = chance.randrange(len(content) + 1)
            content[at : at + chance.choice((0, 0, 1, 8))] = chance.choice((*pieces, bytes([chance.randrange(256)])))
        try:
            before = read_settings(bytes(content), "f")
            after = replace_settings(bytes(content), {OU_LIST_KEY: 'OU=<&"Ö,DC=x'}, "f")
        except OdjError as error:
            refused += 1
            str(error).encode()
            continue
        read += 1
        assert keys_by_another_reader(bytes(content)) in (None, before)
        held = {key: value for key, value in before.items() if key.casefold() != OU_LIST_KEY.casefold()}
        now = read_settings(after, "f")
        assert {key: value for key, value in now.items() if key.casefold() != OU_LIST_KEY.casefold()} == held
        assert keys_by_another_reader(after) in (None, now)
    assert min(read, refused) > 300


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
