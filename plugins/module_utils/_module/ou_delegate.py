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
    Domains,
    Origins,
    check_pinned,
    domain_sid,
    find_units,
    holders_of,
    resolve_accounts,
    with_groups,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Account, AccountName
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
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import UnchangedCache, compare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import (
    Delegation,
    Stranger,
    Wish,
    delegated_to,
    foreign_denials,
    strangers_among,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestorePoint,
    by_object,
    restore,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS, Right
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.dacl_changes import AccessLists
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    job_in_directory,
    settings_from,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job


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

    def find(self, domains: Domains) -> tuple[OrganizationalUnit, ...]:
        """Return the units with their access lists.

        Raises:
            TargetError: Names every one that does not exist, or whose access list is not to be edited.

        """
        units = find_units(domains, list(self.names.values()), list(self.names))
        refuse_missing(units)
        unusual = any(unit.object_class != "organizationalUnit" for unit in units)
        computers = domains.well_known(COMPUTERS_CONTAINER_GUID) if unusual else ""
        controllers = domains.well_known(DOMAIN_CONTROLLERS_GUID)
        refuse_unsuitable(units, Landmarks.of(domains.base, controllers, computers), self.allowed)
        return units


NO_ACCOUNTS = "No account was given, so there is nothing to delegate yet."


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """What the user asks for, checked as far as that goes without a directory; named as the options."""

    accounts: Sequence[str]
    rights: tuple[Right, ...]
    state: str
    connector_accounts: Sequence[str]
    purge_orphans: bool
    canonicalize: bool


class OuDelegate:
    """Resolves and reads everything, compares, and writes the access lists that differ."""

    def __init__(
        self, directory: Directory, targets: Targets, request: DelegationRequest, backup: RestoreFile | None
    ) -> None:
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
        settled: UnchangedCache[tuple[Delegation, ...]] = UnchangedCache([*trustees, *(s.sid for s in wish.strangers)])

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


class OuRestore:
    """Puts access lists back to what they were before the last change that a file of restore points knows of."""

    def __init__(
        self,
        directory: Directory,
        targets: Targets,
        backup: RestoreFile,
        points: Sequence[RestorePoint],
        *,
        force: bool,
    ) -> None:
        self._directory = directory
        self._targets = targets
        self._backup = backup
        self._points = by_object(points)
        self._force = force
        self._lists: AccessLists | None = None

    def plan(self) -> Plan:
        """Return one change for each unit that is not as it was.

        Raises:
            OdjError: A unit has no restore point, or somebody else changed its list since.

        """
        domains = Domains(self._directory)
        units = self._targets.find(domains)
        self._lists = AccessLists(domains, self._targets.username, self._backup, restores=True)
        self._lists.parse(units)
        return self._lists.plan(units, self._compare)

    def apply(self, plan: Plan) -> None:
        """Write the access lists, each read back."""
        if self._lists:
            self._lists.apply(plan)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what it cost; there are no delegations to tell of."""
        more = self._lists.facts() if self._lists else {}
        return {"delegations": [], "directory": self._directory.facts(), **more}

    def _compare(self, dn: str, descriptor: SecurityDescriptor) -> Change | None:
        return restore(dn, descriptor, self._points.get(Dn.parse(dn).key, ()), force=self._force)


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
        "backup_path": {"type": "path"},
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
    for account in (*accounts, *params["connector_accounts"]):
        AccountName.parse(account)
    _refuse_pointless(params)
    backup = RestoreFile(params["backup_path"]) if params["backup_path"] else None
    if backup:
        backup.check()
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

    def job(directory: Directory) -> Job:
        return OuDelegate(directory, targets, request, backup)

    return job_in_directory(params, job, open_it)


def _refuse_pointless(params: Mapping[str, t.Any]) -> None:
    """Refuse options that the state would silently ignore."""
    restored = params["state"] == "restored"
    wrong = {
        "force": params["force"] and not restored,
        "accounts": bool(params["accounts"]) and restored,
        "purge_orphans": params["purge_orphans"] and restored,
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
