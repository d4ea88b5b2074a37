# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The states present, absent and exact of odj_ou_delegate."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.holders import (
    Origins,
    check_pinned,
    domain_sid,
    holders_of,
    with_groups,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, resolve_accounts
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import (
    Account,
    Delegation,
    Wish,
    compare,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_rights import Right
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_strangers import (
    Stranger,
    delegated_to,
    foreign_denials,
    strangers_among,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.settled import Settled
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.access_lists import AccessLists
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate_targets import Targets

NO_ACCOUNTS = "No account was given, so there is nothing to delegate yet."


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for, checked as far as that goes without a directory; named as the options."""

    accounts: Sequence[str]
    rights: tuple[Right, ...]
    state: str
    connector_accounts: Sequence[str]
    purge_orphans: bool
    canonicalize: bool


class OuDelegate:
    """Resolves and reads everything, compares, and writes the access lists that differ."""

    def __init__(self, directory: Directory, targets: Targets, request: Request, backup: RestoreFile | None) -> None:
        self._directory = directory
        self._targets = targets
        self._request = request
        self._backup = backup
        self._wish = Wish((), request.rights)
        self._above: dict[object, list[tuple[str, SecurityDescriptor]]] = {}
        self._found: dict[str, tuple[Delegation, ...]] = {}
        self._lists: AccessLists | None = None

    def plan(self) -> Plan:
        """Return one change for each unit whose access list differs.

        Raises:
            OdjError: A name means nothing, or a unit may not or must not be changed. Everything is read by then.

        """
        request, domains = self._request, Domains(self._directory)
        check_pinned(domains, request.rights)
        present = request.state != "absent"
        accounts = resolve_accounts(domains, request.accounts, must_exist=present)
        units = self._targets.find(domains)
        self._lists = AccessLists(domains, self._targets.username, self._backup)
        descriptors = self._lists.parse(units)
        if present and foreign_denials(descriptors):
            accounts = with_groups(domains, accounts)
        strangers = self._strangers(domains, accounts, descriptors)
        self._wish = Wish(accounts, request.rights, present, strangers, request.canonicalize)
        return self._lists.plan(units, self._comparison(domains))

    def apply(self, plan: Plan) -> None:
        """Write the access lists, each read back."""
        if self._lists:
            self._lists.apply(plan)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the state of each delegation, and what it cost."""
        note = {} if self._request.accounts else {"note": NO_ACCOUNTS}
        different = {id(rows): rows for rows in self._found.values()}  # units of the same settled list share theirs
        told = {key: [row.to_json("") for row in rows] for key, rows in different.items()}
        found = [{**row, "organizational_unit": dn} for dn, rows in self._found.items() for row in told[id(rows)]]
        more = self._lists.facts() if self._lists else {}
        return {"delegations": found, "directory": self._directory.facts(), **more, **note}

    def _comparison(self, domains: Domains) -> t.Callable[[str, SecurityDescriptor], Change | None]:
        wish = self._wish
        trustees = [sid for account in wish.accounts for sid in account.always_in]
        settled: Settled[tuple[Delegation, ...]] = Settled([*trustees, *(s.sid for s in wish.strangers)])

        def comparison(dn: str, descriptor: SecurityDescriptor) -> Change | None:
            if (known := settled.find(descriptor)) is not None:
                self._found.setdefault(dn, known)
                return None
            change, rows = compare(dn, descriptor, self._wish, Origins(domains, dn, self._above))
            # The first comparison is the plan's; a later one, beside another writer, adds nothing to tell.
            self._found.setdefault(dn, rows)
            if change is None and not any(row.inherited_from for row in rows):
                settled.add(descriptor, rows)
            return change

        return comparison

    def _strangers(
        self, domains: Domains, accounts: Sequence[Account], descriptors: Iterable[SecurityDescriptor]
    ) -> tuple[Stranger, ...]:
        """Find those whose delegation is to go though nobody named them."""
        request = self._request
        exact = request.state == "exact" and bool(accounts)
        if not exact and not request.purge_orphans:
            return ()
        listed = frozenset(account.sid for account in accounts)
        known = resolve_accounts(domains, request.connector_accounts, must_exist=False)
        holders = holders_of(domains, sorted(delegated_to(descriptors) - listed, key=str))
        return strangers_among(
            holders, listed, frozenset(account.sid for account in known), domain_sid(domains),
            exact=exact, purge=request.purge_orphans,
        )  # fmt: skip
