# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_ou_delegate takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._controller.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import (
    DomainLookup,
    check_class,
    check_extended_rights,
    complete_tokens_of,
    resolve,
    trustees_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import Origins, find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName, Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    COMPUTERS_CONTAINER_GUID,
    DOMAIN_CONTROLLERS_GUID,
    Landmarks,
    OrganizationalUnit,
    parse_all,
    refuse_missing,
    refuse_unsuitable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import (
    UnchangedCache,
    compare,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import (
    Delegation,
    Desired,
    StaleDelegation,
    delegated_to,
    foreign_denials,
    stale_among,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestorePoint,
    by_object,
    restore,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import (
    COMPUTER_CLASS,
    RIGHTS,
    Right,
    extended_rights,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan, Record, WriteDacl
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_changes import (
    BACKUP_OPTIONS,
    Compare,
    DirectoryChanges,
    restore_file_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    job_in_directory,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job

NO_ACCOUNTS = "No account was given, so there is nothing to delegate yet."
SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "accounts": {"type": "list", "elements": "str"},
        "rights": {"type": "list", "elements": "str", "choices": list(RIGHTS), "default": ["create_computer"]},
        "applies_to": {"type": "str", "choices": ["this_object", "subtree"], "default": "this_object"},
        "state": {"type": "str", "choices": ["present", "absent", "exact", "restored"], "default": "present"},
        "connector_accounts": {"type": "list", "elements": "str", "default": []},
        "purge_orphans": {"type": "bool", "default": False},
        "canonicalize": {"type": "bool", "default": False},
        "allow_unusual_targets": {"type": "list", "elements": "str", "default": []},
        **BACKUP_OPTIONS,
        "force": {"type": "bool", "default": False},
    },
    "required_if": [
        ("state", "present", ["accounts"]),
        ("state", "absent", ["accounts"]),
        ("state", "exact", ["accounts"]),
        ("state", "restored", ["backup_path"]),
    ],
}


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; names, and what is at backup_path, are checked for their form before anything is contacted.

    Raises:
        OdjError: One of them cannot be meant as it stands.
    """
    requested = params["organizational_units"]
    units = {name.key: (name, text) for name, text in zip(parse_all(requested), requested, strict=True)}
    allowed = parse_all(params["allow_unusual_targets"], "allow_unusual_targets")
    targets = Targets(dict(units.values()), allowed, settings_from(params).account)
    accounts = params["accounts"] or []
    for option in ("accounts", "connector_accounts"):
        for account in params[option] or ():
            AccountName.parse(account, option)
    _refuse_pointless(params)
    backup = restore_file_from(params)
    if params["state"] == "restored" and backup:
        points, force = backup.read(), params["force"]
        return job_in_directory(params, lambda d: OuRestore(d, targets, backup, points, force=force), open_it)
    request = DelegationRequest(
        accounts=accounts,
        rights=tuple(RIGHTS[name].reaching(params["applies_to"]) for name in dict.fromkeys(params["rights"])),
        state=params["state"],
        connector_accounts=params["connector_accounts"],
        purge_orphans=params["purge_orphans"],
        canonicalize=params["canonicalize"],
    )
    return job_in_directory(params, lambda d: OuDelegate(d, targets, backup, request), open_it)


def _refuse_pointless(params: Mapping[str, t.Any]) -> None:
    """Refuse options that the state would silently ignore."""
    restored = params["state"] == "restored"
    wrong = {
        "force": params["force"] and not restored,
        "accounts": bool(params["accounts"]) and restored,
        "purge_orphans": params["purge_orphans"] and restored,
        "canonicalize": params["canonicalize"] and restored,
        "connector_accounts": bool(params["connector_accounts"]) and params["state"] != "exact",
    }
    names = [name for name, is_wrong in wrong.items() if is_wrong]
    if names:
        raise InvalidInput(
            "read the options",
            on=", ".join(names),
            got=f"it has no meaning with state {params['state']}",
            advice="Leave it out, or correct state.",
        )


@dataclass(frozen=True, slots=True)
class Targets:
    """The units that the user named.

    Attributes:
        names: As parsed, with the user's own spelling.
        allowed: Unusual targets that are wanted all the same.
        username: As whom the directory is used, for messages.
    """

    names: Mapping[Dn, str]
    allowed: Sequence[Dn]
    username: str

    def find(self, lookup: DomainLookup) -> tuple[OrganizationalUnit, ...]:
        """Return the units with their DACLs.

        Raises:
            TargetError: Names every one that does not exist, or whose DACL is not to be edited.
        """
        units = find_units(lookup, list(self.names.values()), list(self.names))
        refuse_missing(units)
        unusual = any(unit.object_class != "organizationalUnit" for unit in units)
        computers = lookup.well_known(COMPUTERS_CONTAINER_GUID) if unusual else ""
        controllers = lookup.well_known(DOMAIN_CONTROLLERS_GUID)
        refuse_unsuitable(units, Landmarks.of(lookup.base, controllers, computers), self.allowed)
        return units


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """What the user asks for, checked as far as that goes without a directory; named as the options."""

    accounts: Sequence[str]
    rights: tuple[Right, ...]
    state: str
    connector_accounts: Sequence[str]
    purge_orphans: bool
    canonicalize: bool


class _DaclJob:
    """A job whose changes are those of DACLs."""

    def __init__(self, directory: Directory, targets: Targets, backup: RestoreFile | None) -> None:
        self._lookup = DomainLookup(directory)
        self._targets = targets
        self._changes = DirectoryChanges(self._lookup, targets.username, backup)

    def apply(self, plan: Plan, record: Record) -> None:
        """Write the DACLs, each read back."""
        self._changes.apply(plan, record)

    def settle(self, plan: Plan, record: Record) -> None:
        """Take note of what a task did that was killed; what was written is read back already."""
        self._changes.settle(record)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what it cost; there are no delegations to tell of."""
        return {"delegations": [], "directory": self._lookup.directory.facts(), **self._changes.facts()}


class OuDelegate(_DaclJob):
    """The states present, absent and exact: resolves and reads everything, compares, writes the DACLs that differ."""

    def __init__(
        self, directory: Directory, targets: Targets, backup: RestoreFile | None, request: DelegationRequest
    ) -> None:
        super().__init__(directory, targets, backup)
        self._request = request
        self._origins = Origins(self._lookup)
        self._found: dict[str, tuple[Delegation, ...]] = {}

    def plan(self) -> Plan:
        """Return one change for each unit whose DACL differs.

        Raises:
            OdjError: A name means nothing, or a unit may not or must not be changed. Everything is read by then.
        """
        request, lookup = self._request, self._lookup
        check_class(lookup, "computer", COMPUTER_CLASS)
        check_extended_rights(lookup, extended_rights(request.rights), COMPUTER_CLASS)
        present = request.state != "absent"
        accounts = resolve(lookup, request.accounts, must_exist=present)
        units = self._targets.find(lookup)
        descriptors = self._changes.parse(units)
        groups_matter = present and foreign_denials(descriptors)
        tokens = complete_tokens_of(lookup, accounts) if groups_matter else tuple(token_of(a, None) for a in accounts)
        stale = self._stale(accounts, descriptors)
        desired = Desired(tokens, request.rights, present, stale, request.canonicalize)
        return self._changes.plan(units, self._comparison(desired))

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the state of each delegation, and what it cost."""
        note = {} if self._request.accounts else {"note": NO_ACCOUNTS}
        different = {id(rows): rows for rows in self._found.values()}  # units out of the cache share theirs
        told = {key: [row.to_json("") for row in rows] for key, rows in different.items()}
        found = [{**row, "organizational_unit": dn} for dn, rows in self._found.items() for row in told[id(rows)]]
        return {**super().facts(plan), "delegations": found, **note}

    def _comparison(self, desired: Desired) -> Compare:
        trustees = [sid for token in desired.accounts for sid in token.sids]
        cache: UnchangedCache[tuple[Delegation, ...]] = UnchangedCache(
            [*trustees, *(stale.trustee.sid for stale in desired.stale)]
        )

        def comparison(dn: str, descriptor: SecurityDescriptor) -> WriteDacl | None:
            if (known := cache.find(descriptor)) is not None:
                self._found.setdefault(dn, known)
                return None
            change, rows = compare(dn, descriptor, desired, lambda rule: self._origins.of(dn, rule))
            # The first comparison is the plan's; a later one, beside another writer, adds nothing to tell.
            self._found.setdefault(dn, rows)
            if change is None and not any(row.inherited_from for row in rows):
                cache.add(descriptor, rows)
            return change

        return comparison

    def _stale(
        self, accounts: Sequence[Trustee], descriptors: Iterable[SecurityDescriptor]
    ) -> tuple[StaleDelegation, ...]:
        """Find the delegations that are to go though nobody named them."""
        request, lookup = self._request, self._lookup
        exact, purge = request.state == "exact" and bool(accounts), request.purge_orphans
        if not exact and not purge:
            return ()
        listed = frozenset(account.sid for account in accounts)
        connectors = frozenset(one.sid for one in resolve(lookup, request.connector_accounts, must_exist=False))
        holders = trustees_of(lookup, delegated_to(descriptors) - listed)
        if purge:
            lookup.require_sid()
        return stale_among(holders.values(), listed, connectors, exact=exact, purge=purge)


class OuRestore(_DaclJob):
    """The state restored: puts DACLs back to what they were before the last change that restore points know of."""

    def __init__(
        self,
        directory: Directory,
        targets: Targets,
        backup: RestoreFile,
        points: Sequence[RestorePoint],
        *,
        force: bool,
    ) -> None:
        super().__init__(directory, targets, backup)
        self._points = by_object(points)
        self._force = force

    def plan(self) -> Plan:
        """Return one change for each unit that is not as it was.

        Raises:
            OdjError: A unit has no restore point, or somebody else changed its DACL since.
        """
        units = self._targets.find(self._lookup)
        self._changes.parse(units)
        return self._changes.plan(units, self._compare)

    def _compare(self, dn: str, descriptor: SecurityDescriptor) -> WriteDacl | None:
        return restore(dn, descriptor, self._points.get(Dn.parse(dn).key, ()), force=self._force)
