# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations reads: units and what is above them, tokens of accounts, trustees, classes, quota."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    AllOf,
    AnyOf,
    Directory,
    Entry,
    Equals,
    Filter,
    Present,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import Key, read_by_name
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import (
    Account,
    AccountName,
    Domain,
    Principal,
    Token,
    Trustee,
    token_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, passes_on
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    WRITE_DACL,
    OrganizationalUnit,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import (
    ALWAYS_HELD,
    Sid,
    is_of_a_domain,
    was_given_by,
    well_known_name,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import Unit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import Holder
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS, Part, Right
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    ACCOUNT_DISABLED,
    CLASSES,
)

CHUNK = 50  # accounts in one search; measured: fewer cost round trips, more cost the server time for the filter
_UNIT = ("objectClass", "sDRightsEffective", "nTSecurityDescriptor")
_PRINCIPAL = ("sAMAccountName", "userPrincipalName", "objectSid", "primaryGroupID")


class Domains:
    """The domain of one domain controller, read when first asked for, and what is looked up in it."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        root = root_dse(directory, "defaultNamingContext", "configurationNamingContext", "schemaNamingContext")
        self.base = root.text("defaultNamingContext")
        self._configuration = root.text("configurationNamingContext")
        self._schema = root.text("schemaNamingContext")
        self._domain: Domain | None = None

    @property
    def domain(self) -> Domain:
        """Names of the domain, from its cross reference (MS-ADTS 6.1.1.2.1.1.2)."""
        if self._domain is None:
            found = self.directory.search(
                f"CN=Partitions,{self._configuration}",
                Equals("nCName", self.base),
                ["nETBIOSName", "dnsRoot"],
                scope="level",
            )
            entry = found[0] if found else Entry("", {})
            self._domain = Domain(self.base, entry.text("nETBIOSName"), entry.text("dnsRoot"))
        return self._domain

    @property
    def schema(self) -> str:
        """DN of the schema."""
        return self._schema

    def well_known(self, guid: str) -> str:
        """Return the DN of a container by its well-known GUID (MS-ADTS 6.1.1.4), "" when the domain has none."""
        attributes = ["wellKnownObjects", "otherWellKnownObjects"]
        found = self.directory.search(self.base, ANYTHING, attributes, scope="base")
        values = found[0].texts("wellKnownObjects") + found[0].texts("otherWellKnownObjects") if found else ()
        parts = (value.split(":", 3) for value in values)
        return next((part[3] for part in parts if len(part) == 4 and part[2].upper() == guid), "")

    def check_class(self, name: str, guid: uuid.UUID) -> None:
        """Compare the GUID of a class with the schema of this directory.

        Raises:
            DirectoryError: They differ, or the schema cannot be read. Nothing may be delegated then.

        """
        found = self.directory.search(self._schema, Equals("lDAPDisplayName", name), ["schemaIDGUID"], scope="level")
        actual = found[0].one("schemaIDGUID") if len(found) == 1 else None
        if actual != guid.bytes_le:
            shown = uuid.UUID(bytes_le=actual) if actual and len(actual) == 16 else "nothing"
            raise DirectoryError(
                f"check the class {name} against the schema",
                on=self._schema,
                got=f"the schema says {shown}, expected {guid}",
                advice="The account may not read the schema, or this is not Active Directory. Nothing was changed.",
            )


def find_units(domains: Domains, requested: Sequence[str], names: Sequence[Dn]) -> tuple[OrganizationalUnit, ...]:
    """Look for units by DN, with what a delegation needs to know of each, in few searches.

    Args:
        domains: Where to look.
        requested: The names as the user wrote them, for the answer.
        names: The same, parsed.

    """
    entries = read_by_name(domains.directory, names, _UNIT)
    missing = [name for name in names if name.key not in entries]
    above = read_by_name(domains.directory, _ancestors(missing), ("objectClass",)) if missing else {}
    return tuple(
        _unit(text, entries[name.key]) if name.key in entries else _absent(text, name, above)
        for text, name in zip(requested, names, strict=True)
    )


def resolve_accounts(domains: Domains, names: Sequence[str], *, must_exist: bool = True) -> tuple[Account, ...]:
    """Find the one account that each name means; each account once, in the order of the names.

    Args:
        domains: Where to look.
        names: As users write them (see AccountName).
        must_exist: When False, a SID without an object is taken as it is (the account was deleted).

    Raises:
        InvalidInput: A name is of no known form.
        DirectoryError: Names every one that means no account, or more than one.

    """
    wanted = [AccountName.parse(name) for name in names]
    if not wanted:
        return ()
    principals = _principals(domains, wanted)
    found: dict[Sid, Account] = {}
    findings = []
    for name in wanted:
        chosen = name.chosen_from(principals, domains.domain)
        if len(chosen) == 1:
            found.setdefault(chosen[0].sid, _account(chosen[0], domains.domain))
        elif name.sid and not chosen and not must_exist:
            found.setdefault(name.sid, Account(str(name.sid), name.sid))
        else:
            findings.append(_finding(name, chosen, domains.domain))
    if findings:
        raise DirectoryError("find the accounts", got="; ".join(findings), advice="Nothing was changed.")
    return tuple(found.values())


def _principals(domains: Domains, names: Sequence[AccountName]) -> list[Principal]:
    wheres = [part for name in names for part in _wheres(name)]
    entries: dict[str, Entry] = {}
    for chunk in _chunks(wheres):
        where = AllOf((Present("objectSid"), AnyOf(tuple(chunk))))
        entries |= {entry.dn: entry for entry in domains.directory.search(domains.base, where, _PRINCIPAL)}
    return [
        Principal(
            entry.dn,
            entry.text("sAMAccountName"),
            entry.text("userPrincipalName"),
            Sid.from_bytes(entry.one("objectSid") or b""),
            entry.number("primaryGroupID"),
        )
        for entry in entries.values()
    ]


def _wheres(name: AccountName) -> Iterator[Filter]:
    if name.sid:
        yield Equals("objectSid", name.sid.to_bytes())
    if name.dn:
        yield Equals("distinguishedName", str(name.dn))
    if name.is_upn:
        yield Equals("userPrincipalName", name.text.strip())
    yield from (Equals("sAMAccountName", sam) for sam in name.sam_names)


def _account(principal: Principal, domain: Domain) -> Account:
    group = None if principal.primary_group_id is None else principal.sid.sibling(principal.primary_group_id)
    sam, sid = principal.sam, principal.sid
    name = f"{domain.netbios}\\{sam}" if sam else well_known_name(sid) or str(sid)
    return Account(name, sid, group, principal.dn)


def _finding(name: AccountName, chosen: Sequence[Principal], domain: Domain) -> str:
    if chosen:
        return f"{name.text}: it means more than one account ({', '.join(p.dn for p in chosen)})"
    if name.domain and not name.is_upn and not domain.is_called(name.domain):
        return f"{name.text}: this domain controller holds {domain.netbios} ({domain.dns_name}), not {name.domain}"
    return f"{name.text}: there is no such account in {domain.dns_name}"


def _ancestors(names: Sequence[Dn]) -> list[Dn]:
    above: dict[object, Dn] = {}
    for name in names:
        parent = name.parent
        while parent:
            above[parent.key] = parent
            parent = parent.parent
    return list(above.values())


def _absent(text: str, name: Dn, above: Mapping[Key, Entry]) -> OrganizationalUnit:
    parent = name.parent
    while parent and parent.key not in above:
        parent = parent.parent
    return OrganizationalUnit(text, str(name), False, nearest=above[parent.key].dn if parent else "")


def _unit(text: str, entry: Entry) -> OrganizationalUnit:
    return OrganizationalUnit(
        text,
        entry.dn,
        True,
        (entry.texts("objectClass") or ("",))[-1],
        bool((entry.number("sDRightsEffective") or 0) & WRITE_DACL),
        entry.one("nTSecurityDescriptor"),
    )


def _chunks(parts: Sequence[Filter]) -> Iterator[Sequence[Filter]]:
    for start in range(0, len(parts), CHUNK):
        yield parts[start : start + CHUNK]


def check_pinned(domains: Domains, rights: Iterable[Right]) -> None:
    """Compare the pinned GUIDs with the schema and the extended rights of this directory.

    Raises:
        DirectoryError: They differ, or cannot be read. Nothing may be delegated then.

    """
    parts = {part.object_type: part for right in rights for part in right.parts}
    domains.check_class("computer", COMPUTER_CLASS)
    extended = [part for guid, part in parts.items() if guid != COMPUTER_CLASS]
    if not extended:
        return
    root = root_dse(domains.directory, "configurationNamingContext").text("configurationNamingContext")
    where = AnyOf(tuple(Equals("rightsGuid", str(part.object_type)) for part in extended))
    base = f"CN=Extended-Rights,{root}"
    found = domains.directory.search(base, where, ["rightsGuid", "validAccesses", "appliesTo"], scope="level")
    for part in extended:
        if not any(_says(entry, part) for entry in found):
            raise DirectoryError(
                f"check the extended right {part.name}",
                on=base,
                got=f"no right {part.object_type} that computers have and that allows 0x{part.mask:x} is there",
                advice="The account may not read it, or this is not Active Directory. Nothing was changed.",
            )


def _says(entry: Entry, part: Part) -> bool:
    """Say whether an entry of the extended rights describes that part (MS-ADTS 5.1.3.2.1)."""
    here = entry.text("rightsGuid").casefold() == str(part.object_type)
    computers = str(COMPUTER_CLASS) in (text.casefold() for text in entry.texts("appliesTo"))
    return here and computers and bool((entry.number("validAccesses") or 0) & part.mask)


def domain_sid(domains: Domains) -> Sid:
    """Return a SID of the domain with the length of an account's: its last part is 0.

    Raises:
        DirectoryError: The domain does not say.

    """
    found = domains.directory.search(domains.base, ANYTHING, ["objectSid"], scope="base")
    data = found[0].one("objectSid") if found else None
    if data is None:
        raise DirectoryError("read the SID of the domain", on=domains.base, got="it has none that may be read")
    sid = Sid.from_bytes(data)
    return Sid(sid.authority, (*sid.sub_authorities, 0))


def holders_of(domains: Domains, sids: Iterable[Sid]) -> dict[Sid, Holder | None]:
    """Look up who has these SIDs; None for a SID that no object of this domain has."""
    wanted = list(sids)
    found: dict[Sid, Holder | None] = dict.fromkeys(wanted)
    for start in range(0, len(wanted), CHUNK):
        where = AnyOf(tuple(Equals("objectSid", sid.to_bytes()) for sid in wanted[start : start + CHUNK]))
        for entry in domains.directory.search(domains.base, where, ["objectSid", "sAMAccountName", "objectClass"]):
            sam = entry.text("sAMAccountName")
            kind = (entry.texts("objectClass") or ("",))[-1]
            name = f"{domains.domain.netbios}\\{sam}" if sam else entry.dn
            found[Sid.from_bytes(entry.one("objectSid") or b"")] = Holder(name, sam, kind)
    return found


def with_groups(domains: Domains, accounts: Sequence[Account]) -> tuple[Account, ...]:
    """Return the accounts with all they are in, nested and built-in groups too, as the directory computes it.

    Raises:
        DirectoryError: Names every account whose groups may not be read. What denies something to a group would not be
            seen then.

    """
    known = tokens(domains, accounts)
    # What has a primary group is in that at least.
    unread = [token.account.name for token in known if token.account.primary_group and not token.complete]
    if unread:
        raise DirectoryError(
            "read the groups of the accounts",
            on="; ".join(unread),
            got="tokenGroups may not be read",
            advice="They matter where an entry denies somebody something about computers, as on one of these units. "
            "Let the account that is used here read tokenGroups of these accounts. Nothing was changed.",
        )
    return tuple(replace(token.account, groups=token.sids) for token in known)


class Origins:
    """Says which object above a unit an inherited entry comes from; reads what is above when first asked."""

    def __init__(self, domains: Domains, unit: str, cache: dict[object, list[tuple[str, SecurityDescriptor]]]) -> None:
        self._domains = domains
        self._parent = Dn.parse(unit).parent
        self._cache = cache

    def __call__(self, rule: AccessRule) -> str:
        """Return the DN of the nearest object that passes the entry on; "above" when none that is read does."""
        for dn, descriptor in self._above():
            own = (AccessRule.from_ace(ace) for ace in (descriptor.dacl.aces if descriptor.dacl else ()))
            to_child = self._parent is not None and Dn.parse(dn).key == self._parent.key
            if any(r is not None and passes_on(r, rule, to_child=to_child) for r in own):
                return dn
        return "above"

    def _above(self) -> list[tuple[str, SecurityDescriptor]]:
        if self._parent is None:
            return []
        key = self._parent.key
        if key not in self._cache:
            names = []
            name: Dn | None = self._parent
            base = Dn.parse(self._domains.base)
            while name is not None and name.is_within(base):
                names.append(name)
                name = name.parent
            units = find_units(self._domains, list(map(str, names)), names)
            self._cache[key] = [(u.dn, SecurityDescriptor.of(u.dn, u.descriptor)) for u in units if u.descriptor]
        return self._cache[key]


_AUDITED = ("objectClass", "nTSecurityDescriptor")
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
    return [_audited_unit(entry) for entry in directory.search(str(base), where, _AUDITED, dacl=True, owner=True)]


def units_named(domains: Domains, names: Iterable[Dn]) -> dict[object, Unit]:
    """Return those of the objects that exist, with owner and access list, by Dn.key."""
    base = Dn.parse(domains.base)
    wheres = [Equals("distinguishedName", str(name)) for name in names if name.is_within(base)]
    found: dict[object, Unit] = {}
    for part in _chunks_of(wheres):
        entries = domains.directory.search(domains.base, AnyOf(part), _AUDITED, dacl=True, owner=True)
        found |= {Dn.parse(entry.dn).key: _audited_unit(entry) for entry in entries}
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
    for part in _chunks_of(wheres):
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
    for part in _chunks_of(wheres):
        for entry in domains.directory.search(domains.base, AllOf((Present("objectSid"), AnyOf(part))), _TRUSTEE):
            trustee = _trustee(entry, domains)
            found[trustee.sid] = trustee
    return found | {sid: _absent_trustee(sid, domain) for sid in wanted - set(found)}


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
            for part in _chunks_of(new)
            for entry in domains.directory.search(domains.base, AnyOf(part), ["memberOf", "objectSid"])
        ]
        seen |= {Dn.parse(entry.dn).key: entry for entry in members}
    return [Sid.from_bytes(sid) for entry in seen.values() for sid in entry.all("objectSid")]


def _audited_unit(entry: Entry) -> Unit:
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


def _absent_trustee(sid: Sid, domain: Sid | None) -> Trustee:
    ours = domain is not None and was_given_by(sid, domain.sub_authorities)
    return Trustee(sid, str(sid), "orphan" if ours else "foreign")


def _chunks_of(parts: Sequence[Filter]) -> Iterator[tuple[Filter, ...]]:
    for start in range(0, len(parts), CHUNK):
        yield tuple(parts[start : start + CHUNK])
