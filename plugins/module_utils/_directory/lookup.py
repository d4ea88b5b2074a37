# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Looking things up in one domain: its names, trustees by name and by SID, what they are in, what the schema says."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    AllOf,
    AnyOf,
    Directory,
    Entry,
    Equals,
    Filter,
    Present,
    chunks,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import (
    ACCOUNT_DISABLED,
    AccountName,
    Domain,
    Token,
    Trustee,
    kind_of,
    token_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, DnKey
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import (
    ALWAYS_HELD,
    Sid,
    is_of_a_domain,
    was_given_by,
    well_known_name,
)

CHUNK = 50  # objects in one search; measured: fewer cost round trips, more cost the server time for the filter
_TRUSTEE = (
    "objectClass",
    "objectSid",
    "sAMAccountName",
    "userPrincipalName",
    "dNSHostName",
    "primaryGroupID",
    "userAccountControl",
    "msDS-HostServiceAccountBL",
)
_BUILTIN = 32  # first sub-authority of built-in groups


class DomainLookup:
    """The domain of one domain controller; what it says of itself is read when first asked for."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        root = root_dse(directory, "defaultNamingContext", "configurationNamingContext", "schemaNamingContext")
        self.base = root.text("defaultNamingContext")
        self.configuration = root.text("configurationNamingContext")
        self.schema = root.text("schemaNamingContext")
        self._domain: Domain | None = None
        self._head: Entry | None = None

    @property
    def domain(self) -> Domain:
        """Names of the domain, from its cross reference (MS-ADTS 6.1.1.2.1.1.2)."""
        if self._domain is None:
            found = self.directory.search(
                f"CN=Partitions,{self.configuration}",
                Equals("nCName", self.base),
                ["nETBIOSName", "dnsRoot"],
                scope="level",
            )
            entry = found[0] if found else Entry("", {})
            self._domain = Domain(self.base, entry.text("nETBIOSName"), entry.text("dnsRoot"))
        return self._domain

    @property
    def head(self) -> Entry:
        """The domain object with objectSid and ms-DS-MachineAccountQuota, as far as they may be read."""
        if self._head is None:
            attributes = ["objectSid", "ms-DS-MachineAccountQuota"]
            found = self.directory.search(self.base, ANYTHING, attributes, scope="base")
            self._head = found[0] if found else Entry("", {})
        return self._head

    def require_sid(self) -> None:
        """See that the domain tells its SID: without it, a SID of a deleted account looks like one of another domain.

        Raises:
            DirectoryError: It does not.
        """
        if self.head.one("objectSid") is None:
            raise DirectoryError("read the SID of the domain", on=self.base, got="it has none that may be read")

    def well_known(self, guid: str) -> str:
        """Return the DN of a container by its well-known GUID (MS-ADTS 6.1.1.4), "" when the domain has none."""
        attributes = ["wellKnownObjects", "otherWellKnownObjects"]
        found = self.directory.search(self.base, ANYTHING, attributes, scope="base")
        values = found[0].texts("wellKnownObjects") + found[0].texts("otherWellKnownObjects") if found else ()
        parts = (value.split(":", 3) for value in values)
        return next((part[3] for part in parts if len(part) == 4 and part[2].upper() == guid), "")

    def any_of(self, parts: Sequence[Filter], attributes: Sequence[str], *, also: Filter) -> Iterator[Entry]:
        """Search the domain for the objects to which any of these parts applies, and ``also`` too.

        No filter grows too long: there is one search for each CHUNK parts, none without a part.
        """
        for some in chunks(parts, CHUNK):
            yield from self.directory.search(self.base, AllOf((also, AnyOf(tuple(some)))), attributes)


def resolve(
    lookup: DomainLookup, names: Sequence[str], *, computers: bool = False, must_exist: bool = True
) -> tuple[Trustee, ...]:
    """Find the one account that each name means; each account once, in the order of the names.

    Args:
        lookup: Where to look.
        names: As users write them (see AccountName).
        computers: Only computers count; a managed service account is none, though of that class.
        must_exist: When False, a SID without an object is taken as it is (the account was deleted), and a computer
            without an object is left out.

    Raises:
        InvalidInput: A name is of no known form.
        DirectoryError: Names every one that means no account, or more than one.
    """
    wanted = [AccountName.parse(name) for name in names]
    known = _named(lookup, wanted)
    eligible = [one for one in known if one.kind == "computer" or not computers]
    found: dict[Sid, Trustee] = {}
    findings = []
    for name in wanted:
        chosen = name.among(eligible, lookup.domain)
        if len(chosen) == 1:
            found.setdefault(chosen[0].sid, chosen[0])
        elif chosen or must_exist or not (computers or name.sid):
            findings.append(_finding(lookup, name, chosen, "computer" if computers else "account"))
        elif name.sid and not computers:
            found.setdefault(name.sid, Trustee(name.sid, str(name.sid)))
    if findings:
        what = "hosts" if computers else "accounts"
        raise DirectoryError(f"find the {what}", got="; ".join(findings), advice="Nothing was changed.")
    return tuple(found.values())


def _named(lookup: DomainLookup, names: Sequence[AccountName]) -> list[Trustee]:
    parts = [part for name in names for part in _parts(name)]
    entries = {entry.dn: entry for entry in lookup.any_of(parts, _TRUSTEE, also=Present("objectSid"))}
    return [_trustee(lookup, entry) for entry in entries.values()]


def _parts(name: AccountName) -> Iterator[Filter]:
    if name.sid:
        yield Equals("objectSid", name.sid.to_bytes())
    if name.dn:
        yield Equals("distinguishedName", str(name.dn))
    if name.is_upn:
        yield Equals("userPrincipalName", name.text)
    if name.host_name:
        yield Equals("dNSHostName", name.host_name)
    yield from (Equals("sAMAccountName", sam) for sam in name.sam_names)


def _finding(lookup: DomainLookup, name: AccountName, chosen: Sequence[Trustee], what: str) -> str:
    domain = lookup.domain
    if chosen:
        return f"{name.text}: it means more than one {what} ({', '.join(one.dn for one in chosen)})"
    if name.domain and not name.is_upn and not domain.is_called(name.domain):
        return f"{name.text}: {domain.not_called(name.domain)}"
    return f"{name.text}: there is no such {what} in {domain.dns_name}"


def trustees_of(lookup: DomainLookup, sids: Iterable[Sid]) -> dict[Sid, Trustee]:
    """Return whom each SID means; one that no object of this domain has is an "orphan" of it, or "foreign"."""
    wanted = sorted(set(sids), key=str)
    found = {sid: Trustee(sid, name, "well_known") for sid in wanted if (name := well_known_name(sid))}
    parts = [Equals("objectSid", sid.to_bytes()) for sid in wanted if sid not in found]
    for entry in lookup.any_of(parts, _TRUSTEE, also=Present("objectSid")):
        trustee = _trustee(lookup, entry)
        found[trustee.sid] = trustee
    return found | {sid: _absent(lookup, sid) for sid in wanted if sid not in found}


def _trustee(lookup: DomainLookup, entry: Entry) -> Trustee:
    sid, classes = entry.required_sid(), entry.texts("objectClass")
    sam, group = entry.text("sAMAccountName"), entry.number("primaryGroupID")
    if group is not None and not 0 <= group < 1 << 32:
        raise DirectoryError("read primaryGroupID", on=entry.dn, got=f"{group} is not a relative identifier")
    where = "BUILTIN" if sid.sub_authorities[:1] == (_BUILTIN,) else lookup.domain.netbios
    return Trustee(
        sid=sid,
        name=f"{where}\\{sam}" if sam else well_known_name(sid) or str(sid),
        kind=kind_of(classes),
        dn=entry.dn,
        sam=sam,
        upn=entry.text("userPrincipalName"),
        dns_host_name=entry.text("dNSHostName"),
        object_class=(classes or ("",))[-1],
        primary_group=None if group is None else sid.sibling(group),
        hosts=len(entry.all("msDS-HostServiceAccountBL")),
        enabled=not (entry.number("userAccountControl") or 0) & ACCOUNT_DISABLED,
    )


def _absent(lookup: DomainLookup, sid: Sid) -> Trustee:
    domain = lookup.head.sid("objectSid")
    ours = domain is not None and was_given_by(sid, domain.sub_authorities)
    return Trustee(sid, str(sid), "orphan" if ours else "foreign")


def tokens_of(lookup: DomainLookup, accounts: Sequence[Trustee]) -> tuple[Token, ...]:
    """Return the token of each account: one search for each, because tokenGroups has to be asked for one by one."""
    if not accounts:
        return ()
    by_everyone = _groups_of_everyone(lookup)
    certain = [sid for sid in by_everyone if not is_of_a_domain(sid) or sid.sub_authorities[0] == _BUILTIN]
    return tuple(
        token_of(account, _memberships(lookup, account), by_everyone=certain, doubtful=by_everyone)
        for account in accounts
    )


def complete_tokens_of(lookup: DomainLookup, accounts: Sequence[Trustee]) -> tuple[Token, ...]:
    """Return the token of each account, with all that it is in, nested and built-in groups too.

    Raises:
        DirectoryError: Names every account whose groups may not be read. What denies something to a group would not be
            seen then.
    """
    tokens = tokens_of(lookup, accounts)
    # What has a primary group is in that at least.
    unread = [token.account.name for token in tokens if token.account.primary_group and not token.complete]
    if unread:
        raise DirectoryError(
            "read the groups of the accounts",
            on="; ".join(unread),
            got="tokenGroups may not be read",
            advice="They matter where an entry denies somebody something about computers, as on one of these units. "
            "Let the account that is used here read tokenGroups of these accounts. Nothing was changed.",
        )
    return tokens


def _memberships(lookup: DomainLookup, account: Trustee) -> list[Sid] | None:
    found = lookup.directory.search(account.dn, ANYTHING, ["tokenGroups", "sIDHistory"], scope="base")
    groups = found[0].sids("tokenGroups") if found else ()
    # Every account has at least its primary group: no value means that it may not be read.
    return [*groups, *found[0].sids("sIDHistory")] if groups else None


def _groups_of_everyone(lookup: DomainLookup) -> list[Sid]:
    """Return the groups that Everyone, Authenticated Users and their like are in, directly or through others."""
    attributes = ["memberOf", "objectSid"]
    seen: dict[DnKey, Entry] = {}
    parts: list[Filter] = [Equals("objectSid", sid.to_bytes()) for sid in sorted(ALWAYS_HELD, key=str)]
    members = list(lookup.any_of(parts, attributes, also=ANYTHING))
    while members:
        names = {Dn.parse(dn).key: dn for entry in members for dn in entry.texts("memberOf")}
        parts = [Equals("distinguishedName", dn) for key, dn in names.items() if key not in seen]
        members = list(lookup.any_of(parts, attributes, also=ANYTHING))
        seen |= {Dn.parse(entry.dn).key: entry for entry in members}
    return [sid for entry in seen.values() for sid in entry.sids("objectSid")]


def class_names(lookup: DomainLookup, guids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the names of the classes with these schemaIDGUIDs."""
    parts = [Equals("schemaIDGUID", guid.bytes_le) for guid in guids]
    attributes = ["schemaIDGUID", "lDAPDisplayName"]
    names: dict[uuid.UUID, str] = {}
    for some in chunks(parts, CHUNK):
        where = AllOf((Equals("objectClass", "classSchema"), AnyOf(tuple(some))))
        for entry in lookup.directory.search(lookup.schema, where, attributes, scope="level"):
            names[entry.guid("schemaIDGUID") or uuid.UUID(int=0)] = entry.text("lDAPDisplayName")
    return names


def check_class(lookup: DomainLookup, name: str, guid: uuid.UUID) -> None:
    """Compare the GUID of a class with the schema of this directory.

    Raises:
        DirectoryError: They differ, or the schema cannot be read. Nothing may be delegated then.
    """
    schema = lookup.schema
    found = lookup.directory.search(schema, Equals("lDAPDisplayName", name), ["schemaIDGUID"], scope="level")
    actual = found[0].one("schemaIDGUID") if len(found) == 1 else None
    if actual != guid.bytes_le:
        shown = uuid.UUID(bytes_le=actual) if actual and len(actual) == 16 else "nothing"
        raise DirectoryError(
            f"check the class {name} against the schema",
            on=schema,
            got=f"the schema says {shown}, expected {guid}",
            advice="The account may not read the schema, or this is not Active Directory. Nothing was changed.",
        )


def check_extended_rights(
    lookup: DomainLookup, rights: Sequence[tuple[uuid.UUID, int, str]], object_class: uuid.UUID
) -> None:
    """Compare pinned GUIDs with the extended rights of this directory (MS-ADTS 5.1.3.2.1).

    Args:
        lookup: Where to look.
        rights: GUID, access mask and name of each.
        object_class: GUID of the class that has to have them.

    Raises:
        DirectoryError: They differ, or cannot be read. Nothing may be delegated then.
    """
    if not rights:
        return
    where = AnyOf(tuple(Equals("rightsGuid", str(guid)) for guid, mask, name in rights))
    base = f"CN=Extended-Rights,{lookup.configuration}"
    found = lookup.directory.search(base, where, ["rightsGuid", "validAccesses", "appliesTo"], scope="level")
    allowed: Counter[tuple[str, str]] = Counter()  # a validated write and a property set may have the same GUID
    for entry in found:
        for applies_to in entry.texts("appliesTo"):
            allowed[entry.text("rightsGuid").casefold(), applies_to.casefold()] |= entry.number("validAccesses") or 0
    for guid, mask, name in rights:
        if not allowed[str(guid), str(object_class)] & mask:
            raise DirectoryError(
                f"check the extended right {name}",
                on=base,
                got=f"no right {guid} that computers have and that allows 0x{mask:x} is there",
                advice="The account may not read it, or this is not Active Directory. Nothing was changed.",
            )
