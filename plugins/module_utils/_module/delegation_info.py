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
    Domains,
    class_names,
    domain_head,
    resolve_accounts,
    tokens,
    trustees,
    units_below,
    units_named,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import SERVICE_ACCOUNTS, AccountName
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import CREATE_CHILD
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    parse_all,
    refuse_missing,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import (
    SEVERITIES,
    Finding,
    Judgement,
    Survey,
    Unit,
    quota_meaning,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    creating,
    entries,
    granted,
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
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job

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


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for, checked as far as that goes without a directory."""

    names: tuple[Dn, ...]
    requested: Sequence[str]
    base: Dn | None
    below: bool
    accounts: Sequence[str]


class DelegationInfo:
    """Reads everything once, and says what it means; never changes anything."""

    def __init__(self, directory: Directory, request: Request) -> None:
        self._directory = directory
        self._request = request
        self._survey: Survey | None = None

    def plan(self) -> Plan:
        """Read; there is never anything to change.

        Raises:
            OdjError: A unit or an account does not exist.

        """
        request, domains = self._request, Domains(self._directory)
        domains.check_class("computer", COMPUTER_CLASS)
        accounts = resolve_accounts(domains, request.accounts)
        units, above = self._units(domains)
        domain, quota = domain_head(domains)
        descriptors = [unit.descriptor for unit in units if unit.descriptor]
        rules = [entry.rule for descriptor in descriptors for entry in entries(descriptor)]
        owners = {owner for owner in map(owner_of, descriptors) if owner}
        sids = {rule.trustee for rule in rules} | owners | {account.sid for account in accounts}
        known = trustees(domains, sids, domain)
        if not accounts:
            holders = {entry.rule.trustee for descriptor in descriptors for entry in creating(descriptor)}
            named = [sid for sid in sorted(holders, key=str) if known[sid].kind in SERVICE_ACCOUNTS]
            accounts = resolve_accounts(domains, [str(sid) for sid in named])
        speaking = [rule for rule in rules if granted(rule) & CREATE_CHILD]
        kinds = {kind for rule in speaking for kind in (rule.object_type, rule.inherited_type) if kind}
        self._survey = Survey(
            units=units,
            above=above,
            tokens=tokens(domains, accounts),
            expected=bool(request.accounts),
            trustees=known,
            class_names=class_names(domains, kinds),
            quota=quota,
        )
        return Plan()

    def apply(self, plan: Plan) -> None:
        """Do nothing: the plan is always empty."""

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return who may create computers where, what is wrong, and what it cost."""
        survey = self._survey
        if survey is None:
            return {}
        judgements = list(survey.judgements())
        found = findings(survey, judgements)
        return {
            "organizational_units": [survey.unit_json(unit) for unit in survey.units],
            "accounts": [survey.token_json(token) for token in survey.tokens],
            "access": [survey.access_json(judgement) for judgement in judgements],
            "findings": [finding.to_json() for finding in found],
            "summary": _summary(judgements, found),
            "machine_account_quota": {"value": survey.quota, "meaning": quota_meaning(survey.quota)},
            "directory": self._directory.facts(),
        }

    def _units(self, domains: Domains) -> tuple[list[Unit], dict[object, Unit]]:
        """Return the units to audit, and by Dn.key these with everything above them."""
        request = self._request
        asked = {name.key: text for name, text in zip(request.names, request.requested, strict=True)}
        wanted = [*request.names, *([request.base] if request.base else [])]
        known = units_named(domains, _with_ancestors(wanted))
        refuse_missing(
            [_absent(name, asked.get(name.key, str(name)), known) for name in wanted if name.key not in known]
        )
        units: dict[object, Unit] = {name.key: known[name.key] for name in request.names}
        if request.base:
            chain = [known[name.key] for name in _with_ancestors([request.base]) if name.key in known]
            more = units_below(self._directory, request.base) if request.below else chain
            units |= {Dn.parse(unit.dn).key: unit for unit in more if unit.object_class == "organizationalUnit"}
        known |= units
        missing = [
            name for name in _with_ancestors(Dn.parse(unit.dn) for unit in units.values()) if name.key not in known
        ]
        return list(units.values()), {**known, **units_named(domains, missing)}


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; all names are checked for their form before anything is contacted."""
    for account in params["accounts"]:
        AccountName.parse(account)
    request = Request(
        names=parse_all(params["organizational_units"]),
        requested=params["organizational_units"],
        base=Dn.parse(params["search_base"]) if params["search_base"] else None,
        below=params["search_direction"] == "below",
        accounts=params["accounts"],
    )
    return job_in_directory(params, lambda directory: DelegationInfo(directory, request), open_it)


def _with_ancestors(names: Iterable[Dn]) -> list[Dn]:
    chain: dict[object, Dn] = {}
    for name in names:
        step: Dn | None = name
        while step and step.key not in chain:
            chain[step.key] = step
            step = step.parent
    return list(chain.values())


def _absent(name: Dn, text: str, known: Mapping[object, Unit]) -> OrganizationalUnit:
    above = [known[step.key].dn for step in _with_ancestors([name]) if step.key in known]
    return OrganizationalUnit(text, str(name), False, nearest=above[0] if above else "")


def _summary(judgements: Sequence[Judgement], found: Sequence[Finding]) -> dict[str, dict[str, int]]:
    verdicts = Counter(judgement.decision.verdict for judgement in judgements)
    severities = Counter(finding.severity for finding in found)
    return {
        "can_create": {verdict: verdicts[verdict] for verdict in ("true", "false", "unknown")},
        "findings": {severity: severities[severity] for severity in SEVERITIES},
    }
