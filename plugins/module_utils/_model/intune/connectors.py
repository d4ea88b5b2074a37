# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Connectors as Intune lists them, and how their servers stand to what is expected of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput, OdjError, plain
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    INACTIVE_AFTER,
    REMOVED_AFTER,
    Build,
)

ACTIVE = "active"
# A clock that is further ahead than this is not slow or fast but wrong.
FUTURE = timedelta(days=1)
# Windows shortens the name of a computer for NetBIOS:
# https://learn.microsoft.com/en-us/troubleshoot/windows-server/active-directory/naming-conventions-for-computer-domain-site-ou
NETBIOS_LENGTH = 15

# Python alone takes much more for a date. https://docs.oasis-open.org/odata/odata/v4.01/os/abnf/ (dateTimeOffsetValue)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
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
        """Return the connector of one row of Graph; a field that is no text becomes empty.

        Raises:
            OdjError: The last contact is not a date.
        """
        names = ("id", "displayName", "state", "version", "lastConnectionDateTime")
        text = {name: plain(value, 300) if isinstance(value := row.get(name), str) else "" for name in names}
        last_contact = _moment(text["lastConnectionDateTime"], text["displayName"])
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
    """How one server stands.

    Attributes:
        connector: Its newest entry.
        duplicates: Ids of the older ones.
        age: Since the last contact; None when there was none, or when its date cannot be true.
        stale: Whether that is too long, or cannot be told.
        below_minimum: Whether the build is too old; None when it cannot be told.
    """

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
            "cleanup_estimate": _cleanup_estimate(last),
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
    entries: dict[str, list[IntuneConnector]] = {}
    for connector in connectors:
        # Entries without a name are not one server.
        entries.setdefault(host_of(connector.name) or f"?{connector.id}", []).append(connector)
    groups, missing = _grouped(entries, expected.names) if expected.names else (entries, ())
    standings = tuple(_standing(groups[key], expected, now) for key in sorted(groups))
    problems = [f"{name} is not there" for name in missing]
    problems += [phrase for standing in standings for phrase in _problems(standing, expected)]
    if not expected.names and not standings:
        problems.append("there is no connector at all")
    return Assessment(standings, missing, tuple(problems))


def host_of(name: str) -> str:
    """Return a name as it compares as a host: in lower case, without the dot of the root at its end."""
    return name.strip().rstrip(".").lower()


def _other_names(host: str) -> set[str]:
    """Return the shorter names that a host has beside its own: the first label, and the NetBIOS name made of that."""
    label = host.partition(".")[0]
    return {label, label[:NETBIOS_LENGTH]} - {host, ""}


def _grouped(
    entries: Mapping[str, list[IntuneConnector]], names: tuple[str, ...]
) -> tuple[dict[str, list[IntuneConnector]], tuple[str, ...]]:
    """Return the entries of each server that was asked for, and the names that nothing fits.

    Two names fit when they are equal as hosts, or when one is a shorter name of the other. Which of them Intune shows
    is not documented. Entries of different names are those of one server only when exactly one name that was asked for
    says so: a short name alone does not tell of which domain the server is. Each step is a look-up, whatever the number
    of entries.
    """
    wanted = {host_of(name) for name in names}
    longer: dict[str, list[str]] = {}
    for name in sorted(wanted):
        for short in _other_names(name):
            longer.setdefault(short, []).append(name)
    fits: dict[str, list[str]] = {}
    for host in entries:
        fits[host] = [name for name in (host, *_other_names(host)) if name in wanted]
        # A name that is asked for as it stands is no longer name, cut off.
        fits[host] += [name for name in longer.get(host, ()) if host not in wanted or name.startswith(f"{host}.")]
    full_names = Counter(name for host, given in fits.items() if "." in host for name in given)
    groups: dict[str, list[IntuneConnector]] = {}
    for host, given in fits.items():
        if given:
            key = given[0] if len(given) == 1 and full_names[given[0]] <= 1 else host
            groups.setdefault(key, []).extend(entries[host])
    found = {name for given in fits.values() for name in given}
    return groups, tuple(name for name in names if host_of(name) not in found)


def _standing(group: Iterable[IntuneConnector], expected: Expectation, now: datetime) -> Standing:
    newest, *older = sorted(group, key=lambda connector: connector.last_contact or _NEVER, reverse=True)
    age = now - newest.last_contact if newest.last_contact else None
    if age is not None:
        # The clocks of Intune and of this computer differ; nobody was in contact in the future.
        age = None if age < -FUTURE else max(age, timedelta())
    build = newest.build
    return Standing(
        connector=newest,
        duplicates=tuple(connector.id for connector in older),
        age=age,
        stale=age is None or age > expected.stale_after,
        below_minimum=None if build is None else build < expected.minimum_build,
    )


def _problems(standing: Standing, expected: Expectation) -> list[str]:
    connector, last = standing.connector, standing.connector.last_contact
    name = connector.name or f"the connector {connector.id or 'without id'}"
    silent = f"is silent since {utc_text(last)}" if last else "was never in contact"
    if last and standing.age is None:
        silent = f"was last in contact at {utc_text(last)}, which is in the future: check the clock of this computer"
    no_build = f"shows {connector.version!r}, which is no build" if connector.version else "shows no build"
    checks = (
        (connector.state.casefold() != ACTIVE, f"{name} is {connector.state or 'without state'}, not active"),
        (standing.stale, f"{name} {silent}"),
        (standing.below_minimum is None, f"{name} {no_build}"),
        (standing.below_minimum is True, f"{name} has build {connector.version}, below {expected.minimum_build}"),
    )
    return [phrase for is_so, phrase in checks if is_so]


def _cleanup_estimate(last: datetime | None) -> str | None:
    """Return when Intune removes the entry; from when the days until then count is not documented."""
    try:
        return utc_text(last + INACTIVE_AFTER + REMOVED_AFTER) if last else None
    except OverflowError:
        return None


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text if _DATE.fullmatch(text) else "")
        # Year 1 is the empty date of .NET; no contact was ever then.
        if moment.year == 1:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        got = f"its last contact {text!r} is not a date"
        raise OdjError("read the connector list of Intune", on=name, got=got) from error
