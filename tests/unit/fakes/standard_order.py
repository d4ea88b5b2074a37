# SPDX-License-Identifier: GPL-3.0-or-later
"""What Active Directory does to an access list that it is given, and Samba does not."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor


def standardised(data: bytes) -> bytes:
    """Return what Active Directory keeps of a descriptor that it is given (MS-ADTS 6.1.3.1); Samba keeps the order."""
    descriptor = SecurityDescriptor.parse(data)
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    groups = [(bool(ace[1] & 0x10), ace[0] in (0, 5)) for ace in aces]
    if not descriptor.dacl or groups != sorted(groups):  # not in canonical form: left alone
        return data
    ordered = sorted(set(aces), key=lambda ace: (ace[1] & 0x10, ace[0] in (0, 5), ace[0] in (5, 6), ace))
    return descriptor.with_dacl(tuple(ordered)).to_bytes()
