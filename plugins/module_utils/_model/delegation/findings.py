# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What an audit of delegations finds: what is wrong, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    Ace,
    ace_to_sddl,
    aces_in,
    is_canonical,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import OrganizationalUnit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.audit import (
    SEVERITIES,
    Audit,
    Finding,
    Judgement,
    quota_meaning,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    creating,
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
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import made_by_sign_in

_UNKNOWN = {
    "condition": ("an entry for {} holds under a condition", LOOK_AT_CONDITION),
    "membership": ("whether an entry for {} concerns it is not known", LET_READ_GROUPS),
}


def findings(audit: Audit, judgements: Sequence[Judgement]) -> list[Finding]:
    """Return all findings, the severest first; what is the same on several units comes once, and names them."""
    merged: dict[object, Finding] = {}
    found = [(finding, unit.dn) for unit in audit.units for finding in _of_unit(audit, unit)]
    found += [(f, judgement.unit.dn) for judgement in judgements for f in _of_judgement(audit, judgement)]
    for finding, dn in found:
        merged.setdefault(finding.key, finding).found_again(finding, dn)
    alone = list(_of_accounts(audit))
    return sorted([*merged.values(), *alone], key=lambda finding: SEVERITIES.index(finding.severity))


def _of_unit(audit: Audit, unit: OrganizationalUnit) -> Iterator[Finding]:
    descriptor = unit.security
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
    yield from ownership_findings(audit, unit)
    for entry in aces_in(descriptor):
        yield from excess_findings(audit, unit, entry)
        yield from _orphan(audit, unit, entry)


def _orphan(audit: Audit, unit: OrganizationalUnit, entry: Ace) -> Iterator[Finding]:
    trustee = audit.trustee(entry.rule.trustee)
    if trustee.kind == "orphan":
        where, made = audit.origin(unit, entry)
        cause = "The entry is for an account of this domain that does not exist any more, or that may not be seen."
        cure = remove_orphan(made.rule)
        yield Finding("orphaned_sid", "low", where, cause, cure, trustee, ace_to_sddl(made.data))


def _of_judgement(audit: Audit, judgement: Judgement) -> Iterator[Finding]:
    unit, account, decision = judgement.unit, judgement.token.account, judgement.decision
    entry, trustee = decision.entry, audit.trustee(judgement.token.account.sid)
    if entry is None:
        if decision.verdict == "false" and audit.expected:
            yield _missing(audit, judgement, "no entry allows it")
        return
    through, source = audit.trustee(entry.rule.trustee).name, audit.source(unit, entry)
    ace = ace_to_sddl(entry.data)
    if decision.reason in _UNKNOWN:
        why, cure = _UNKNOWN[decision.reason]
        cause = f"Whether {account.name} may create computers there cannot be told: {why.format(through)}."
        yield Finding("undecided", "medium", unit.dn, cause, cure, trustee, ace)
    elif decision.reason == "denied" and _is_allowed_too(judgement):
        cause = f"{account.name} has an entry that allows creating computers, but one for {through} denies it first."
        where, made = audit.origin(unit, entry)
        yield Finding("deny_shadow", "high", where, cause, REMOVE_DENY, trustee, ace_to_sddl(made.data))
    elif decision.reason == "denied" and audit.expected:
        yield _missing(audit, judgement, f"an entry for {through} denies it", ace)
    elif source:
        cause = f"{account.name} may create computers there by an entry of {source}: not after the unit was moved."
        cure = make_explicit(audit.origin(unit, entry)[1].rule, through, source)
        yield Finding("inherited", "low", unit.dn, cause, cure, trustee, ace, source=source)


def _missing(audit: Audit, judgement: Judgement, why: str, ace: str = "") -> Finding:
    account = judgement.token.account
    cause = f"{account.name} may not create computers there: {why}. {quota_meaning(audit.quota)}"
    cure = f"{REMOVE_DENY} {DELEGATE}" if ace else DELEGATE
    return Finding("missing", "high", judgement.unit.dn, cause, cure, audit.trustee(account.sid), ace)


def _is_allowed_too(judgement: Judgement) -> bool:
    descriptor = judgement.unit.security
    return descriptor is not None and any(
        entry.rule.allow and entry.rule.applies_here and judgement.token.holds(entry.rule.trustee)
        for entry in creating(descriptor)
    )


def _of_accounts(audit: Audit) -> Iterator[Finding]:
    judged, places = {token.account.sid for token in audit.tokens}, _places(audit)
    for trustee in sorted(map(audit.trustee, judged | set(places)), key=lambda trustee: trustee.name):
        where = places.get(trustee.sid, {})
        if made_by_sign_in(trustee.sam, trustee.object_class) and not trustee.hosts:
            cause = f"{trustee.name} is linked to no computer: the connector it was made for may be gone."
            cure = remove_or_link(trustee.name)
            yield Finding("without_host", "medium", "", cause, cure, trustee, cured_on=where)
        if trustee.sid in judged and not trustee.enabled:
            cause, cure = f"{trustee.name} is disabled and cannot log on.", enable_or_revoke(trustee.name, trustee.kind)
            yield Finding("disabled", "high", "", cause, cure, trustee, cured_on=where)


def _places(audit: Audit) -> dict[Sid, dict[str, None]]:
    """Return on which objects each account has entries about creating computers."""
    places: dict[Sid, dict[str, None]] = {}
    for unit in audit.units:
        for entry in creating(unit.security) if unit.security else ():
            places.setdefault(entry.rule.trustee, {})[audit.origin(unit, entry)[0]] = None
    return places
