# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Where an inherited entry comes from: the entry of an object above that is passed on as it (MS-ADTS 6.1.3)."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    CONTAINER_INHERIT,
    NO_PROPAGATE,
    AccessRule,
)

_GENERIC = 0xF0000000  # GENERIC_ALL, EXECUTE, WRITE and READ: an heir carries them, or what they mean


def passes_on(own: AccessRule, heir: AccessRule, *, to_child: bool) -> bool:
    """Say whether an entry of an object above is the one that an inherited entry comes from.

    The class of the heirs is not compared: on an heir, the entry may have lost it.

    Args:
        own: The entry above.
        heir: The inherited entry.
        to_child: The heir is on a child of that object, not further down.

    """
    inheritable = own.flags & CONTAINER_INHERIT and not (own.flags & NO_PROPAGATE and not to_child)
    return bool(inheritable) and not own.inherited and _said(own) == _said(heir)


def _said(rule: AccessRule) -> tuple[object, ...]:
    return rule.allow, rule.rights & ~_GENERIC, rule.trustee, rule.object_type, rule.conditional
