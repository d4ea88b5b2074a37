# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What the modules read and write in the directory: the domain, accounts, units, classes, well-known containers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.by_name import Key, read_by_name
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import (
    Directory,
    Entry,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import (
    ANYTHING,
    AllOf,
    AnyOf,
    Equals,
    Filter,
    Present,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.account_name import AccountName, Domain, Principal
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import (
    WRITE_DACL,
    OrganizationalUnit,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.well_known import well_known_name

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
