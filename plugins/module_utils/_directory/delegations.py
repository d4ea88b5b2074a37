# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations reads: units and what is above them, tokens of accounts, trustees, classes, quota."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory, Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import (
    ANYTHING,
    AllOf,
    AnyOf,
    Equals,
    Filter,
    Present,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import CHUNK, Domains
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_token import Token, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_survey import Trustee, Unit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import ACCOUNT_DISABLED, CLASSES
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.well_known import (
    ALWAYS_HELD,
    is_of_a_domain,
    was_given_by,
    well_known_name,
)

_UNIT = ("objectClass", "nTSecurityDescriptor")
_TRUSTEE = ("objectClass", "objectSid", "sAMAccountName", "userAccountControl", "msDS-HostServiceAccountBL")
# lDAPDisplayName of the class -> kind; the first that an object has. A computer is what has none before "computer":
# managed service accounts are computers too, as far as their classes go.
_KINDS = {
    **{name: f"{kind}_service_account" for kind, name in CLASSES.items()},
    "msDS-DelegatedManagedServiceAccount": "delegated_service_account",
    "computer": "computer",
    "user": "user",
    "group": "group",
}


def units_below(directory: Directory, base: Dn) -> list[Unit]:
    """Return the organizational units at or below an object, with owner and access list.

    Raises:
        DirectoryError: With code 32 when there is no such object.

    """
    where = Equals("objectClass", "organizationalUnit")
    return [_unit(entry) for entry in directory.search(str(base), where, _UNIT, dacl=True, owner=True)]


def units_named(domains: Domains, names: Iterable[Dn]) -> dict[object, Unit]:
    """Return those of the objects that exist, with owner and access list, by Dn.key."""
    base = Dn.parse(domains.base)
    wheres = [Equals("distinguishedName", str(name)) for name in names if name.is_within(base)]
    found: dict[object, Unit] = {}
    for part in _chunks(wheres):
        entries = domains.directory.search(domains.base, AnyOf(part), _UNIT, dacl=True, owner=True)
        found |= {Dn.parse(entry.dn).key: _unit(entry) for entry in entries}
    return found


def domain_head(domains: Domains) -> tuple[Sid | None, int | None]:
    """Return the SID of the domain and its ms-DS-MachineAccountQuota, None for what it has not or may not be read."""
    attributes = ["objectSid", "ms-DS-MachineAccountQuota"]
    found = domains.directory.search(domains.base, ANYTHING, attributes, scope="base")
    head = found[0] if found else Entry("", {})
    sid = head.one("objectSid")
    return Sid.from_bytes(sid) if sid else None, head.number("ms-DS-MachineAccountQuota")


def class_names(domains: Domains, guids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of the classes with these schemaIDGUIDs."""
    wheres = [Equals("schemaIDGUID", guid.bytes_le) for guid in guids]
    names: dict[uuid.UUID, str] = {}
    for part in _chunks(wheres):
        where = AllOf((Equals("objectClass", "classSchema"), AnyOf(part)))
        for entry in domains.directory.search(
            domains.schema, where, ["schemaIDGUID", "lDAPDisplayName"], scope="level"
        ):
            names[uuid.UUID(bytes_le=entry.one("schemaIDGUID") or bytes(16))] = entry.text("lDAPDisplayName")
    return names


def trustees(domains: Domains, sids: Iterable[Sid], domain: Sid | None) -> dict[Sid, Trustee]:
    """Return whom each SID means.

    Args:
        domains: Where to look.
        sids: The SIDs.
        domain: SID of the domain, to tell a SID of it that has no object from one of another domain.

    """
    wanted = set(sids)
    found = {sid: Trustee(sid, well_known_name(sid), "well_known") for sid in wanted if well_known_name(sid)}
    wheres = [Equals("objectSid", sid.to_bytes()) for sid in sorted(wanted - set(found), key=str)]
    for part in _chunks(wheres):
        for entry in domains.directory.search(domains.base, AllOf((Present("objectSid"), AnyOf(part))), _TRUSTEE):
            trustee = _trustee(entry, domains)
            found[trustee.sid] = trustee
    return found | {sid: _absent(sid, domain) for sid in wanted - set(found)}


def tokens(domains: Domains, accounts: Sequence[Account]) -> tuple[Token, ...]:
    """Return the token of each account: one search for each, because tokenGroups has to be asked for one by one."""
    if not accounts:
        return ()
    by_everyone = _groups_of_everyone(domains)
    certain = [sid for sid in by_everyone if not is_of_a_domain(sid) or sid.sub_authorities[0] == 32]
    return tuple(
        token_of(account, _memberships(domains, account), by_everyone=certain, doubtful=by_everyone)
        for account in accounts
    )


def _memberships(domains: Domains, account: Account) -> list[Sid] | None:
    found = domains.directory.search(account.dn, ANYTHING, ["tokenGroups", "sIDHistory"], scope="base")
    groups = found[0].all("tokenGroups") if found else ()
    # Every account has at least its primary group: no value means that it may not be read.
    return [Sid.from_bytes(value) for value in (*groups, *found[0].all("sIDHistory"))] if groups else None


def _groups_of_everyone(domains: Domains) -> list[Sid]:
    """Return the groups that Everyone, Authenticated Users and their like are in, directly or through others."""
    where: Filter = AnyOf(tuple(Equals("objectSid", sid.to_bytes()) for sid in sorted(ALWAYS_HELD, key=str)))
    seen: dict[object, Entry] = {}
    members = domains.directory.search(domains.base, where, ["memberOf", "objectSid"])
    while members:
        names = {Dn.parse(dn).key: dn for entry in members for dn in entry.texts("memberOf")}
        new = [Equals("distinguishedName", dn) for key, dn in names.items() if key not in seen]
        members = [
            entry
            for part in _chunks(new)
            for entry in domains.directory.search(domains.base, AnyOf(part), ["memberOf", "objectSid"])
        ]
        seen |= {Dn.parse(entry.dn).key: entry for entry in members}
    return [Sid.from_bytes(sid) for entry in seen.values() for sid in entry.all("objectSid")]


def _unit(entry: Entry) -> Unit:
    data = entry.one("nTSecurityDescriptor")
    descriptor = None if data is None else SecurityDescriptor.of(entry.dn, data)
    return Unit(entry.dn, (entry.texts("objectClass") or ("",))[-1], descriptor)


def _trustee(entry: Entry, domains: Domains) -> Trustee:
    sid = Sid.from_bytes(entry.one("objectSid") or b"")
    classes = entry.texts("objectClass")
    kind = next((kind for name, kind in _KINDS.items() if name in classes), "foreign")
    builtin = sid.sub_authorities[:1] == (32,)
    sam = entry.text("sAMAccountName") or str(sid)
    name = f"BUILTIN\\{sam}" if builtin else f"{domains.domain.netbios}\\{sam}" if sam != str(sid) else sam
    enabled = not (entry.number("userAccountControl") or 0) & ACCOUNT_DISABLED
    return Trustee(sid, name, kind, len(entry.all("msDS-HostServiceAccountBL")), enabled)


def _absent(sid: Sid, domain: Sid | None) -> Trustee:
    ours = domain is not None and was_given_by(sid, domain.sub_authorities)
    return Trustee(sid, str(sid), "orphan" if ours else "foreign")


def _chunks(parts: Sequence[Filter]) -> Iterator[tuple[Filter, ...]]:
    for start in range(0, len(parts), CHUNK):
        yield tuple(parts[start : start + CHUNK])
