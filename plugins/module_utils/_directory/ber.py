# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""LDAP messages as bytes: those of the logon, those that come by the thousand, and every answer.

RFC 4511 4.1.1, 4.1.9, 4.2, 4.3, 4.5.1, 4.5.2, 4.6, 4.12; BER of X.690. ldap3 takes about 0.4 ms to build and encode a
request, more than a domain controller takes to answer it; and its fast decoder believes every length. What is decoded
here adds up, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry

_VERBS = {"add": 0, "delete": 1, "replace": 2}
_BOOLEAN, _INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _SET = 0x01, 0x02, 0x04, 0x0A, 0x30, 0x31
_SEARCH, _MODIFY, _CONTROLS, _PRESENT, _REFERRAL = 0x63, 0x66, 0xA0, 0x87, 0xA3
_BIND, _UNBIND, _EXTENDED = 0x60, 0x42, 0x77
_SIMPLE, _SASL, _EXTENDED_NAME = 0x80, 0xA3, 0x80
_CREDENTIALS, _RESPONSE_NAME, _RESPONSE_VALUE = 0x87, 0x8A, 0x8B
ENTRY, REFERENCE, INTERMEDIATE, NOTICE = 0x64, 0x73, 0x79, 0x78
# What ends each request.
DONE = {
    "bindRequest": 0x61,
    "searchRequest": 0x65,
    "modifyRequest": 0x67,
    "addRequest": 0x69,
    "delRequest": 0x6B,
    "extendedReq": 0x78,
}
SASL_IN_PROGRESS = 14  # saslBindInProgress, RFC 4511 appendix A
_LONGEST = 8  # bytes of a length
HEAD = 2 + _LONGEST  # bytes that tell the size of any message
_MOST = 1 << 26  # bytes of a message: far above what a domain controller sends, far below what a computer has
# What is kept of answers that are not complete or not asked for yet: far above what is asked for at a time.
MOST_PARTS = 20_000
_MOST_BYTES = 1 << 27
_PAGED_RESULTS = b"1.2.840.113556.1.4.319"  # RFC 2696
_START_TLS = b"1.3.6.1.4.1.1466.20037"  # RFC 4511 4.14
_VERSION = 3
_SD_FLAGS = b"1.2.840.113556.1.4.801"  # LDAP_SERVER_SD_FLAGS_OID, MS-ADTS 3.1.1.3.4.1.11
_OWNER, _DACL = 1, 4  # OWNER_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION


def sd_flags(*, dacl: bool, owner: bool = False) -> int:
    """Return which parts of a descriptor are meant, as the SD flags control has it; 0 without any."""
    return dacl * (_DACL | owner * _OWNER)


def read_object(number: int, dn: str, attributes: Sequence[str], *, dacl: bool, owner: bool = False) -> bytes:
    """Return the message that searches one object by its name, whatever its class."""
    names = b"".join(_element(_OCTETS, name.encode()) for name in attributes)
    scope_and_limits = _integer(_ENUMERATED, 0) * 2 + _integer(_INTEGER, 0) * 2 + b"\x01\x01\x00"
    body = _element(_OCTETS, dn.encode()) + scope_and_limits + _element(_PRESENT, b"objectClass")
    return _message(number, _element(_SEARCH, body + _element(_SEQUENCE, names)), sd_flags(dacl=dacl, owner=owner))


def modify_object(number: int, dn: str, changes: Mapping[str, tuple[str, Sequence[bytes]]], *, dacl: bool) -> bytes:
    """Return the message that changes attributes of one object: name -> ("replace" | "add" | "delete", values)."""
    parts = b"".join(_change(name, verb, values) for name, (verb, values) in changes.items())
    return _message(
        number, _element(_MODIFY, _element(_OCTETS, dn.encode()) + _element(_SEQUENCE, parts)), sd_flags(dacl=dacl)
    )


def start_tls(number: int) -> bytes:
    """Return the message that asks the server to go over to TLS."""
    return _message(number, _element(_EXTENDED, _element(_EXTENDED_NAME, _START_TLS)), 0)


def simple_bind(number: int, name: str, password: bytes) -> bytes:
    """Return the message that logs on with a password; it holds it in clear."""
    return _message(number, _bind(name, _element(_SIMPLE, password)), 0)


def sasl_bind(number: int, mechanism: str, token: bytes) -> bytes:
    """Return one message of a logon by SASL (RFC 4513 5.2)."""
    credentials = _element(_OCTETS, mechanism.encode()) + _element(_OCTETS, token)
    return _message(number, _bind("", _element(_SASL, credentials)), 0)


def unbind(number: int) -> bytes:
    """Return the message that ends the session; it has no answer."""
    return _message(number, _element(_UNBIND, b""), 0)


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended.

    Attributes:
        code: The result code, 0 for success.
        text: What the server says about it.
        cookie: Of a page of a search: what asks for the next one; b"" when there is none.
        credentials: Of a logon by SASL: what the server says to the mechanism; b"" when it says nothing.
    """

    code: int
    text: str
    cookie: bytes = b""
    credentials: bytes = b""


_NOT_YET = Result(0, "")


@dataclass(slots=True)
class Answer:
    """What has come for one request.

    Attributes:
        entries: The objects that were found.
        result: How it ended; only the code of success until that has come.
        parts: Messages it came in.
        size: Their bytes.
    """

    entries: list[Entry] = field(default_factory=list)
    result: Result = _NOT_YET
    parts: int = 0
    size: int = 0


class Inbox:
    """Takes what comes over a connection piece by piece, and keeps the answers until somebody wants them.

    Attributes:
        asked: Number of a request -> what it was; "type" is a key of DONE.
        complete: Numbers of the requests whose answer is complete.
        notice: What the server said when it ended the session (RFC 4511 4.4.1); nothing is taken any more then.
        rest: The beginning of a message of which more is to come.
    """

    def __init__(self) -> None:
        self.asked: dict[int, Mapping[str, object]] = {}
        self.complete: set[int] = set()
        self.notice: Result | None = None
        self.rest = bytearray()
        self._answers: dict[int, Answer] = {}
        self._unwanted: set[int] = set()
        self._parts = self._bytes = 0

    def put(self, data: bytes) -> bool:
        """Take a piece; say whether a message is complete by it.

        Raises:
            ValueError: It is not LDAP, no answer to what was asked, or more than there is room for.
        """
        self.rest += data
        taken = False
        while not self.notice and (size := message_size(self.rest[:HEAD])) is not None and size <= len(self.rest):
            message = bytes(self.rest[:size])
            del self.rest[:size]
            self._put(message)
            taken = True
        return taken

    def take(self, number: int) -> Answer:
        """Return a complete answer, and forget the request."""
        self.complete.discard(number)
        self._unwanted.discard(number)
        del self.asked[number]
        return self._release(number)

    def forget(self, number: int) -> None:
        """Keep nothing of the answer to a request, whether it has come or is yet to come."""
        if number in self.complete:
            self.take(number)
        elif number in self.asked:
            self._unwanted.add(number)
            self._release(number)

    def _put(self, message: bytes) -> None:
        number, kind, position = head_of(message)
        if (number, kind) == (0, NOTICE):
            self.notice = result_in(message, position)
            return
        if number not in self.asked or number in self.complete:
            raise ValueError("an answer to what was not asked, or was answered already")
        answer = self._answers.setdefault(number, Answer())
        self._keep(answer, len(message))
        final = DONE.get(str(self.asked[number]["type"]))
        if kind == ENTRY and final == DONE["searchRequest"]:
            answer.entries.append(entry_in(message, position))
        elif kind == final:
            answer.result = result_in(message, position)
            self.complete.add(number)
        elif kind not in (REFERENCE, INTERMEDIATE):
            raise ValueError("an answer of another kind than the request")
        if number in self._unwanted:
            self.forget(number)

    def _keep(self, answer: Answer, size: int) -> None:
        answer.parts += 1
        answer.size += size
        self._parts += 1
        self._bytes += size
        if self._parts > MOST_PARTS or self._bytes > _MOST_BYTES:
            raise ValueError("answers without an end")

    def _release(self, number: int) -> Answer:
        answer = self._answers.pop(number, Answer())
        self._parts -= answer.parts
        self._bytes -= answer.size
        return answer


def message_size(data: bytes | bytearray) -> int | None:
    """Return the size of the message whose first bytes these are, None when they are too few to tell.

    Raises:
        ValueError: No message begins like this, or it would be longer than any that makes sense.
    """
    if not data:
        return None
    if data[0] != _SEQUENCE:
        raise ValueError("a message does not begin like one")
    if len(data) < 2 or (data[1] & 0x80 and len(data) < min(HEAD, 2 + (data[1] & 0x7F))):
        return None
    size = _bounds(data, 0)[1]
    if size > _MOST:
        raise ValueError(f"a message claims to have {size} bytes")
    return size


def head_of(message: bytes) -> tuple[int, int, int]:
    """Return the number of a message, the tag of its operation, and where that starts.

    Raises:
        ValueError: It is not one.
    """
    first, end = _bounds(message, 0, _SEQUENCE)
    _agree(end, len(message))
    start, stop = _bounds(message, first, _INTEGER)
    if stop >= end:
        raise ValueError("a message has no operation")
    return _number(message, start, stop), message[stop], stop


def entry_in(message: bytes, position: int) -> Entry:
    """Return the object that a message of a search holds; its operation starts at ``position``.

    Raises:
        ValueError: It holds something else, ends too early, or its parts do not end where the whole does.
    """
    start, stop = _bounds(message, position, ENTRY)
    name = _bounds(message, start, _OCTETS)
    start, end = _bounds(message, name[1], _SEQUENCE)
    values: dict[str, tuple[bytes, ...]] = {}
    while start < end:
        attribute, start = _bounds(message, start, _SEQUENCE)
        first, last = _bounds(message, attribute, _OCTETS)
        items = _bounds(message, last, _SET)
        _agree(items[1], start)
        values[message[first:last].decode().lower()] = tuple(_strings(message, *items))
    _agree(start, end)
    _agree(end, stop)
    _cookie(message, end)
    return Entry(message[name[0] : name[1]].decode(), values)


def result_in(message: bytes, position: int) -> Result:
    """Return how a request ended, from the message that ends it; its operation starts at ``position``.

    Raises:
        ValueError: It ends too early, or its parts do not end where the whole does.
    """
    start, end = _bounds(message, position)
    first, last = _bounds(message, start, _ENUMERATED)
    name = _bounds(message, last, _OCTETS)
    text = _bounds(message, name[1], _OCTETS)
    rest, credentials = _skip(message, text[1], end, _REFERRAL), b""
    if message[position] == NOTICE:
        rest = _skip(message, rest, end, _RESPONSE_NAME, _RESPONSE_VALUE)
    elif message[position] == DONE["bindRequest"] and rest < end:
        inside, rest = _bounds(message, rest, _CREDENTIALS)
        credentials = message[inside:rest]
    _agree(rest, end)
    cookie = _cookie(message, end)
    said = message[text[0] : text[1]].decode("utf-8", "replace")
    return Result(_number(message, first, last), said, cookie, credentials)


def _cookie(message: bytes, start: int) -> bytes:
    """Return the cookie in the controls that a message ends with, b"" when there is none; refuse anything else."""
    end = len(message)
    if start == end:
        return b""
    start, stop = _bounds(message, start, _CONTROLS)
    _agree(stop, end)
    cookie = b""
    while start < end:
        control, start = _bounds(message, start, _SEQUENCE)
        first, last = _bounds(message, control, _OCTETS)
        value = _skip(message, last, start, _BOOLEAN)
        if message[first:last] == _PAGED_RESULTS:
            cookie, value = _page(message, value)
        else:
            value = _skip(message, value, start, _OCTETS)
        _agree(value, start)
    _agree(start, end)
    return cookie


def _page(message: bytes, start: int) -> tuple[bytes, int]:
    """Return the cookie in the value of the control for paged results, and where the value ends."""
    inside, end = _bounds(message, start, _OCTETS)
    inside, stop = _bounds(message, inside, _SEQUENCE)
    _agree(stop, end)
    size = _bounds(message, inside, _INTEGER)
    _number(message, *size)
    first, last = _bounds(message, size[1], _OCTETS)
    _agree(last, end)
    return message[first:last], end


def _skip(message: bytes, start: int, end: int, *tags: int) -> int:
    """Return where the first element is that is none of these optional ones, which stand in their order."""
    for tag in tags:
        if start < end and message[start : start + 1] == bytes((tag,)):
            first, start = _bounds(message, start)
            if tag == _REFERRAL:
                list(_strings(message, first, start))
    return start


def _strings(message: bytes, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        first, start = _bounds(message, start, _OCTETS)
        yield message[first:start]
    _agree(start, end)


def _agree(end_of_part: int, end_of_whole: int) -> None:
    if end_of_part != end_of_whole:
        raise ValueError("a part of a message does not end where the whole does")


def _number(message: bytes, start: int, end: int) -> int:
    number = int.from_bytes(message[start:end], "big", signed=True)
    if start == end or not 0 <= number < 1 << 31:  # maxInt, RFC 4511 4.1.1
        raise ValueError("a message holds a number that LDAP does not know")
    return number


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
        if not 0 < count <= _LONGEST:  # 0 would be the indefinite form, which LDAP does not allow (RFC 4511 5.1)
            raise ValueError("a message has a length in a form that LDAP does not allow")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    return start, start + size


def _bind(name: str, authentication: bytes) -> bytes:
    return _element(_BIND, _integer(_INTEGER, _VERSION) + _element(_OCTETS, name.encode()) + authentication)


def _change(name: str, verb: str, values: Sequence[bytes]) -> bytes:
    items = b"".join(_element(_OCTETS, value) for value in values)
    attribute = _element(_SEQUENCE, _element(_OCTETS, name.encode()) + _element(_SET, items))
    return _element(_SEQUENCE, _integer(_ENUMERATED, _VERBS[verb]) + attribute)


def _message(number: int, operation: bytes, flags: int) -> bytes:
    return _element(_SEQUENCE, _integer(_INTEGER, number) + operation + (_sd_flags_control(flags) if flags else b""))


def _integer(tag: int, value: int) -> bytes:
    return _element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _element(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


@lru_cache
def _sd_flags_control(flags: int) -> bytes:
    value = _element(_SEQUENCE, _integer(_INTEGER, flags))
    return _element(
        _CONTROLS, _element(_SEQUENCE, _element(_OCTETS, _SD_FLAGS) + b"\x01\x01\xff" + _element(_OCTETS, value))
    )
