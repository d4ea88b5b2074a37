# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The questions to a Windows server, and typed access to its answers (contract: modules/odj_server_probe.yml)."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

Probe: t.TypeAlias = "dict[str, object]"

SNAPSHOT_SCHEMA = 1


def ask_host(probe_id: str) -> Probe:
    """Ask for names, domain, operating system, clock and PowerShell of the server."""
    return {"id": probe_id, "kind": "host"}


def ask_registry(
    probe_id: str,
    key: str,
    *,
    values: Sequence[str] | None = None,
    view: int = 64,
    subkey_values: Sequence[str] | None = None,
    where: tuple[str, str] | None = None,
) -> Probe:
    """Ask for values of a key and, with ``subkey_values``, of each of its sub-keys.

    Args:
        probe_id: Name of the question.
        key: Starts with HKLM or HKU.
        values: Names of the wanted values of the key itself; None means all.
        view: 64 or 32.
        subkey_values: Names of the wanted values of the sub-keys.
        where: Name and text of a value that a sub-key must have to be listed.
    """
    probe: Probe = {"id": probe_id, "kind": "registry", "key": key, "view": view}
    if values is not None:
        probe["values"] = list(values)
    if subkey_values is not None:
        probe |= {"subkeys": True, "subkey_values": list(subkey_values)}
    if where is not None:
        probe["subkey_where"] = {"value": where[0], "equals": where[1]}
    return probe


def ask_file(probe_id: str, path: str, *, content: int = 0) -> Probe:
    """Ask whether a file is there, for its SHA-256 and for up to ``content`` bytes from its start."""
    probe: Probe = {"id": probe_id, "kind": "file", "path": path, "hash": True}
    if content:
        probe["content"] = content
    return probe


def ask_file_version(probe_id: str, path: str) -> Probe:
    """Ask whether a file is there, and for the versions in its resources."""
    return {"id": probe_id, "kind": "file", "path": path, "version": True}


def ask_service(probe_id: str, name: str) -> Probe:
    """Ask for state, start mode and account of a service."""
    return {"id": probe_id, "kind": "service", "name": name}


def ask_event(
    probe_id: str, channel: str, ids: Sequence[int], *, hours: int, limit: int, message: bool = False
) -> Probe:
    """Ask for the newest events with the given ids, not older than so many hours by the server's own clock.

    ``message`` asks for the rendered texts too, which is slow and depends on the language of the server.
    """
    which = " or ".join(f"EventID={number}" for number in ids)
    xpath = f"*[System[({which}) and TimeCreated[timediff(@SystemTime) <= {hours * 3_600_000}]]]"
    probe: Probe = {"id": probe_id, "kind": "event", "channel": channel, "xpath": xpath, "limit": limit}
    return {**probe, "message": True} if message else probe


def ask_certificate(probe_id: str, store: str, issuer: str) -> Probe:
    """Ask for the certificates of one issuer in a store of the computer, and for who may use their keys."""
    return {"id": probe_id, "kind": "certificate", "store": store, "issuer": issuer, "key_access": True}


def ask_endpoint(probe_id: str, targets: Sequence[tuple[str, int]], *, proxy: str | None, timeout_ms: int) -> Probe:
    """Ask whether TLS connections to hosts and ports come about, through a proxy (``http://host:port``) or directly."""
    connections = [{"host": name, "port": port, "tls": True} for name, port in targets]
    probe: Probe = {"id": probe_id, "kind": "endpoint", "targets": connections, "timeout_ms": timeout_ms}
    return {**probe, "proxy": proxy} if proxy else probe


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of an answer; a method returns None when the field is missing or of another type."""

    data: Mapping[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a text; empty text counts as missing."""
        value = self.data.get(name)
        return value if isinstance(value, str) and value else None

    def number(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.data.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, name: str) -> bool | None:
        """Return a truth value."""
        value = self.data.get(name)
        return value if isinstance(value, bool) else None

    def part(self, name: str) -> Fields:
        """Return an object inside this one; an empty one when it is missing."""
        value = self.data.get(name)
        return Fields(value) if isinstance(value, Mapping) else Fields()

    def parts(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        return [Fields(item) for item in self._items(name) if isinstance(item, Mapping)]

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list."""
        return [item for item in self._items(name) if isinstance(item, str)]

    def _items(self, name: str) -> Iterator[object]:
        value = self.data.get(name)
        yield from value if isinstance(value, (list, tuple)) else ()


def registry_text(values: Fields, name: str) -> str | None:
    """Return a registry value as text."""
    return values.part(name).text("data")


def registry_number(values: Fields, name: str) -> int | None:
    """Return a DWORD as unsigned number; PowerShell may hand over a large one as negative."""
    number = values.part(name).number("data")
    return None if number is None else number & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers to one list of questions, and the controller's clock around them.

    Attributes:
        answers: By the question's id, as odj_server_probe returns them.
        asked_at: UTC, before the questions left the controller.
        answered_at: UTC, when the answers had come.
        questions: What was asked, by id.
        superseded: Questions whose id was then given to another one, and their answers.
    """

    answers: Mapping[str, object]
    asked_at: datetime
    answered_at: datetime
    questions: Mapping[str, object] = field(default_factory=dict)
    superseded: tuple[tuple[object, object], ...] = ()

    def value(self, probe_id: str) -> Fields:
        """Return an answer; an empty one when the question failed or was not asked."""
        answer = Fields(self.answers).part(probe_id)
        return answer.part("value") if answer.flag("ok") else Fields()

    def answered(self, probe_id: str) -> bool:
        """Return whether there is an answer to the question."""
        return bool(Fields(self.answers).part(probe_id).flag("ok"))

    def error(self, probe_id: str) -> str | None:
        """Return why a question has no answer: error id and text; None when it has one or was not asked."""
        answer = Fields(self.answers).part(probe_id)
        if answer.flag("ok") is not False:
            return None
        problem = answer.part("error")
        return f"{problem.text('id') or 'Error'}: {problem.text('message') or 'no text'}"

    def errors(self) -> dict[str, str]:
        """Return the errors of all failed questions by their ids."""
        return {probe_id: text for probe_id in self.answers if (text := self.error(probe_id)) is not None}

    def holds(self, probe: Probe) -> bool:
        """Return whether exactly this question was asked; the answer may be an error."""
        return self._answer_to(probe) is not None

    def _answer_to(self, probe: Probe) -> object:
        probe_id = str(probe["id"])
        if self.questions.get(probe_id) == probe:
            return self.answers.get(probe_id)
        return next((answer for question, answer in self.superseded if question == probe), None)

    def only(self, probes: Sequence[Probe]) -> Snapshot:
        """Return the part that answers these questions."""
        questions = {str(probe["id"]): probe for probe in probes if self.holds(probe)}
        answers = {probe_id: self._answer_to(probe) for probe_id, probe in questions.items()}
        return Snapshot(answers, self.asked_at, self.answered_at, questions)

    def merged(self, later: Snapshot) -> Snapshot:
        """Return both as one: the later answer counts, and the clock is that around the answer of kind "host"."""
        clock = (
            later if any(Fields(later.questions).part(one).text("kind") == "host" for one in later.questions) else self
        )
        other = [
            one for one in later.questions if self.questions.get(one, later.questions[one]) != later.questions[one]
        ]
        superseded = ((self.questions[one], self.answers.get(one)) for one in other)
        return Snapshot(
            {**self.answers, **later.answers},
            clock.asked_at,
            clock.answered_at,
            {**self.questions, **later.questions},
            (*self.superseded, *later.superseded, *superseded),
        )

    def to_json(self) -> dict[str, object]:
        """Return it as data that ``from_json`` takes; ``boot_time`` is that of the server, where it was asked for."""
        return {
            "schema": SNAPSHOT_SCHEMA,
            "asked_at": self.asked_at.isoformat(),
            "answered_at": self.answered_at.isoformat(),
            "boot_time": self.value("host").text("boot_time"),
            "questions": dict(self.questions),
            "answers": dict(self.answers),
            "superseded": [{"question": question, "answer": answer} for question, answer in self.superseded],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Snapshot:
        """Return the snapshot that such data describes.

        Raises:
            InvalidInput: It is of another form, or of another schema.
        """
        given = Fields(data)
        answers, questions = given.part("answers").data, given.part("questions").data
        asked_at, answered_at = (_moment(given.text(name)) for name in ("asked_at", "answered_at"))
        if given.number("schema") != SNAPSHOT_SCHEMA or asked_at is None or answered_at is None:
            raise InvalidInput(
                "read the option snapshot",
                got=f"it is no snapshot of schema {SNAPSHOT_SCHEMA}",
                advice="Pass on what odj_server_info returned with return_snapshot, as it is, or leave the option out.",
            )
        superseded = [(one.part("question").data, one.part("answer").data) for one in given.parts("superseded")]
        return cls(answers, asked_at, answered_at, questions, tuple(superseded))


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
