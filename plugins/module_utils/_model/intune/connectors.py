# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Connectors as Intune lists them, and how their servers stand to what is expected of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    INACTIVE_AFTER,
    REMOVED_AFTER,
    Build,
)

ACTIVE = "active"

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IntuneConnector:
    """One entry of Intune's list. Each enrolment of a server makes a new one.

    Attributes:
        id: GUID.
        name: The server, as a short name or an FQDN.
        last_contact: UTC; None when there was none.
        state: "active", "error" (silent for an hour), "inactive" (for five days), or what may come.
        version: As Intune writes it.
    """

    id: str
    name: str
    last_contact: datetime | None
    state: str
    version: str

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> IntuneConnector:
        """Return the connector of one row of Graph; fields that are missing or null become empty.

        Raises:
            OdjError: The last contact is not a date.
        """
        text = {name: str(row.get(name) or "") for name in ("id", "displayName", "state", "version")}
        last_contact = _moment(str(row.get("lastConnectionDateTime") or ""), text["displayName"])
        return cls(text["id"], text["displayName"], last_contact, text["state"], text["version"])

    @property
    def build(self) -> Build | None:
        """The version as a build; None when it is not one."""
        try:
            return Build.parse(self.version)
        except InvalidInput:
            return None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of the connectors.

    Attributes:
        names: Servers of interest, short or FQDN; empty for all.
        minimum_build: Older ones are reported.
        stale_after: Longer silence is reported.
    """

    names: tuple[str, ...]
    minimum_build: Build
    stale_after: timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """How one server stands: its newest entry, and the ids of the older ones of the same name."""

    connector: IntuneConnector
    duplicates: tuple[str, ...]
    age: timedelta | None
    stale: bool
    below_minimum: bool | None

    def to_json(self) -> dict[str, object]:
        """Return it for a task result: times as ISO 8601 in UTC, age in whole minutes."""
        last = self.connector.last_contact
        return {
            "id": self.connector.id,
            "display_name": self.connector.name,
            "last_connection_date_time": utc_text(last) if last else None,
            "state": self.connector.state,
            "version": self.connector.version,
            "age_minutes": None if self.age is None else int(self.age.total_seconds() // 60),
            "stale": self.stale,
            "below_minimum": self.below_minimum,
            "duplicates": list(self.duplicates),
            # From when the days until the removal count is not documented.
            "cleanup_estimate": utc_text(last + INACTIVE_AFTER + REMOVED_AFTER) if last else None,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What Intune's list means for what is expected.

    Attributes:
        standings: By name, one for each server of interest that Intune knows.
        missing: Names asked for that Intune does not know.
        problems: One phrase for each expectation that is not met; empty when all is well.
    """

    standings: tuple[Standing, ...] = ()
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def assess(connectors: Iterable[IntuneConnector], expected: Expectation, now: datetime) -> Assessment:
    """Return how the servers stand at a moment (UTC)."""
    groups = [group for group in _by_server(list(connectors)) if _is_expected(group, expected.names)]
    standings = tuple(_standing(group, expected, now) for group in groups)
    found = [connector.name for group in groups for connector in group]
    missing = tuple(name for name in expected.names if not any(same_server(name, other) for other in found))
    problems = [f"{name} is not there" for name in missing]
    problems += [phrase for standing in standings for phrase in _problems(standing, expected)]
    if not expected.names and not standings:
        problems.append("there is no connector at all")
    return Assessment(standings, missing, tuple(problems))


def same_server(one: str, other: str) -> bool:
    """Return whether two names mean the same server: equal, or a short name and the first label of an FQDN.

    Which of the two Intune shows is not documented. Case does not matter.
    """
    one, other = one.casefold(), other.casefold()
    if "." in one and "." in other:
        return one == other
    return one.partition(".")[0] == other.partition(".")[0]


def _by_server(connectors: list[IntuneConnector]) -> list[list[IntuneConnector]]:
    """Return the entries of each server, newest first, servers by name."""
    full_names = {connector.name.casefold() for connector in connectors}
    groups: dict[str, list[IntuneConnector]] = {}
    for connector in connectors:
        name = connector.name.casefold()
        longer = [full for full in full_names if "." in full and same_server(full, name)]
        # A short name that fits two FQDNs belongs to neither.
        key = longer[0] if "." not in name and len(longer) == 1 else name
        groups.setdefault(key, []).append(connector)
    return [
        sorted(groups[key], key=lambda connector: connector.last_contact or _NEVER, reverse=True)
        for key in sorted(groups)
    ]


def _is_expected(group: Sequence[IntuneConnector], names: tuple[str, ...]) -> bool:
    return not names or any(same_server(name, connector.name) for name in names for connector in group)


def _standing(group: Sequence[IntuneConnector], expected: Expectation, now: datetime) -> Standing:
    newest, *older = group
    # The clocks of Intune and of this computer differ; nobody was in contact in the future.
    age = max(now - newest.last_contact, timedelta()) if newest.last_contact else None
    build = newest.build
    return Standing(
        connector=newest,
        duplicates=tuple(connector.id for connector in older),
        age=age,
        stale=age is None or age > expected.stale_after,
        below_minimum=None if build is None else build < expected.minimum_build,
    )


def _problems(standing: Standing, expected: Expectation) -> list[str]:
    connector, name, last = standing.connector, standing.connector.name, standing.connector.last_contact
    silent = f"is silent since {utc_text(last)}" if last else "was never in contact"
    checks = (
        (connector.state.casefold() != ACTIVE, f"{name} is {connector.state or 'without state'}, not active"),
        (standing.stale, f"{name} {silent}"),
        (standing.below_minimum is True, f"{name} has build {connector.version}, below {expected.minimum_build}"),
    )
    return [phrase for is_so, phrase in checks if is_so]


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        got = f"its last contact {text!r} is not a date"
        raise OdjError("read the connector list of Intune", on=name, got=got) from error
    # Year 1 is the empty date of .NET; no contact was ever then.
    if moment.year == 1:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
