# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a directory as only tests write them: a FILETIME, a whole descriptor as SDDL, another well-known SID."""

from __future__ import annotations

import datetime

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import ace_to_sddl
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid

AUTHENTICATED_USERS = Sid(5, (11,))

_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
_DACL_CONTROL = ((0x1000, "P"), (0x0100, "AR"), (0x0400, "AI"))
_SACL_CONTROL = ((0x2000, "P"), (0x0200, "AR"), (0x0800, "AI"))


def to_filetime(moment: datetime.datetime) -> int:
    """Return the FILETIME of a moment (100 nanoseconds since 1601, MS-DTYP 2.3.3)."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) * 10


def descriptor_to_sddl(descriptor: SecurityDescriptor) -> str:
    """Return a whole descriptor as SDDL."""
    owner = f"O:{Sid.from_bytes(descriptor.owner).sddl}" if descriptor.owner else ""
    group = f"G:{Sid.from_bytes(descriptor.group).sddl}" if descriptor.group else ""
    dacl = _list("D", descriptor.control, 0x0004, _DACL_CONTROL, descriptor.dacl)
    return owner + group + dacl + _list("S", descriptor.control, 0x0010, _SACL_CONTROL, descriptor.sacl)


def _list(letter: str, control: int, present: int, names: tuple[tuple[int, str], ...], acl: Acl | None) -> str:
    if not control & present:
        return ""
    head = f"{letter}:" + "".join(name for bit, name in names if control & bit)
    return head + ("".join(map(ace_to_sddl, acl.aces)) if acl else "NO_ACCESS_CONTROL")
