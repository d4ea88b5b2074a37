# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_delegation_info takes and does."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import (
    DomainLookup,
    check_class,
    class_names,
    resolve,
    tokens_of,
    trustees_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import (
    missing_unit,
    read_units,
    units_below,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import SERVICE_ACCOUNTS, AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import CREATE_CHILD, aces_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn, DnKey, with_ancestors
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    parse_all,
    refuse_missing,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import (
    SEVERITIES,
    Audit,
    Finding,
    Judgement,
    quota_meaning,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    creating,
    owner_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.findings import findings
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    job_in_directory,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, ReadOnlyJob

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "organizational_units": {"type": "list", "elements": "str", "default": []},
        "search_base": {"type": "str"},
        "search_direction": {"type": "str", "choices": ["below", "above"], "default": "below"},
        "accounts": {"type": "list", "elements": "str", "default": []},
    },
    "required_one_of": [("organizational_units", "search_base")],
}


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; all names are checked for their form before anything is contacted."""
    for account in params["accounts"]:
        AccountName.parse(account, "accounts")
    request = AuditRequest(
        names=parse_all(params["organizational_units"]),
        requested=params["organizational_units"],
        base=Dn.parse(params["search_base"]) if params["search_base"] else None,
        below=params["search_direction"] == "below",
        accounts=params["accounts"],
    )
    return job_in_directory(params, lambda directory: DelegationInfo(directory, request), open_it)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What the user asks for, checked as far as that goes without a directory."""

    names: tuple[Dn, ...]
    requested: Sequence[str]
    base: Dn | None
    below: bool
    accounts: Sequence[str]


class DelegationInfo(ReadOnlyJob):
    """Reads everything once, and says what it means."""

    def __init__(self, directory: Directory, request: AuditRequest) -> None:
        self._lookup = DomainLookup(directory)
        self._request = request
        self._audit: Audit | None = None

    def read(self) -> None:
        """Read everything.

        Raises:
            OdjError: A unit or an account does not exist.
        """
        request, lookup = self._request, self._lookup
        check_class(lookup, "computer", COMPUTER_CLASS)
        accounts = resolve(lookup, request.accounts)
        units, above = self._units()
        descriptors = [security for unit in units if (security := unit.security)]
        rules = [ace.rule for descriptor in descriptors for ace in aces_in(descriptor)]
        owners = {owner for owner in map(owner_of, descriptors) if owner}
        known = trustees_of(lookup, {rule.trustee for rule in rules} | owners | {one.sid for one in accounts})
        if not accounts:
            holders = {ace.rule.trustee for descriptor in descriptors for ace in creating(descriptor)}
            accounts = tuple(known[sid] for sid in sorted(holders, key=str) if known[sid].kind in SERVICE_ACCOUNTS)
        speaking = [rule for rule in rules if rule.rights & CREATE_CHILD]
        kinds = {kind for rule in speaking for kind in (rule.object_type, rule.inherited_type) if kind}
        self._audit = Audit(
            units=units,
            above=above,
            tokens=tokens_of(lookup, accounts),
            expected=bool(request.accounts),
            trustees=known,
            class_names=class_names(lookup, kinds),
            quota=lookup.head.number("ms-DS-MachineAccountQuota"),
        )

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return who may create computers where, what is wrong, and what it cost."""
        audit = self._audit
        if audit is None:
            return {}
        judgements = list(audit.judgements())
        found = findings(audit, judgements)
        return {
            "organizational_units": [audit.unit_json(unit) for unit in audit.units],
            "accounts": [audit.token_json(token) for token in audit.tokens],
            "access": [audit.access_json(judgement) for judgement in judgements],
            "findings": [finding.to_json() for finding in found],
            "summary": _summary(judgements, found),
            "machine_account_quota": {"value": audit.quota, "meaning": quota_meaning(audit.quota)},
            "directory": self._lookup.directory.facts(),
        }

    def _units(self) -> tuple[list[OrganizationalUnit], dict[DnKey, OrganizationalUnit]]:
        """Return the units to audit, and by Dn.key these with everything above them."""
        request = self._request
        asked = {name.key: text for name, text in zip(request.names, request.requested, strict=True)}
        wanted = [*request.names, *([request.base] if request.base else [])]
        known = self._read(with_ancestors(wanted))
        refuse_missing(
            missing_unit(asked.get(name.key, str(name)), name, known) for name in wanted if name.key not in known
        )
        units = {name.key: known[name.key] for name in request.names}
        if request.base:
            chain = [known[name.key] for name in with_ancestors([request.base]) if name.key in known]
            more = units_below(self._lookup.directory, request.base) if request.below else chain
            units |= {Dn.parse(unit.dn).key: unit for unit in more if unit.object_class == "organizationalUnit"}
        known |= units
        above = with_ancestors(Dn.parse(unit.dn) for unit in units.values())
        return list(units.values()), {**known, **self._read(name for name in above if name.key not in known)}

    def _read(self, names: Iterable[Dn]) -> dict[DnKey, OrganizationalUnit]:
        base = Dn.parse(self._lookup.base)
        return read_units(self._lookup.directory, [name for name in names if name.is_within(base)], owner=True)


def _summary(judgements: Sequence[Judgement], found: Sequence[Finding]) -> dict[str, dict[str, int]]:
    verdicts = Counter(judgement.decision.verdict for judgement in judgements)
    severities = Counter(finding.severity for finding in found)
    return {
        "can_create": {verdict: verdicts[verdict] for verdict in ("true", "false", "unknown")},
        "findings": {severity: severities[severity] for severity in SEVERITIES},
    }
