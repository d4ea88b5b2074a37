# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The wizard's .exe.config: find it on a server, read its appSettings, and change single values in it.

The file is never written from a parsed tree: a parser tells where an element starts, the rest is surgery on the text,
so that every other byte stays.
"""

from __future__ import annotations

import base64
import codecs
import re
import xml.parsers.expat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError, plain
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    DEFAULT_INSTALL_PATH,
    OU_LIST_KEY,
    wizard_config_paths,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import read_connector
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import split_ou_list
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Fields,
    Probe,
    Snapshot,
    ask_file,
)

CONTENT_LIMIT = 1_048_576  # bytes; a configuration file of the connector has a few thousand

# What XML and .NET know; Python knows many more, some of which are no encodings of text at all.
_ENCODINGS = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii"}
    | {f"iso8859-{part}" for part in range(1, 17)}
    | {f"cp125{page}" for page in range(9)}
)
_DECLARATION_LIMIT = 1024  # bytes
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ATTRIBUTE = re.compile(r"""\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_EMPTY = re.compile(r"\s*/>")
_SECTION = ["configuration", "appSettings"]
# Attributes of the section that put its content somewhere else, or encrypt it.
_ELSEWHERE = {"configSource": "refer to another file", "file": "refer to another file"}
_PROTECTED = {"configProtectionProvider": "are encrypted"}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The wizard's configuration file as it was found."""

    path: str
    content: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class _Text:
    """The file as text, with what is needed to write the same bytes again."""

    text: str
    bom: bytes
    encoding: str

    def to_bytes(self) -> bytes:
        return self.bom + self.text.encode(self.encoding)


@dataclass(slots=True)
class _Map:
    """Where things stand in the text, as character offsets; filled while parsing."""

    path: list[str] = field(default_factory=list)
    sections: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    section_ends: list[int] = field(default_factory=list)
    adds: list[tuple[int, str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def config_probes(install_path: str) -> list[Probe]:
    """Return the questions for the file below an install path, under each of its names."""
    paths = wizard_config_paths(install_path)
    return [ask_file(f"config_{index}", path, content=CONTENT_LIMIT) for index, path in enumerate(paths)]


def find_config_file(snapshot: Snapshot, install_path: str | None) -> ConfigFile | None:
    """Return the file under the first of its names that is there; None when there is none.

    Args:
        snapshot: Answers to the questions of the connector and of the configuration.
        install_path: Where the connector lies; None means what the server tells, else the default.

    Raises:
        OdjError: It is there but could not be read, or is too large to be one.
    """
    root = install_path or read_connector(snapshot).install_path or DEFAULT_INSTALL_PATH
    for index, path in enumerate(wizard_config_paths(root)):
        problem = snapshot.error(f"config_{index}")
        if problem:
            raise OdjError("read the configuration file", on=path, got=problem)
        answer = snapshot.value(f"config_{index}")
        if answer.flag("exists") and not answer.flag("directory"):
            return ConfigFile(path, _content(answer, path), answer.text("sha256") or "")
    return None


def config_facts(snapshot: Snapshot, install_path: str | None) -> dict[str, object] | None:
    """Return the facts ``config``; None without a file, ``error`` instead of the keys when it cannot be understood."""
    try:
        found = find_config_file(snapshot, install_path)
        if found is None:
            return None
        settings = read_settings(found.content, found.path)
    except OdjError as error:
        return {"error": str(error)}
    return {
        "path": found.path,
        "sha256": found.sha256,
        "keys": settings,
        "organizational_units": split_ou_list(settings.get(OU_LIST_KEY, "")),
    }


def read_settings(content: bytes, path: str) -> dict[str, str]:
    """Return the appSettings of a configuration file by key.

    Raises:
        OdjError: It is not XML, has no appSettings or several, encrypts them or keeps them in another file, has a key
            twice, or takes keys out again.
    """
    return {key: value for _at, key, value in _locate(_decode(content, path), path).adds}


def replace_settings(content: bytes, settings: Mapping[str, str], path: str) -> bytes:
    """Return the file with the given values; all other bytes are those of ``content``.

    A key that is missing is added as the last one of its section, indented like the one before it.

    Raises:
        OdjError: As ``read_settings``.
    """
    for key, value in settings.items():
        decoded = _decode(content, path)
        found = _locate(decoded, path)
        start = next((at for at, name, _value in found.adds if name.casefold() == key.casefold()), None)
        if start is not None:
            edited = _set_value(decoded, start, value)
        else:
            edited = _insert(decoded, found, f'<add key="{key}" value="{_escape(value, chr(34), decoded.encoding)}" />')
        content = _Text(edited, decoded.bom, decoded.encoding).to_bytes()
    after = {key.casefold(): value for key, value in read_settings(content, path).items()}
    if any(after.get(key.casefold()) != value for key, value in settings.items()):
        raise _problem(path, "the edited text does not read back as what was written")
    return content


def _content(answer: Fields, path: str) -> bytes:
    text = answer.text("content") or ""
    # A server that keeps to the question never sends more; what it says of that is not believed.
    if answer.flag("truncated") or len(text) > 4 * -(-CONTENT_LIMIT // 3):
        raise OdjError("read the configuration file", on=path, got=f"it has more than {CONTENT_LIMIT} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; text beyond ASCII makes another
        raise OdjError("read the configuration file", on=path, got=f"its content is not base64: {error}") from error


def _problem(path: str, got: str) -> OdjError:
    return OdjError(
        "read the configuration file",
        on=path,
        got=plain(got, 500),
        advice="Correct the file by hand; nothing was changed.",
    )


def _decode(content: bytes, path: str) -> _Text:
    bom, encoding = next(((b, e) for b, e in _BOMS if content.startswith(b)), (b"", ""))
    if not encoding:
        declared = _DECLARED.match(content[:_DECLARATION_LIMIT])
        encoding = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        if codecs.lookup(encoding).name not in _ENCODINGS:
            raise LookupError(f"{encoding} is no encoding of configuration files")
        decoded = _Text(content[len(bom) :].decode(encoding), bom, encoding)
    except (LookupError, UnicodeError) as error:
        raise _problem(path, f"it cannot be decoded as {encoding}: {error}") from error
    if decoded.to_bytes() != content:
        raise _problem(path, f"its bytes do not survive reading and writing as {encoding}")
    return decoded


def _locate(decoded: _Text, path: str) -> _Map:
    found = _Map()
    data = decoded.text.encode("utf-8")
    parser = xml.parsers.expat.ParserCreate("utf-8")
    seen_bytes, seen_characters = 0, 0

    def here() -> int:
        # Only what came since the last time is counted: a large file would cost its square otherwise.
        nonlocal seen_bytes, seen_characters
        seen_characters += len(data[seen_bytes : parser.CurrentByteIndex].decode("utf-8"))
        seen_bytes = parser.CurrentByteIndex
        return seen_characters

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if found.path == _SECTION[:1] and name == _SECTION[1]:
            found.sections.append((here(), attributes))
        elif found.path == _SECTION and name == "add":
            found.adds.append((here(), attributes.get("key", ""), attributes.get("value", "")))
        elif found.path == _SECTION and (name != "clear" or found.adds):
            found.others.append(name)
        found.path.append(name)

    def end(_name: str) -> None:
        if found.path == _SECTION:
            found.section_ends.append(here())
        found.path.pop()

    def doctype(*_details: object) -> None:
        raise _problem(path, "it has a document type definition, which a configuration file does not need")

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, doctype
    try:
        parser.Parse(data, True)
    except xml.parsers.expat.ExpatError as error:
        raise _problem(path, f"it is not well-formed XML: {error}") from error
    _check(found, path)
    return found


def _check(found: _Map, path: str) -> None:
    if len(found.sections) != 1:
        raise _problem(path, f"it has {len(found.sections)} sections configuration/appSettings instead of one")
    attributes = found.sections[0][1]
    for name, why in {**_ELSEWHERE, **_PROTECTED}.items():
        if name in attributes:
            raise _problem(path, f"its appSettings {why} ({name}={attributes[name]})")
    if found.others:
        # EncryptedData, what a section handler of its own understands, or a clear or remove that undoes an add.
        raise _problem(path, f"its appSettings hold the element {found.others[0]}, which changes what they mean")
    times = Counter(add[1].casefold() for add in found.adds)
    twice = sorted(add[1] for add in found.adds if times[add[1].casefold()] > 1)
    if twice:
        raise _problem(path, f"its appSettings have the key {twice[0]} more than once")


def _set_value(decoded: _Text, start: int, value: str) -> str:
    """Put a value into the element that starts at an offset, between the quotes that are there."""
    text = decoded.text
    name_end = start + len("<add")
    for attribute in _attributes(text, name_end):
        if attribute.group(1) == "value":
            first, last = attribute.span(2)
            return text[: first + 1] + _escape(value, text[first], decoded.encoding) + text[last - 1 :]
        name_end = attribute.end()
    return f'{text[:name_end]} value="{_escape(value, chr(34), decoded.encoding)}"{text[name_end:]}'


def _attributes(text: str, at: int) -> list[re.Match[str]]:
    found = []
    while match := _ATTRIBUTE.match(text, at):
        found.append(match)
        at = match.end()
    return found


def _insert(decoded: _Text, found: _Map, element: str) -> str:
    text, start, end = decoded.text, found.sections[0][0], found.section_ends[0]
    head = _attributes(text, start + len("<appSettings"))
    cut = head[-1].end() if head else start + len("<appSettings")
    if close := _EMPTY.match(text, cut):
        # <appSettings/>: opened up, the closing tag on a line of its own where the opening one has one.
        outer = _leading(text, start)
        inner = f"{outer}  " if outer else ""
        return f"{text[:cut]}>{inner}{element}{outer}</appSettings>{text[close.end() :]}"
    before = _leading(text, found.adds[-1][0]) if found.adds else _leading(text, end)
    if before and not found.adds:
        before += "  "
    body = text[:end].rstrip()
    return body + before + element + text[len(body) :]


def _leading(text: str, at: int) -> str:
    """Return the white space in front of an offset, from the last line end on."""
    space = text[len(text[:at].rstrip()) : at]
    line_end = space.rfind("\n")
    if line_end < 0:
        return space
    return space[line_end - (space[line_end - 1 : line_end] == "\r") :]


def _escape(value: str, quote: str, encoding: str) -> str:
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(quote, "&quot;" if quote == '"' else "&apos;")
    text = "".join(f"&#{ord(char)};" if char in "\t\r\n" else char for char in text)
    return text.encode(encoding, "xmlcharrefreplace").decode(encoding)
