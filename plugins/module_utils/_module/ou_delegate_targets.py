# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The units that odj_ou_delegate was told, and which of them it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.organizational_unit import (
    COMPUTERS_CONTAINER_GUID,
    DOMAIN_CONTROLLERS_GUID,
    Landmarks,
    OrganizationalUnit,
    refuse_missing,
    refuse_unsuitable,
)


@dataclass(frozen=True, slots=True)
class Targets:
    """The units that the user named.

    Attributes:
        names: As parsed, with the user's own spelling.
        allowed: Unusual targets that are wanted all the same.
        username: As whom the directory is used, for messages.

    """

    names: Mapping[Dn, str]
    allowed: Sequence[Dn]
    username: str

    def find(self, domains: Domains) -> tuple[OrganizationalUnit, ...]:
        """Return the units with their access lists.

        Raises:
            TargetError: Names every one that does not exist, or whose access list is not to be edited.

        """
        units = find_units(domains, list(self.names.values()), list(self.names))
        refuse_missing(units)
        unusual = any(unit.object_class != "organizationalUnit" for unit in units)
        computers = domains.well_known(COMPUTERS_CONTAINER_GUID) if unusual else ""
        controllers = domains.well_known(DOMAIN_CONTROLLERS_GUID)
        refuse_unsuitable(units, Landmarks.of(domains.base, controllers, computers), self.allowed)
        return units
