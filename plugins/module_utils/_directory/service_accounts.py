# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Managed service accounts: read, written, awaited on other domain controllers; and the KDS root keys they need."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    NO_SUCH_OBJECT,
    AnyOf,
    Directory,
    Entry,
    Equals,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import (
    Clock,
    Progress,
    from_filetime,
    from_generalized,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    CLASSES,
    CONTAINER_GUID,
    ServiceAccount,
    ServiceAccountError,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    KeyVerdict,
    RootKey,
    assess_root_keys,
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
_ROOT_KEYS = "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services"
_WAITING = "see the account on the other domain controllers"
PAUSE = 1.0  # seconds between two looks at them


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


def sam_name_of(lookup: DomainLookup, name: AccountName) -> str | None:
    """Return the sAMAccountName (without the dollar sign) that a service account is meant by; None when nobody has it.

    A name is taken as it stands, whether there is such an account or not; a SID and a DN are looked up.

    Raises:
        DirectoryError: The name is one of another domain.
        ServiceAccountError: What has the SID or the DN is no account.
    """
    if name.domain and not lookup.domain.is_called(name.domain):
        got = lookup.domain.not_called(name.domain)
        raise DirectoryError("find the managed service account", on=name.text, got=got, advice="Nothing was changed.")
    if name.sam:
        return name.sam.removesuffix("$")
    where = Equals("objectSid", name.sid.to_bytes()) if name.sid else Equals("distinguishedName", str(name.dn))
    for entry in lookup.directory.search(lookup.base, where, ["objectClass", "sAMAccountName"]):
        if not entry.text("sAMAccountName").endswith("$"):
            raise ServiceAccountError(
                f"use {name.text} as a managed service account", on=entry.dn, got=f"it is of class {_class(entry)}"
            )
        return entry.text("sAMAccountName").removesuffix("$")
    return None


def list_service_accounts(
    lookup: DomainLookup, base: str, kinds: Sequence[str], names: Sequence[AccountName]
) -> list[ServiceAccount]:
    """Return the managed service accounts below a base, by name.

    They are searched by their own classes: (objectClass=computer) would find computers beside them.

    Args:
        lookup: Where to look.
        base: A distinguished name.
        kinds: Of CLASSES.
        names: In those that are no SID or DN, ``*`` and ``?`` stand for other characters. All when empty.

    Raises:
        DirectoryError: With code 32 when there is no such base.
    """
    where = AnyOf(tuple(Equals("objectClass", CLASSES[kind]) for kind in kinds))
    found = map(_service_account, lookup.directory.search(base, where, _ATTRIBUTES))
    chosen = [account for account in found if not names or any(_is_meant(lookup, name, account) for name in names)]
    return sorted(chosen, key=lambda account: (account.name.casefold(), account.dn))


def _is_meant(lookup: DomainLookup, name: AccountName, account: ServiceAccount) -> bool:
    if name.sid:
        return account.sid == name.sid
    if name.dn:
        return Dn.parse(account.dn).key == name.dn.key
    here = not name.domain or lookup.domain.is_called(name.domain)
    return here and fnmatch.fnmatchcase(account.name.casefold(), name.sam.removesuffix("$").casefold())


def find_container(lookup: DomainLookup, path: str | None) -> Dn:
    """Return the container for new service accounts: the one given, or the default one of the domain.

    Raises:
        DirectoryError: There is no such container.
    """
    if not path:
        default = lookup.well_known(CONTAINER_GUID)
        if default:
            return Dn.parse(default)
        raise DirectoryError(
            "find the container of managed service accounts",
            on=lookup.base,
            got="the domain names none",
            advice="Set path.",
        )
    try:
        found = lookup.directory.search(path, ANYTHING, ["objectClass"], scope="base")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        found = []
    if not found:
        raise DirectoryError("find the container", on=path, got="there is no such object", advice="Correct path.")
    return Dn.parse(found[0].dn)


def refuse_taken(lookup: DomainLookup, dn: str) -> None:
    """Raise ServiceAccountError when an object has this name, under which a service account is to be made."""
    where = Equals("distinguishedName", dn)
    for entry in lookup.directory.search(lookup.base, where, ["objectClass", "sAMAccountName"]):
        raise ServiceAccountError(
            "create the managed service account",
            on=dn,
            got=f"the place is taken by {entry.text('sAMAccountName') or 'an object'} of class {_class(entry)}",
            advice="Take another name or another path, or look at that object first.",
        )


def _class(entry: Entry) -> str:
    return (entry.texts("objectClass") or ("unknown",))[-1]


def _kind(entry: Entry) -> str:
    classes = entry.texts("objectClass")
    return next((kind for kind, name in CLASSES.items() if name in classes), "")


def _service_account(entry: Entry) -> ServiceAccount:
    kind, membership = _kind(entry), entry.one("msDS-GroupMSAMembership")
    if not kind:
        raise DirectoryError("read objectClass", on=entry.dn, got="it is not that of a managed service account")
    return ServiceAccount(
        dn=entry.dn,
        name=entry.text("sAMAccountName").removesuffix("$"),
        sid=entry.required_sid(),
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
    place = f"{_ROOT_KEYS},{root.text('configurationNamingContext')}"
    try:
        found = directory.search(place, ANYTHING, ["msKds-UseStartTime"], scope="level")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        return assess_root_keys(None, now)
    keys = [RootKey(Dn.parse(e.dn).name, from_filetime(e.number("msKds-UseStartTime"))) for e in found]
    return assess_root_keys(keys, now)


def wait_for_others(
    others: Mapping[str, Directory], arrived: Callable[[Directory], bool], subject: str, timeout: float, clock: Clock
) -> dict[str, int]:
    """Look at open directories, each once at least, until ``arrived`` says of every one that it holds the subject.

    Returns how often each was looked at. ``timeout`` is in seconds, for all of them together.

    Raises:
        DirectoryError: Names the servers that did not have it in time, or the one that could not be asked.
    """
    looks = dict.fromkeys(others, 0)
    progress = Progress(clock)
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
                _WAITING,
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
        raise DirectoryError(_WAITING, on=server, got=problem.got, advice=advice, code=problem.code) from problem
