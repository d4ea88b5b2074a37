# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Well-known SIDs: what people call them, and whether the access token of a service account holds them on a DC."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid

OWNER_RIGHTS = Sid(3, (4,))  # stands for whoever owns the object (MS-DTYP 2.4.2.4)
ENTERPRISE_DOMAIN_CONTROLLERS = Sid(5, (9,))
DOMAIN_CONTROLLERS_RID = 516

# SID -> (name, held by an account of the domain that asks a domain controller over the network). None: it depends on
# how it logged on. MS-DTYP 2.4.2.4 has the meaning of each.
_TABLE: dict[str, tuple[str, bool | None]] = {
    "S-1-1-0": ("Everyone", True),
    "S-1-2-0": ("LOCAL", False),
    "S-1-2-1": ("CONSOLE LOGON", False),
    "S-1-3-0": ("CREATOR OWNER", False),
    "S-1-3-1": ("CREATOR GROUP", False),
    "S-1-3-4": ("OWNER RIGHTS", None),
    "S-1-5-1": ("DIALUP", False),
    "S-1-5-2": ("NETWORK", True),
    "S-1-5-3": ("BATCH", False),
    "S-1-5-4": ("INTERACTIVE", False),
    "S-1-5-6": ("SERVICE", False),
    "S-1-5-7": ("ANONYMOUS LOGON", False),
    "S-1-5-9": ("ENTERPRISE DOMAIN CONTROLLERS", False),
    "S-1-5-10": ("SELF", False),
    "S-1-5-11": ("Authenticated Users", True),
    "S-1-5-12": ("RESTRICTED", None),
    "S-1-5-13": ("TERMINAL SERVER USER", False),
    "S-1-5-14": ("REMOTE INTERACTIVE LOGON", False),
    "S-1-5-15": ("This Organization", True),
    "S-1-5-17": ("IUSR", False),
    "S-1-5-18": ("SYSTEM", False),
    "S-1-5-19": ("LOCAL SERVICE", False),
    "S-1-5-20": ("NETWORK SERVICE", False),
    "S-1-5-33": ("WRITE RESTRICTED", None),
    "S-1-5-1000": ("Other Organization", False),
}
ALWAYS_HELD = frozenset(Sid.parse(text) for text, (name, held) in _TABLE.items() if held)


_FIRST_OWN_RID = 1000


def well_known_name(sid: Sid) -> str:
    """Return what people call it; "" when the table has no name for it."""
    return _TABLE.get(str(sid), ("", None))[0]


def held_over_the_network(sid: Sid) -> bool | None:
    """Say whether a token holds it that was made for an access over the network; None when that cannot be known."""
    return _TABLE.get(str(sid), ("", None))[1]


def was_given_by(sid: Sid, domain: tuple[int, ...]) -> bool:
    """Say whether a domain gave this SID to an account of its own: without an object, it is that of a deleted one.

    Relative identifiers below 1000 are accounts that Windows itself defines (MS-DTYP 2.4.2.4), of which older domains
    have fewer: that such a SID has no object does not mean that one was deleted.

    Args:
        sid: The SID.
        domain: The sub-authorities of the domain's own SID.

    """
    return sid.sub_authorities[:-1] == domain and sid.sub_authorities[-1:] >= (_FIRST_OWN_RID,)


def is_of_a_domain(sid: Sid) -> bool:
    """Say whether it is an account or a group of a domain, or a built-in group: what memberships alone decide.

    S-1-5-21-0-0-0-496 and 497 look alike and are not: they tell how somebody logged on (MS-DTYP 2.4.2.4).
    """
    numbers = sid.sub_authorities
    return sid.authority == 5 and (numbers[:1] == (32,) or (numbers[:1] == (21,) and numbers[:4] != (21, 0, 0, 0)))
