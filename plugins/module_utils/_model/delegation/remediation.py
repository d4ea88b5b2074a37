# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The cures of what an audit of delegations finds: which module does it with which options, or that none does."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import is_delegation
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS

_SECURITY_TAB = "with the Security tab of Active Directory Users and Computers"
_CREATE = RIGHTS["create_computer"].parts[0]
_KINDS = {"standalone_service_account": "standalone", "group_service_account": "group"}

DELEGATE = "Delegate on each of the units: odj_ou_delegate with state=present."
REMOVE_DENY = (
    f"Find out why the Deny is there, and remove it {_SECURITY_TAB} if it is wrong: odj_ou_delegate never removes one, "
    "and refuses state=present until it is gone."
)
PUT_IN_ORDER = (
    "odj_ou_delegate with canonicalize=true puts it in order when it has something to change there. Otherwise put it "
    f"in order {_SECURITY_TAB}."
)
GIVE_A_LIST = f"Give them one {_SECURITY_TAB}: odj_ou_delegate does not touch units without one."
LET_READ = "Let the account that is used here read the permissions of these objects (READ_CONTROL)."
LOOK_AT_CONDITION = (
    "Look at the condition of the entry. Where it allows, odj_ou_delegate with state=present adds an entry without a "
    "condition for the account itself."
)
LET_READ_GROUPS = (
    "Let the account that is used here read tokenGroups of the account, or look at the entry. Where it allows, "
    "odj_ou_delegate with state=present adds an entry for the account itself."
)
REMOVE_CREATOR = f"Remove the entry {_SECURITY_TAB} unless its purpose is known: no module of this collection does."
CHANGE_OWNER = f"Make Domain Admins the owner {_SECURITY_TAB} (Advanced): no module of this collection does."


def replace_by_exact(rule: AccessRule, name: str, *, members: bool) -> str:
    """Say how an entry that allows too much is replaced by the exact one.

    Args:
        rule: The entry where it was made.
        name: Whom it is for.
        members: That is a group, and judged accounts are in it.
    """
    first = f"Take the account out of {name}, or remove the entry" if members else "Remove the entry"
    how = _by_state_absent(name) if _is_ours(rule) else f"{_SECURITY_TAB}, as no module of this collection removes it"
    return (
        f"{first} ({how}). Then let odj_ou_delegate with state=present make the exact one for the account on each unit "
        "where it is needed. As long as the broader one is there, that counts as present."
    )


def make_explicit(rule: AccessRule, name: str, source: str) -> str:
    """Say how a right that is inherited becomes one of the unit's own; state=present alone takes it as present."""
    how = _by_state_absent(name) if _is_ours(rule) else _SECURITY_TAB
    return (
        f"Remove the entry on {source} ({how}), then delegate on each of the units: odj_ou_delegate with "
        "state=present. As long as the inherited one is there, that counts as present."
    )


def remove_legacy(rule: AccessRule, name: str) -> str:
    """Say how the entry of a legacy connector's computer account goes."""
    how = (
        f"odj_ou_delegate with state=exact and connector_accounts=[{name}] does it"
        if is_delegation(rule)
        else f"{_SECURITY_TAB}, as no module of this collection does it"
    )
    return f"Remove the entry when no such connector runs on that computer any more ({how})."


def remove_orphan(rule: AccessRule) -> str:
    """Say how the entry of a deleted account goes."""
    if is_delegation(rule):
        return "Remove the entry: odj_ou_delegate with purge_orphans=true does it."
    return f"Remove the entry {_SECURITY_TAB}: purge_orphans=true of odj_ou_delegate is for entries about computers."


def remove_or_link(name: str) -> str:
    """Say what to do about a standalone service account that is linked to no computer."""
    own = name.rpartition("\\")[2].removesuffix("$")
    return (
        f"When no connector runs as it, remove it with its entries: odj_msa with name={own}, state=absent and "
        "remove_delegations=[these units]. When one does, link it: odj_msa with host."
    )


def enable_or_revoke(name: str, kind: str) -> str:
    """Say what to do about an account that cannot log on, of a kind as in Trustee."""
    own = name.rpartition("\\")[2].removesuffix("$")
    how = f": odj_msa with name={own}, kind={_KINDS[kind]} and enabled=true" if kind in _KINDS else ""
    return f"Enable it{how}. Or take its right away: odj_ou_delegate with state=absent."


def _is_ours(rule: AccessRule) -> bool:
    return rule.allow and _CREATE.is_in(rule, subtree=True)


def _by_state_absent(name: str) -> str:
    return f"odj_ou_delegate with accounts=[{name}], state=absent and applies_to=subtree does it"
