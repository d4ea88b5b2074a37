# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Managed service accounts: read and written, and the KDS root keys that they need."""

from __future__ import annotations

import datetime
import fnmatch
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    NO_SUCH_OBJECT,
    AllOf,
    AnyOf,
    Directory,
    Entry,
    Equals,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import CHUNK, Domains
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.progress import Progress
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import from_filetime, from_generalized
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    CLASSES,
    CONTAINER_GUID,
    ServiceAccount,
    ServiceAccountError,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    KeyVerdict,
    RootKey,
    judge,
    readers_in,
)

_ATTRIBUTES = (
    "objectClass",
    "objectSid",
    "sAMAccountName",
    "userAccountControl",
    "description",
    "dNSHostName",
    "msDS-ManagedPasswordInterval",
    "msDS-SupportedEncryptionTypes",
    "msDS-GroupMSAMembership",
    "msDS-HostServiceAccountBL",
    "pwdLastSet",
    "whenCreated",
)


def read_service_account(directory: Directory, base: str, name: str) -> ServiceAccount | None:
    """Return the managed service account of that name (without the dollar sign), None when there is no such account.

    Raises:
        ServiceAccountError: Something else has the name, or one that the directory takes for the same.

    """
    found = directory.search(base, Equals("sAMAccountName", f"{name}$"), _ATTRIBUTES)
    if not found:
        return None
    entry = found[0]
    if not _kind(entry):
        raise ServiceAccountError(
            f"use {name}$ as a managed service account",
            on=entry.dn,
            got=f"it is of class {_class(entry)}",
            advice="Take another name.",
        )
    if entry.text("sAMAccountName").casefold() != f"{name}$".casefold():  # accents do not count for every directory
        raise ServiceAccountError(
            f"use {name}$ as a managed service account",
            on=entry.dn,
            got=f"the directory takes its name for the one of {entry.text('sAMAccountName')}",
            advice="Write the name as the directory has it, or take another name.",
        )
    return _service_account(entry)


def list_service_accounts(
    directory: Directory, base: str, kinds: Sequence[str], patterns: Sequence[str]
) -> list[ServiceAccount]:
    """Return the managed service accounts below a base, by name.

    They are searched by their own classes: (objectClass=computer) would find computers beside them.

    Args:
        directory: Where to look.
        base: A distinguished name.
        kinds: Of CLASSES.
        patterns: Names without the dollar sign; ``*`` and ``?`` stand for other characters. All when empty.

    Raises:
        DirectoryError: With code 32 when there is no such base.

    """
    where = AnyOf(tuple(Equals("objectClass", CLASSES[kind]) for kind in kinds))
    found = map(_service_account, directory.search(base, where, _ATTRIBUTES))
    wanted = [pattern.casefold() for pattern in patterns] or ["*"]
    chosen = [a for a in found if any(fnmatch.fnmatchcase(a.name.casefold(), pattern) for pattern in wanted)]
    return sorted(chosen, key=lambda account: (account.name.casefold(), account.dn))


def find_container(domains: Domains, path: str | None) -> Dn:
    """Return the container for new service accounts: the one given, or the default one of the domain.

    Raises:
        DirectoryError: There is no such container.

    """
    if not path:
        default = domains.well_known(CONTAINER_GUID)
        if default:
            return Dn.parse(default)
        raise DirectoryError(
            "find the container of managed service accounts",
            on=domains.base,
            got="the domain names none",
            advice="Set path.",
        )
    try:
        found = domains.directory.search(path, ANYTHING, ["objectClass"], scope="base")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        found = []
    if not found:
        raise DirectoryError("find the container", on=path, got="there is no such object", advice="Correct path.")
    return Dn.parse(found[0].dn)


def refuse_taken(domains: Domains, dn: str) -> None:
    """Raise ServiceAccountError when an object has this name, under which a service account is to be made."""
    where = Equals("distinguishedName", dn)
    for entry in domains.directory.search(domains.base, where, ["objectClass", "sAMAccountName"]):
        raise ServiceAccountError(
            "create the managed service account",
            on=dn,
            got=f"the place is taken by {entry.text('sAMAccountName') or 'an object'} of class {_class(entry)}",
            advice="Take another name or another path, or look at that object first.",
        )


def find_computers(domains: Domains, names: Sequence[str], *, must_exist: bool = True) -> tuple[str, ...]:
    """Return the DN of the one computer that each short name, FQDN or DN means; never a managed service account.

    Raises:
        DirectoryError: Names every one that means none (unless they need not exist: then it is left out), or more
            than one.

    """
    wheres = [_computer(name) for name in names]
    entries: list[Entry] = []
    for start in range(0, len(wheres), CHUNK):
        any_of_them = AllOf((Equals("objectClass", "computer"), AnyOf(tuple(wheres[start : start + CHUNK]))))
        found = domains.directory.search(domains.base, any_of_them, ["objectClass", "sAMAccountName", "dNSHostName"])
        entries += [entry for entry in found if _is_computer(entry)]
    computers: dict[str, None] = {}
    findings = []
    for name, where in zip(names, wheres, strict=True):
        meant = dict.fromkeys(entry.dn for entry in entries if _is(entry, where))
        if len(meant) > 1:
            findings.append(f"{name} means more than one: {'; '.join(meant)}")
        elif not meant and must_exist:
            findings.append(f"{name}: there is no such computer")
        computers |= meant
    if findings:
        advice = "Give its sAMAccountName, FQDN or DN as AD has it. Nothing was changed."
        raise DirectoryError("find the hosts", got="; ".join(findings), advice=advice)
    return tuple(computers)


def computers_among(domains: Domains, accounts: Sequence[Account]) -> tuple[Account, ...]:
    """Return those of the accounts that are computers; a managed service account is none, though of that class."""
    machines = [account for account in accounts if account.name.endswith("$")]
    computers: set[str] = set()
    for start in range(0, len(machines), CHUNK):
        names = tuple(Equals("objectSid", account.sid.to_bytes()) for account in machines[start : start + CHUNK])
        where = AllOf((Equals("objectClass", "computer"), AnyOf(names)))
        found = domains.directory.search(domains.base, where, ["objectClass"])
        computers |= {entry.dn for entry in found if _is_computer(entry)}
    return tuple(account for account in machines if account.dn in computers)


def _computer(name: str) -> Equals:
    if "=" in name:
        return Equals("distinguishedName", str(Dn.parse(name)))
    if "." in name:
        return Equals("dNSHostName", name)
    return Equals("sAMAccountName", f"{name.removesuffix('$')}$")


def _is(entry: Entry, where: Equals) -> bool:
    value = str(where.value)
    if where.attribute == "distinguishedName":
        return Dn.parse(entry.dn).key == Dn.parse(value).key
    return entry.text(where.attribute).casefold() == value.casefold()


def _is_computer(entry: Entry) -> bool:
    """Say whether it is a computer itself: every kind of managed service account descends from that class."""
    return _class(entry) == "computer"


def _class(entry: Entry) -> str:
    return (entry.texts("objectClass") or ("unknown",))[-1]


def _kind(entry: Entry) -> str:
    classes = entry.texts("objectClass")
    return next((kind for kind, name in CLASSES.items() if name in classes), "")


def _service_account(entry: Entry) -> ServiceAccount:
    kind, membership = _kind(entry), entry.one("msDS-GroupMSAMembership")
    return ServiceAccount(
        dn=entry.dn,
        name=entry.text("sAMAccountName").removesuffix("$"),
        sid=Sid.from_bytes(entry.one("objectSid") or b""),
        kind=kind,
        control=entry.number("userAccountControl") or 0,
        description=entry.text("description"),
        dns_host_name=entry.text("dNSHostName"),
        interval_days=entry.number("msDS-ManagedPasswordInterval"),
        encryption_types=entry.number("msDS-SupportedEncryptionTypes"),
        readers=None if kind != "group" else readers_in(membership) if membership else (),
        hosts=tuple(sorted(entry.texts("msDS-HostServiceAccountBL"), key=str.casefold)),
        membership=membership or b"",
        password_set=from_filetime(entry.number("pwdLastSet")),
        created=from_generalized(entry.text("whenCreated")),
    )


_PLACE = "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services"


def server_time(directory: Directory) -> datetime.datetime:
    """Return what the domain controller's clock says (currentTime of the rootDSE, MS-ADTS 3.1.1.3.2).

    Raises:
        DirectoryError: It does not say.

    """
    text = root_dse(directory, "currentTime").text("currentTime")
    moment = from_generalized(text)
    if moment is None:
        raise DirectoryError("read the domain controller's clock", got=f"currentTime is {text!r}")
    return moment


def look_at_root_keys(directory: Directory) -> KeyVerdict:
    """Say whether a group account can have a password now, as far as this account may see.

    By default only administrators may read the keys; others see that there are some, or not even that.

    Raises:
        DirectoryError: The directory cannot be read.

    """
    root = root_dse(directory, "configurationNamingContext", "currentTime")
    now = from_generalized(root.text("currentTime"))
    if now is None:
        return KeyVerdict("unknown", "the domain controller does not say what time it is")
    place = f"{_PLACE},{root.text('configurationNamingContext')}"
    try:
        found = directory.search(place, ANYTHING, ["msKds-UseStartTime"], scope="level")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        return judge(None, now)
    keys = [RootKey(Dn.parse(e.dn).name, from_filetime(e.number("msKds-UseStartTime"))) for e in found]
    return judge(keys, now)


_LINK = "msDS-HostServiceAccount"


def make_changes(directory: Directory, changes: Sequence[Change], before: Sequence[Change] = ()) -> None:
    """Make the changes in their order; an error says what was done before it.

    Args:
        directory: Where.
        changes: The changes.
        before: Those of the same task that are made already.

    Raises:
        OdjError: The directory refuses one.

    """
    done = [change.summary for change in before]
    for change in changes:
        try:
            _APPLY[change.action](directory, change)
        except OdjError as problem:
            raise (_interrupted(problem, done) if done else problem) from problem
        done.append(change.summary)


def _interrupted(problem: OdjError, done: Sequence[str]) -> OdjError:
    advice = f"{problem.advice} Done before this: {'; '.join(done)}.".lstrip()
    return OdjError(problem.tried, on=problem.on, got=problem.got, advice=advice)


def _create(directory: Directory, change: Change) -> None:
    object_class, values = t.cast("tuple[str, dict[str, bytes]]", change.payload)
    directory.add(change.target, object_class, {name: [value] for name, value in values.items() if value})


def _modify(directory: Directory, change: Change) -> None:
    values = t.cast("dict[str, bytes | None]", change.payload)
    directory.modify(change.target, {n: ("replace", [] if v is None else [v]) for n, v in values.items()})


_APPLY: dict[str, Callable[[Directory, Change], None]] = {
    "create": _create,
    "modify": _modify,
    "delete": lambda directory, change: directory.delete(change.target),
    "link_host": lambda d, change: d.modify(change.target, {_LINK: ("add", [t.cast(bytes, change.payload)])}),
    "unlink_host": lambda d, change: d.modify(change.target, {_LINK: ("delete", [t.cast(bytes, change.payload)])}),
}


PAUSE = 1.0  # seconds between two looks
_TRIED = "see the account on the other domain controllers"


class Clock(t.Protocol):
    """Measures time and waits."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this computer."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def wait_for_others(
    others: Mapping[str, Directory], arrived: Callable[[Directory], bool], subject: str, timeout: float, clock: Clock
) -> dict[str, int]:
    """Look at open directories, each once at least, until ``arrived`` says of every one that it holds the subject.

    Returns how often each was looked at. ``timeout`` is in seconds, for all of them together.

    Raises:
        DirectoryError: Names the servers that did not have it in time, or the one that could not be asked.

    """
    looks = dict.fromkeys(others, 0)
    progress = Progress(clock.monotonic)
    waiting = dict(others)
    end = clock.monotonic() + timeout
    while waiting:
        for server, directory in list(waiting.items()):
            looks[server] += 1
            if _has_arrived(arrived, server, directory):
                del waiting[server]
        progress.reached(f"domain controllers hold {subject} as it is to be", len(others) - len(waiting), len(others))
        left = end - clock.monotonic()
        if waiting and left <= 0:
            raise DirectoryError(
                _TRIED,
                on="; ".join(waiting),
                got=f"after {timeout:g} seconds they still hold another state of {subject}",
                advice="What was to be written is written. Look at the replication between them, then run again, or "
                "give it more time with replication_timeout.",
            )
        if waiting:
            clock.sleep(min(PAUSE, left))
    return looks


def _has_arrived(arrived: Callable[[Directory], bool], server: str, directory: Directory) -> bool:
    try:
        return arrived(directory)
    except DirectoryError as problem:
        advice = f"{problem.advice} What was to be written is written.".lstrip()
        raise DirectoryError(_TRIED, on=server, got=problem.got, advice=advice, code=problem.code) from problem
