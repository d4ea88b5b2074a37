# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_ou_delegate takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.descriptors import write_dacl
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import (
    Domains,
    find_units,
    resolve_accounts,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.account_name import AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import (
    RIGHTS,
    Account,
    DelegationError,
    compare,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import (
    COMPUTERS_CONTAINER_GUID,
    OrganizationalUnit,
    parse_all,
    refuse_missing,
    refuse_unsuitable,
    refuse_unwritable,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Job, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.settled import Settled
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory import (
    DIRECTORY_OPTIONS,
    LIBRARIES,
    OpenDirectory,
    job_in_directory,
)

__all__ = ["LIBRARIES", "SPEC", "open_job"]

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "accounts": {"type": "list", "elements": "str", "required": True},
        "rights": {"type": "list", "elements": "str", "choices": list(RIGHTS), "default": ["create_computer"]},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
}
NO_ACCOUNTS = "No account was given, so there is nothing to delegate yet."


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for, checked as far as that goes without a directory."""

    units: dict[Dn, str]
    accounts: Sequence[str]
    rights: Sequence[str]
    present: bool
    username: str


class OuDelegate:
    """Resolves and reads everything, compares, and writes the access lists that differ."""

    def __init__(self, directory: Directory, request: Request) -> None:
        self._directory = directory
        self._request = request
        self._found: list[dict[str, t.Any]] = []
        self._known: dict[str, SecurityDescriptor] = {}

    def plan(self) -> Plan:
        """Return one change for each unit whose access list differs.

        Raises:
            OdjError: A name means nothing, or a unit may not or must not be changed. Everything is read by then.

        """
        request, domains = self._request, Domains(self._directory)
        for name in request.rights:
            domains.check_class(RIGHTS[name].class_name, RIGHTS[name].object_type)
        accounts = resolve_accounts(domains, request.accounts, must_exist=request.present)
        units = find_units(domains, list(request.units.values()), list(request.units))
        refuse_missing(units)
        unusual = any(unit.object_class != "organizationalUnit" for unit in units)
        refuse_unsuitable(units, domains.well_known(COMPUTERS_CONTAINER_GUID) if unusual else "")
        changes = self._compare(units, accounts)
        changing = {change.target for change in changes}
        refuse_unwritable([unit for unit in units if unit.dn in changing], request.username)
        return Plan(tuple(changes))

    def apply(self, plan: Plan) -> None:
        """Write the access lists, many at a time, each compared before and read back."""
        done: list[str] = []
        problems: list[OdjError] = []
        writes = (
            write_dacl(change.target, self._known[change.target], t.cast(SecurityDescriptor, change.payload))
            for change in plan.changes
        )
        for outcome in self._directory.run_all(writes):
            if isinstance(outcome, OdjError):
                problems.append(outcome)
            else:
                done.append(outcome)
        if problems:
            raise _interrupted(problems, done)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return the state of each delegation, and what it cost."""
        note = {} if self._request.accounts else {"note": NO_ACCOUNTS}
        return {"delegations": self._found, "directory": self._directory.facts(), **note}

    def _compare(self, units: Sequence[OrganizationalUnit], accounts: Sequence[Account]) -> list[Change]:
        rights = [RIGHTS[name] for name in self._request.rights]
        changes: list[Change] = []
        problems: list[OdjError] = []
        settled = Settled(account.always_in for account in accounts)
        for unit in units:
            try:
                descriptor = self._known[unit.dn] = SecurityDescriptor.parse(unit.descriptor or b"")
                if (known := settled.find(descriptor)) is not None:
                    self._found += [{**delegation, "organizational_unit": unit.dn} for delegation in known]
                    continue
                change, found = compare(unit.dn, descriptor, accounts, rights, present=self._request.present)
            except OdjError as problem:
                problems.append(problem)
                continue
            told = [delegation.to_json(unit.dn) for delegation in found]
            self._found += told
            if change:
                changes.append(change)
            elif not any(delegation.inherited for delegation in found):
                settled.add(descriptor, told)
        if problems:
            raise _together(problems)
        return changes


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; all names are checked for their form before anything is contacted."""
    requested = params["organizational_units"]
    units = {name.key: (name, text) for name, text in zip(parse_all(requested), requested, strict=True)}
    for account in params["accounts"]:
        AccountName.parse(account)
    request = Request(
        units=dict(units.values()),
        accounts=params["accounts"],
        rights=params["rights"],
        present=params["state"] == "present",
        username=params["username"],
    )
    return job_in_directory(params, lambda directory: OuDelegate(directory, request), open_it)


def _together(problems: Sequence[OdjError]) -> OdjError:
    if len(problems) == 1:
        return problems[0]
    return DelegationError(
        "plan the delegations", got="; ".join(str(problem) for problem in problems), advice="Nothing was changed."
    )


def _interrupted(problems: Sequence[OdjError], done: Sequence[str]) -> OdjError:
    first, *others = problems
    advice = first.advice
    if others:
        advice += f" The same run met: {' '.join(map(str, others))}"
    if done:
        advice += f" Changed before this: {'; '.join(done)}."
    return OdjError(first.tried, on=first.on, got=first.got, advice=advice.lstrip()) if others or done else first
