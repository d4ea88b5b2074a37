# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Distinguished names: parse, print, compare (RFC 4514, as Active Directory uses it)."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

DnKey: t.TypeAlias = tuple[tuple[str, str], ...]
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+", re.ASCII)
_SPACES = re.compile(" {2,}")
_PAIR = re.compile(rb"\\([0-9A-Fa-f]{2})")
_FORM = r"Write it like OU=Lab\, North,DC=contoso,DC=com: a comma within a name is escaped with \."
_ADSI = r"\/ is how ADSI (LDAP://...) spells a slash"
_ADVICE = {_ADSI: "In a distinguished name a slash stands alone: OU=R/D,DC=contoso,DC=com."}
_SPECIAL = ',+"\\<>;='


def escape_value(value: str) -> str:
    """Return one value of a DN with everything escaped that would be read as structure."""
    text = "".join(f"\\{char}" if char in _SPECIAL else _control(char) for char in value)
    if text[:1] in (" ", "#"):
        text = f"\\{text}"
    if text.endswith(" ") and not text.endswith("\\ "):
        text = f"{text[:-1]}\\ "
    return text


def _control(char: str) -> str:
    return f"\\{ord(char):02X}" if ord(char) < 0x20 or char == "\x7f" else char


@dataclass(frozen=True, slots=True)
class Dn:
    """A distinguished name, most specific part first.

    Attributes:
        parts: Pairs of attribute type and unescaped value.
    """

    parts: tuple[tuple[str, str], ...]

    @classmethod
    @lru_cache(maxsize=1 << 12)  # a task comes across the same names again and again
    def parse(cls, text: str) -> Dn:
        """Read a DN.

        Raises:
            InvalidInput: It is empty or malformed, or has more than one attribute in one part (which AD does not have).
        """
        try:
            parts = tuple(_parse_part(part) for part in _split(text, ","))
        except ValueError as error:
            advice = _ADVICE.get(str(error), _FORM)
            raise InvalidInput("read the distinguished name", on=text, got=str(error), advice=advice) from None
        return cls(parts)

    def __str__(self) -> str:
        return ",".join(f"{kind}={escape_value(value)}" for kind, value in self.parts)

    @property
    def key(self) -> DnKey:
        """What two spellings of the same name have in common: case and repeated spaces do not count.

        Nothing else is taken for the same: of two names that a server may tell apart each is looked up for itself.
        """
        return tuple(map(_folded, self.parts))

    @property
    def parent(self) -> Dn | None:
        """The name one level up; None at the top."""
        return Dn(self.parts[1:]) if len(self.parts) > 1 else None

    @property
    def ancestors(self) -> tuple[Dn, ...]:
        """The names further up, the nearest first."""
        return tuple(Dn(self.parts[start:]) for start in range(1, len(self.parts)))

    @property
    def name(self) -> str:
        """The unescaped value of the first part."""
        return self.parts[0][1]

    def child(self, kind: str, value: str) -> Dn:
        """Return the name of an object directly below."""
        return Dn(((kind, value), *self.parts))

    def is_within(self, base: Dn) -> bool:
        """Say whether this is the base itself or below it."""
        return self.key[-len(base.parts) :] == base.key


def with_ancestors(names: Iterable[Dn]) -> list[Dn]:
    """Return these names and all names further up, each once: a name before those above it."""
    return list({step.key: step for name in names for step in (name, *name.ancestors)}.values())


def _split(text: str, separator: str) -> list[str]:
    if "\\" not in text:
        return text.split(separator)
    parts, start, index = [], 0, 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == separator:
            parts.append(text[start:index])
            start = index + 1
        index += 1
    return [*parts, text[start:]]


@lru_cache(maxsize=1 << 12)
def _folded(part: tuple[str, str]) -> tuple[str, str]:
    return _upper(part[0]), _upper(_SPACES.sub(" ", part[1].strip(" ")))


def _upper(text: str) -> str:
    """Return the text without case, letter by letter: servers do not take ß for ss, as str.casefold does."""
    if text.isascii():
        return text.upper()
    return "".join(upper if (upper := letter.upper()).lower() == letter.lower() else letter for letter in text)


@lru_cache(maxsize=1 << 12)  # and across names that end alike
def _parse_part(text: str) -> tuple[str, str]:
    if not text.strip():
        raise ValueError("it is empty, or has an empty part between two commas")
    kind, equals, value = text.partition("=")
    if not equals or not _ATTRIBUTE.fullmatch(kind.strip()):
        raise ValueError(f"{text.strip()!r} is not of the form NAME=value")
    return kind.strip(), _unescape(value)


def _unescape(text: str) -> str:
    body = text.lstrip(" ")
    stripped = body.rstrip(" ")
    if len(stripped) < len(body) and (len(stripped) - len(stripped.rstrip("\\"))) % 2:
        stripped += " "
    if not stripped:
        raise ValueError("a value is empty")
    if stripped[0] == "#":
        raise ValueError("a value starts with an unescaped #")
    return _decode(stripped)


def _decode(text: str) -> str:
    out = bytearray()
    index = 0
    while index < len(text):
        char = text[index]
        if char != "\\":
            if char in '+"<>;':
                raise ValueError(f"{char!r} must be escaped with a backslash")
            out += char.encode("utf-8")
            index += 1
            continue
        pair = _PAIR.match(text[index : index + 3].encode("utf-8", "replace"))
        follower = text[index + 1 : index + 2]
        if pair:
            out.append(int(pair.group(1), 16))
        elif follower and follower in _SPECIAL + " #":
            out += follower.encode()
        elif follower == "/":
            raise ValueError(_ADSI)
        else:
            raise ValueError("a backslash must be followed by a special character or two hexadecimal digits")
        index += 3 if pair else 2
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the escaped bytes are not UTF-8") from None
