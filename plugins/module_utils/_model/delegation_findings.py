# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations finds: what is wrong, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import is_canonical
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_excess import (
    excess_findings,
    ownership_findings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_finding import SEVERITIES, Finding
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation_survey import (
    Judgement,
    Survey,
    Unit,
    quota_meaning,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.effective_rights import Entry, creating, entries
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl

_SECURITY_TAB = "with the Security tab of Active Directory Users and Computers"
_UNKNOWN = {
    "condition": ("an entry for {} holds under a condition", "Look at the condition of the entry."),
    "membership": (
        "whether an entry for {} concerns it is not known",
        "Let the account that is used here read tokenGroups of the account, or look at the entry.",
    ),
}


def findings(survey: Survey, judgements: Sequence[Judgement]) -> list[Finding]:
    """Return all findings, the severest first; one that several units inherit comes once, and names them."""
    merged: dict[object, Finding] = {}
    found = [(finding, unit.dn) for unit in survey.units for finding in _of_unit(survey, unit)]
    found += [(f, judgement.unit.dn) for judgement in judgements for f in _of_judgement(survey, judgement)]
    for finding, dn in found:
        affects = merged.setdefault(finding.key, finding).affects
        affects += [] if dn in affects[-1:] else [dn]
    alone = list(_of_accounts(survey))
    return sorted([*merged.values(), *alone], key=lambda finding: SEVERITIES.index(finding.severity))


def _of_unit(survey: Survey, unit: Unit) -> Iterator[Finding]:
    descriptor = unit.descriptor
    if descriptor is None:
        cure = "Let the account that is used here read the permissions of the object (READ_CONTROL)."
        yield Finding("unreadable", "medium", unit.dn, "Its access list may not be read.", cure)
        return
    if descriptor.dacl is None:
        cause = "It has no access list, so everybody may do everything."
        yield Finding("no_access_list", "high", unit.dn, cause, f"Give it one {_SECURITY_TAB}.")
        return
    if not is_canonical(descriptor.dacl.aces):
        cause = (
            "Its entries are not in the order that Windows' own tools keep (deny, allow, inherited): a Deny may come "
            "too late to count, and these tools may change what the list means."
        )
        yield Finding("not_canonical", "medium", unit.dn, cause, f"Put it in order {_SECURITY_TAB}.")
    yield from ownership_findings(survey, unit)
    for entry in entries(descriptor):
        yield from excess_findings(survey, unit, entry)
        yield from _orphan(survey, unit, entry)


def _orphan(survey: Survey, unit: Unit, entry: Entry) -> Iterator[Finding]:
    trustee = survey.trustee(entry.rule.trustee)
    if trustee.kind == "orphan":
        where, ace = survey.origin(unit, entry)
        cause = "It is for an account of this domain that does not exist any more, or that may not be seen."
        cure = "Remove the entry; odj_ou_delegate with state absent does it for its own, by the SID."
        yield Finding("orphaned_sid", "low", where, cause, cure, trustee, ace_to_sddl(ace))


def _of_judgement(survey: Survey, judgement: Judgement) -> Iterator[Finding]:
    unit, account, decision = judgement.unit, judgement.token.account, judgement.decision
    entry, trustee = decision.entry, survey.trustee(judgement.token.account.sid)
    if entry is None:
        if decision.verdict == "false" and survey.expected:
            yield _missing(survey, judgement, "no entry allows it")
        return
    through, source = survey.trustee(entry.rule.trustee).name, survey.source(unit, entry)
    ace = ace_to_sddl(entry.ace)
    if decision.reason in _UNKNOWN:
        why, cure = _UNKNOWN[decision.reason]
        cause = f"Whether {account.name} may create computers there cannot be told: {why.format(through)}."
        yield Finding("undecided", "medium", unit.dn, cause, cure, trustee, ace)
    elif decision.reason == "denied" and _is_allowed_too(judgement):
        cause = f"{account.name} has an entry that allows creating computers, but one for {through} denies it first."
        cure = "Find out why the Deny is there, and remove it if it is wrong."
        where, made = survey.origin(unit, entry)
        yield Finding("deny_shadow", "high", where, cause, cure, trustee, ace_to_sddl(made))
    elif decision.reason == "denied" and survey.expected:
        yield _missing(survey, judgement, f"an entry for {through} denies it", ace)
    elif source:
        cause = f"{account.name} may create computers there by an entry of {source}: not after the unit was moved."
        cure = "Delegate on the unit itself with odj_ou_delegate."
        yield Finding("inherited", "low", unit.dn, cause, cure, trustee, ace)


def _missing(survey: Survey, judgement: Judgement, why: str, ace: str = "") -> Finding:
    account = judgement.token.account
    cause = f"{account.name} may not create computers there: {why}. {quota_meaning(survey.quota)}"
    cure = "Delegate on the unit with odj_ou_delegate."
    return Finding("missing", "high", judgement.unit.dn, cause, cure, survey.trustee(account.sid), ace)


def _is_allowed_too(judgement: Judgement) -> bool:
    descriptor = judgement.unit.descriptor
    return descriptor is not None and any(
        entry.rule.allow and entry.rule.applies_here and judgement.token.holds(entry.rule.trustee)
        for entry in creating(descriptor)
    )


def _of_accounts(survey: Survey) -> Iterator[Finding]:
    judged = {token.account.sid for token in survey.tokens}
    holders = {e.rule.trustee for u in survey.units if u.descriptor for e in creating(u.descriptor)}
    for trustee in sorted(map(survey.trustee, judged | holders), key=lambda trustee: trustee.name):
        if trustee.kind == "standalone_service_account" and not trustee.hosts:
            cause = f"{trustee.name} is linked to no computer: the connector it was made for may be gone."
            cure = "When no connector runs as it, remove its entries and the account."
            yield Finding("without_host", "medium", "", cause, cure, trustee)
        if trustee.sid in judged and not trustee.enabled:
            cure = "Enable it, or remove its entries."
            yield Finding("disabled", "high", "", f"{trustee.name} is disabled and cannot log on.", cure, trustee)
