# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a run needs a person for: the sign-ins that nothing automates, as data and as lines.

The wizard and what it says: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import Member
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import DISPLAY_NAME

_WHO = (
    "An Entra account with the role Intune Administrator and an Intune licence, signed in to the server with an "
    "account that is a local administrator there"
)
_MAKES_ACCOUNT = " and may create msDS-ManagedServiceAccount objects in the container Managed Service Accounts"
_STEPS = (
    f"Start menu > {DISPLAY_NAME} > {DISPLAY_NAME}.",
    "On the tab Enrollment choose Sign In, and sign in with the Entra account.",
    f'Wait for "The {DISPLAY_NAME} successfully enrolled".',
)


def sign_ins_of(
    members: Iterable[Member], *, byo: bool, since: Mapping[str, str], to_come: Sequence[str] = ()
) -> list[dict[str, object]]:
    """Return the sign-ins that are still needed, each with server, domain, account_model, who, where, steps and since.

    Args:
        members: The servers, of any domain.
        byo: Whether the service account is brought along, so that the sign-in makes none.
        since: Since when a run knows of it, UTC in ISO 8601, by server.
        to_come: Servers of a check run on which the connector would be installed.
    """
    return [
        {
            "server": member.name,
            "domain": member.domain,
            "account_model": "byo" if byo else "wizard",
            "who": f"{_WHO}{'' if byo else _MAKES_ACCOUNT}.",
            "where": member.address,
            "steps": list(_STEPS),
            "since": since.get(member.name, ""),
        }
        for member in members
        if member.state == "awaiting_sign_in" or member.name in to_come
    ]


def lines_of(sign_ins: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the list as lines for people; who and how are said once for all servers of one account model."""
    lines = []
    for model in dict.fromkeys(str(one["account_model"]) for one in sign_ins):
        alike = [one for one in sign_ins if one["account_model"] == model]
        lines.append(f"A person has to sign in at: {', '.join(_place(one) for one in alike)}.")
        lines.append(f"Who: {alike[0]['who']}")
        steps = alike[0]["steps"]
        if isinstance(steps, Sequence):
            lines += [f"{place}. {step}" for place, step in enumerate(steps, 1)]
        lines.append("Then run this again: it goes on from there.")
    return lines


def _place(one: Mapping[str, object]) -> str:
    where = one["server"] if one["where"] == one["server"] else f"{one['server']} ({one['where']})"
    return f"{where}, since {one['since']}" if one["since"] else str(where)
