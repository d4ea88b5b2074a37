# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Writing access lists: the list alone, one object at a time, each read back and compared."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import (
    Entry,
    Procedure,
    Read,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import INHERITED
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor

_ATTRIBUTE = "nTSecurityDescriptor"


def write_dacl(dn: str, known: SecurityDescriptor, wanted: SecurityDescriptor) -> Procedure[str]:
    """Replace the access list of one object, if it still is the one that is known, then read it back.

    LDAP cannot compare and change in one step: here the two follow each other at once. Returns the name.

    Only WRITE_DAC is needed: the SD flags control keeps owner, group and audit list out of the request
    (MS-ADTS 3.1.1.3.4.1.11).

    Raises:
        DirectoryError: Somebody else changed it meanwhile, the directory refuses, or it holds something else afterwards
            than what was written.

    """
    if _held((yield _read(dn))) != _explicit(known):
        raise DirectoryError(
            "change the access list",
            on=dn,
            got="somebody else has changed it since it was read",
            advice="Nothing was written to it. Run again.",
        )
    yield Write(dn, {_ATTRIBUTE: ("replace", [wanted.to_bytes()])}, dacl=True)
    if _held((yield _read(dn))) != _explicit(wanted):
        raise DirectoryError(
            "verify the access list that was written",
            on=dn,
            got="the directory holds other entries than those written",
            advice="Somebody else may have changed it at the same moment. Look at it, then run again.",
        )
    return dn


def _read(dn: str) -> Read:
    return Read(dn, [_ATTRIBUTE], dacl=True)


def _held(entry: Entry | None) -> tuple[bytes, ...] | None:
    data = entry.one(_ATTRIBUTE) if entry else None
    return None if data is None else _explicit(SecurityDescriptor.parse(data))


def _explicit(descriptor: SecurityDescriptor) -> tuple[bytes, ...]:
    """Return the entries that are the object's own; the inherited ones are the server's to keep up to date."""
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    return tuple(ace for ace in aces if not ace[1] & INHERITED)
