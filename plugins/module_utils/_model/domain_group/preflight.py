# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What servers, directory and Intune say about the prerequisites: a list of verdicts for each server, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import part, text

_KEYS = ("server", "name", "verdict", "found", "wanted", "cause", "cure")
_MARKS = {"met": "ok", "unmet": "MISSING", "unknown": "unknown"}
_ADMINISTRATOR = "Make the server reachable, and connect to it as a local administrator."


@dataclass(frozen=True, slots=True)
class Asked:
    """What was to be looked at for one server.

    Attributes:
        server: Its name in the inventory.
        units: The OUs that it needs, as they were given.
        delegation: Whether they are to be delegated.
        intune: Whether Intune has to answer.
    """

    server: str
    units: tuple[str, ...] = ()
    delegation: bool = False
    intune: bool = False


def verdicts_of(
    asked: Asked, server: Mapping[str, object], directory: Mapping[str, object], cloud: Mapping[str, object]
) -> list[dict[str, str]]:
    """Return the verdicts on one server, each with the keys server, name, verdict, found, wanted, cause and cure.

    Args:
        asked: What was to be looked at.
        server: Result of odj_prereqs on it; empty when the server did not answer.
        directory: Result of odj_organizational_unit_info for its domain.
        cloud: Result of odj_connector_info.
    """
    rows = [*_of_server(server), *_of_directory(asked, directory), *(_of_cloud(cloud) if asked.intune else ())]
    return [{**dict.fromkeys(_KEYS, ""), **row, "server": asked.server} for row in rows]


def _of_server(result: Mapping[str, object]) -> Iterable[dict[str, str]]:
    verdicts = result.get("prerequisites")
    if not isinstance(verdicts, Sequence):
        cause = text(result, "msg") or "The server did not answer."
        return [{"name": "server", "verdict": "unmet", "found": "no answer", "cause": cause, "cure": _ADMINISTRATOR}]
    return [{key: text(one, key) for key in _KEYS} for one in verdicts if isinstance(one, Mapping)]


def _of_directory(asked: Asked, result: Mapping[str, object]) -> Iterable[dict[str, str]]:
    if not asked.units:
        return ()
    found = result.get("organizational_units")
    if not isinstance(found, Sequence):
        return [_no_answer("directory", text(result, "msg") or "The directory could not be asked.")]
    answers = {text(one, "requested"): one for one in found if isinstance(one, Mapping)}
    return [_of_unit(unit, answers.get(unit, {}), delegation=asked.delegation) for unit in asked.units]


def _of_unit(unit: str, answer: Mapping[str, object], *, delegation: bool) -> dict[str, str]:
    row = {"name": "organizational_unit", "found": unit, "wanted": unit, "verdict": "met"}
    if not answer:
        cause = f"The directory was not asked for {unit}."
        return {**row, "verdict": "unknown", "cause": cause, "cure": "Run the preflight again."}
    if not answer.get("exists"):
        cure = "Create it, or correct its distinguished name."
        return {**row, "verdict": "unmet", "found": "nothing", "cause": f"{unit} does not exist.", "cure": cure}
    if delegation and not answer.get("can_write_dacl"):
        cause = f"{unit} cannot be delegated: the account that asks may not modify its permissions."
        cure = "Ask with an account that may, or let the owner of the OU grant it (docs/permissions.md)."
        return {**row, "verdict": "unmet", "cause": cause, "cure": cure}
    return row


def _of_cloud(result: Mapping[str, object]) -> Iterable[dict[str, str]]:
    connectors = result.get("connectors")
    if not isinstance(connectors, Sequence):
        return [_no_answer("intune", text(result, "msg") or "Intune could not be asked.")]
    return [{"name": "intune", "verdict": "met", "found": f"{len(connectors)} connectors", "wanted": "an answer"}]


def _no_answer(name: str, cause: str) -> dict[str, str]:
    return {"name": name, "verdict": "unmet", "found": "no answer", "wanted": "an answer", "cause": cause}


def unmet(verdicts: Iterable[Mapping[str, str]]) -> list[str]:
    """Return one sentence or two for each verdict that keeps the server from being a connector server."""
    return [sentence_of(row) for row in verdicts if row.get("verdict") == "unmet"]


def sentence_of(row: Mapping[str, str]) -> str:
    """Return what is wrong and what to do, with the name in front where the sentence does not say what it speaks of."""
    said = f"{row.get('cause', '')} {row.get('cure', '')}".strip()
    return said if row.get("name") in ("organizational_unit", "directory", "intune") else f"{row.get('name')}: {said}"


def table_of(verdicts: Sequence[Mapping[str, str]], notes: Iterable[str] = ()) -> list[str]:
    """Return the lines of a table of verdicts: causes and cures below those that have one, notes at the end."""
    widths = [max((len(cell[place]) for cell in map(_cells, verdicts)), default=0) for place in range(3)]
    lines = []
    for row in verdicts:
        server, mark, name, found = _cells(row)
        lines.append(f"{server:{widths[0]}}  {mark:{widths[1]}}  {name:{widths[2]}}  {found}".rstrip())
        if row.get("cause"):
            lines += [f"    {said}" for said in (row["cause"], row.get("cure", "")) if said]
    bad = sorted({row["server"] for row in verdicts if row.get("verdict") == "unmet"})
    good = sorted({row["server"] for row in verdicts} - set(bad))
    ready = [f"Ready: {', '.join(good)}."] if good else []
    return [*lines, *ready, *([f"Not ready: {', '.join(bad)}."] if bad else []), *notes]


def _cells(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    verdict = row.get("verdict", "unknown")
    return row.get("server", ""), _MARKS.get(verdict, verdict), row.get("name", ""), row.get("found", "")


def answer_among(results: Iterable[Mapping[str, object]]) -> Mapping[str, object]:
    """Return the first result of a task that was asked of one host for all: an answer, else a failure, else nothing."""
    asked = [one for one in results if one and not one.get("skipped") and not one.get("unreachable")]
    answers = [one for one in asked if not _failed(one)]
    return next(iter([*answers, *asked]), {})


def _failed(result: Mapping[str, object]) -> bool:
    return bool(result.get("failed")) or bool(result.get("error")) or bool(part(result, "exception"))
