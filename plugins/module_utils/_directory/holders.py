# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a delegation asks the directory beside units and accounts: GUIDs, holders of entries, groups, origins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry, root_dse
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.delegations import tokens
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import ANYTHING, AnyOf, Equals
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import CHUNK, Domains, find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_rights import (
    COMPUTER_CLASS,
    Part,
    Right,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_strangers import Holder
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_wish import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.inheritance import passes_on
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


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
