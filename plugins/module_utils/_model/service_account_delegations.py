# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The entries of a service account in the access lists of OUs, which go when the account goes."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import AccessRule, is_canonical
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import DelegationError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sddl import ace_to_sddl, dacl_lines
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


def without(dn: str, descriptor: SecurityDescriptor, name: str, sid: Sid) -> tuple[Change | None, str]:
    """Return the change that takes every entry of one account out of the access list of one OU.

    An account that is gone needs none, whatever they say: its SID is never given again. Inherited entries stay, they
    stand further up.

    Args:
        dn: The OU.
        descriptor: Its descriptor.
        name: The account for people.
        sid: The account.

    Returns:
        The change or None (its payload is the new SecurityDescriptor), and a remark about what stays ("" when nothing
        does).

    Raises:
        DelegationError: The list is not in canonical order.

    """
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    rules = {ace: AccessRule.from_ace(ace) for ace in aces}
    mine = {ace: rule for ace, rule in rules.items() if rule and rule.trustee == sid}
    own = [ace for ace, rule in mine.items() if not rule.inherited]
    above = [ace_to_sddl(ace) for ace, rule in mine.items() if rule.inherited]
    remark = f"{dn} inherits {', '.join(above)} for {name}: take it away where it stands." if above else ""
    if not own:
        return None, remark
    if not is_canonical(aces):
        raise DelegationError(
            "change the access list",
            on=dn,
            got="its entries are not in canonical order (explicit deny, explicit allow, inherited)",
            advice="Put it in order with the Security tab of Active Directory Users and Computers, then run again.",
        )
    after = descriptor.with_dacl(tuple(ace for ace in aces if ace not in own))
    gone = ", ".join(ace_to_sddl(ace) for ace in own)
    summary = f"{dn}: - every entry of {name}: {gone}"
    return Change("replace_dacl", dn, dacl_lines(descriptor), dacl_lines(after), summary, after), remark
