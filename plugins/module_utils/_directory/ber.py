# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The messages that come by the thousand, as bytes (RFC 4511 4.1.1, 4.5.1, 4.5.2, 4.6; BER of X.690).

ldap3 takes about 0.4 ms to build and encode a request, more than a domain controller takes to answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry

_VERBS = {"add": 0, "delete": 1, "replace": 2}
_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x30, 0x31
_SEARCH, _MODIFY, _ENTRY, _CONTROLS, _PRESENT = 0x63, 0x66, 0x64, 0xA0, 0x87
_SD_FLAGS = b"1.2.840.113556.1.4.801"  # LDAP_SERVER_SD_FLAGS_OID, MS-ADTS 3.1.1.3.4.1.11
DACL = 4  # DACL_SECURITY_INFORMATION


def read_object(number: int, dn: str, attributes: Sequence[str], *, dacl: bool) -> bytes:
    """Return the message that searches one object by its name, whatever its class."""
    names = b"".join(_element(_OCTETS, name.encode()) for name in attributes)
    scope_and_limits = _integer(_ENUMERATED, 0) * 2 + _integer(_INTEGER, 0) * 2 + b"\x01\x01\x00"
    body = _element(_OCTETS, dn.encode()) + scope_and_limits + _element(_PRESENT, b"objectClass")
    return _message(number, _element(_SEARCH, body + _element(_SEQUENCE, names)), dacl)


def modify_object(number: int, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool) -> bytes:
    """Return the message that changes attributes of one object: name -> ("replace" | "add" | "delete", values)."""
    parts = b"".join(_change(name, verb, values) for name, (verb, values) in changes.items())
    return _message(number, _element(_MODIFY, _element(_OCTETS, dn.encode()) + _element(_SEQUENCE, parts)), dacl)


def message_size(data: bytes | bytearray) -> int | None:
    """Return the size of the message whose first bytes these are, None when they are too few to tell."""
    if len(data) < 2 or (data[1] & 0x80 and len(data) < 2 + (data[1] & 0x7F)):
        return None
    return _bounds(data, 0)[1]


def number_of(message: bytes) -> int:
    """Return the message id of a message.

    Raises:
        ValueError: It is not one.

    """
    first = _bounds(message, 0)[0]
    start, end = _bounds(message, first)
    if message[first] != _INTEGER or end > len(message):
        raise ValueError("a message has no number")
    return int.from_bytes(message[start:end], "big")


def entry_in(message: bytes) -> Entry | None:
    """Return the object that a message of a search holds, None when the message is of another kind.

    Raises:
        ValueError: It ends too early, or its parts do not end where the whole does.

    """
    position = _bounds(message, _bounds(message, 0)[0])[1]
    if message[position] != _ENTRY:
        return None
    whole = _bounds(message, position)
    name = _bounds(message, whole[0], _OCTETS)
    start, end = _bounds(message, name[1], _SEQUENCE)
    values: dict[str, tuple[bytes, ...]] = {}
    while start < end:
        attribute, start = _bounds(message, start, _SEQUENCE)
        first, last = _bounds(message, attribute, _OCTETS)
        items = _bounds(message, last, _SET)
        _agree(items[1], start)
        values[message[first:last].decode().lower()] = tuple(_strings(message, *items))
    _agree(start, end)
    _agree(end, whole[1])
    _agree(end, min(end, len(message)))
    return Entry(message[name[0] : name[1]].decode(), values)


def _strings(message: bytes, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        first, start = _bounds(message, start, _OCTETS)
        yield message[first:start]
    _agree(start, end)


def _agree(end_of_part: int, end_of_whole: int) -> None:
    if end_of_part != end_of_whole:
        raise ValueError("a part of a message does not end where the whole does")


def _bounds(data: bytes | bytearray, position: int, tag: int | None = None) -> tuple[int, int]:
    """Return where the content of the element at a position starts and ends; ``tag`` is what it has to be."""
    try:
        size = data[position + 1]
    except IndexError:
        raise ValueError("a message ends within an element") from None
    if tag is not None and data[position] != tag:
        raise ValueError("a message holds something else than expected")
    start = position + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    return start, start + size


def _change(name: str, verb: str, values: Sequence[bytes]) -> bytes:
    items = b"".join(_element(_OCTETS, value) for value in values)
    attribute = _element(_SEQUENCE, _element(_OCTETS, name.encode()) + _element(_SET, items))
    return _element(_SEQUENCE, _integer(_ENUMERATED, _VERBS[verb]) + attribute)


def _message(number: int, operation: bytes, dacl: bool) -> bytes:
    return _element(_SEQUENCE, _integer(_INTEGER, number) + operation + (_DACL_CONTROL if dacl else b""))


def _integer(tag: int, value: int) -> bytes:
    return _element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _element(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


_DACL_CONTROL = _element(
    _CONTROLS,
    _element(
        _SEQUENCE,
        _element(_OCTETS, _SD_FLAGS)
        + b"\x01\x01\xff"
        + _element(_OCTETS, _element(_SEQUENCE, _integer(_INTEGER, DACL))),
    ),
)
