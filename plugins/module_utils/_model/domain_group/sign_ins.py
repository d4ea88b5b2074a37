# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a run needs a person for: the sign-ins that nothing automates, as data and as lines.

The wizard and what it says: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.members import Member, text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import DISPLAY_NAME

_AWAITING = "awaiting_sign_in"
_WHO = (
    "An Entra account with the role Intune Administrator and an Intune licence, signed in to the server with an "
    "account that is a local administrator there"
)
_MAKES_ACCOUNT = " and may create msDS-ManagedServiceAccount objects in the container Managed Service Accounts"
_EARLIER = (
    "Where somebody signed in before, the earlier service account, its rights on the OUs and its entry in Intune stay: "
    "see orphans of odj_msa_info, purge_orphans of odj_ou_delegate, duplicates of odj_connector_info."
)
_STEPS = (
    f"Start menu > {DISPLAY_NAME} > {DISPLAY_NAME}.",
    "On the tab Enrollment choose Sign In, and sign in with the Entra account.",
    f'Wait for "The {DISPLAY_NAME} successfully enrolled".',
)


def awaiting(members: Iterable[Member]) -> list[str]:
    """Return the names of the servers that await their sign-in."""
    return [member.name for member in members if member.state == _AWAITING]


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
        if member.state == _AWAITING or member.name in to_come
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
    return [*lines, *([_EARLIER] if lines else ())]


def left_lines(left: Iterable[Member], connectors: Sequence[object]) -> list[str]:
    """Return a line for each server that the play has lost on its way, with what Intune shows of it.

    Args:
        left: These servers.
        connectors: The connectors as odj_connector_info returns them; empty when Intune was not asked.
    """
    rows = {text(one, "display_name").casefold(): one for one in connectors if isinstance(one, Mapping)}
    lines = []
    for member in left:
        shown = next((rows[name] for name in _names(member) if name in rows), None)
        seen = f"Intune shows it as {text(shown, 'state')}" if shown else "Intune does not show it" if rows else ""
        last = f", last contact {text(shown, 'last_connection_date_time') or 'never'}" if shown else ""
        lines.append(f"{member.name} has left the play before its end. {seen}{last}{'.' if seen else ''}".rstrip())
    return lines


def _names(member: Member) -> tuple[str, ...]:
    """Return the names that Intune may show a server by: as they are, and the first 15 characters of the host's."""
    host = member.address.partition(".")[0].casefold()
    return member.address.casefold(), host, host[:15]


def _place(one: Mapping[str, object]) -> str:
    where = one["server"] if one["where"] == one["server"] else f"{one['server']} ({one['where']})"
    return f"{where}, since {one['since']}" if one["since"] else str(where)
