# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations finds: what is wrong, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import ace_to_sddl, is_canonical
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import (
    SEVERITIES,
    Finding,
    Judgement,
    Survey,
    Unit,
    quota_meaning,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    Entry,
    creating,
    entries,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.excessive_rights import (
    excess_findings,
    ownership_findings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.remediation import (
    DELEGATE,
    GIVE_A_LIST,
    LET_READ,
    LET_READ_GROUPS,
    LOOK_AT_CONDITION,
    PUT_IN_ORDER,
    REMOVE_DENY,
    enable_or_revoke,
    make_explicit,
    remove_or_link,
    remove_orphan,
)

_UNKNOWN = {
    "condition": ("an entry for {} holds under a condition", LOOK_AT_CONDITION),
    "membership": ("whether an entry for {} concerns it is not known", LET_READ_GROUPS),
}


def findings(survey: Survey, judgements: Sequence[Judgement]) -> list[Finding]:
    """Return all findings, the severest first; what is the same on several units comes once, and names them."""
    merged: dict[object, Finding] = {}
    found = [(finding, unit.dn) for unit in survey.units for finding in _of_unit(survey, unit)]
    found += [(f, judgement.unit.dn) for judgement in judgements for f in _of_judgement(survey, judgement)]
    for finding, dn in found:
        merged.setdefault(finding.key, finding).found_again(finding, dn)
    alone = list(_of_accounts(survey))
    return sorted([*merged.values(), *alone], key=lambda finding: SEVERITIES.index(finding.severity))


def _of_unit(survey: Survey, unit: Unit) -> Iterator[Finding]:
    descriptor = unit.descriptor
    if descriptor is None:
        yield Finding("unreadable", "medium", unit.dn, "The access list may not be read.", LET_READ)
        return
    if descriptor.dacl is None:
        cause = "There is no access list, so everybody may do everything."
        yield Finding("no_access_list", "high", unit.dn, cause, GIVE_A_LIST)
        return
    if not is_canonical(descriptor.dacl.aces):
        cause = (
            "The entries are not in the order that Windows' own tools keep (deny, allow, inherited): a Deny may come "
            "too late to count, and these tools may change what the list means."
        )
        yield Finding("not_canonical", "medium", unit.dn, cause, PUT_IN_ORDER)
    yield from ownership_findings(survey, unit)
    for entry in entries(descriptor):
        yield from excess_findings(survey, unit, entry)
        yield from _orphan(survey, unit, entry)


def _orphan(survey: Survey, unit: Unit, entry: Entry) -> Iterator[Finding]:
    trustee = survey.trustee(entry.rule.trustee)
    if trustee.kind == "orphan":
        where, made = survey.origin(unit, entry)
        cause = "The entry is for an account of this domain that does not exist any more, or that may not be seen."
        cure = remove_orphan(made.rule)
        yield Finding("orphaned_sid", "low", where, cause, cure, trustee, ace_to_sddl(made.ace))


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
        where, made = survey.origin(unit, entry)
        yield Finding("deny_shadow", "high", where, cause, REMOVE_DENY, trustee, ace_to_sddl(made.ace))
    elif decision.reason == "denied" and survey.expected:
        yield _missing(survey, judgement, f"an entry for {through} denies it", ace)
    elif source:
        cause = f"{account.name} may create computers there by an entry of {source}: not after the unit was moved."
        cure = make_explicit(survey.origin(unit, entry)[1].rule, through, source)
        yield Finding("inherited", "low", unit.dn, cause, cure, trustee, ace, source=source)


def _missing(survey: Survey, judgement: Judgement, why: str, ace: str = "") -> Finding:
    account = judgement.token.account
    cause = f"{account.name} may not create computers there: {why}. {quota_meaning(survey.quota)}"
    cure = f"{REMOVE_DENY} {DELEGATE}" if ace else DELEGATE
    return Finding("missing", "high", judgement.unit.dn, cause, cure, survey.trustee(account.sid), ace)


def _is_allowed_too(judgement: Judgement) -> bool:
    descriptor = judgement.unit.descriptor
    return descriptor is not None and any(
        entry.rule.allow and entry.rule.applies_here and judgement.token.holds(entry.rule.trustee)
        for entry in creating(descriptor)
    )


def _of_accounts(survey: Survey) -> Iterator[Finding]:
    judged, places = {token.account.sid for token in survey.tokens}, _places(survey)
    for trustee in sorted(map(survey.trustee, judged | set(places)), key=lambda trustee: trustee.name):
        where = places.get(trustee.sid, {})
        if trustee.kind == "standalone_service_account" and not trustee.hosts:
            cause = f"{trustee.name} is linked to no computer: the connector it was made for may be gone."
            cure = remove_or_link(trustee.name)
            yield Finding("without_host", "medium", "", cause, cure, trustee, cured_on=where)
        if trustee.sid in judged and not trustee.enabled:
            cause, cure = f"{trustee.name} is disabled and cannot log on.", enable_or_revoke(trustee.name, trustee.kind)
            yield Finding("disabled", "high", "", cause, cure, trustee, cured_on=where)


def _places(survey: Survey) -> dict[Sid, dict[str, None]]:
    """Return on which objects each account has entries about creating computers."""
    places: dict[Sid, dict[str, None]] = {}
    for unit in survey.units:
        for entry in creating(unit.descriptor) if unit.descriptor else ():
            places.setdefault(entry.rule.trustee, {})[survey.origin(unit, entry)[0]] = None
    return places
