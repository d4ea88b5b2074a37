# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The state restored of odj_ou_delegate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.restore_file import RestoreFile
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change, Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.restore_point import (
    RestorePoint,
    by_object,
    restore,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.access_lists import AccessLists
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_delegate_targets import Targets


class OuRestore:
    """Puts access lists back to what they were before the last change that a file of restore points knows of."""

    def __init__(
        self,
        directory: Directory,
        targets: Targets,
        backup: RestoreFile,
        points: Sequence[RestorePoint],
        *,
        force: bool,
    ) -> None:
        self._directory = directory
        self._targets = targets
        self._backup = backup
        self._points = by_object(points)
        self._force = force
        self._lists: AccessLists | None = None

    def plan(self) -> Plan:
        """Return one change for each unit that is not as it was.

        Raises:
            OdjError: A unit has no restore point, or somebody else changed its list since.

        """
        domains = Domains(self._directory)
        units = self._targets.find(domains)
        self._lists = AccessLists(domains, self._targets.username, self._backup, restores=True)
        self._lists.parse(units)
        return self._lists.plan(units, self._compare)

    def apply(self, plan: Plan) -> None:
        """Write the access lists, each read back."""
        if self._lists:
            self._lists.apply(plan)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what it cost; there are no delegations to tell of."""
        more = self._lists.facts() if self._lists else {}
        return {"delegations": [], "directory": self._directory.facts(), **more}

    def _compare(self, dn: str, descriptor: SecurityDescriptor) -> Change | None:
        return restore(dn, descriptor, self._points.get(Dn.parse(dn).key, ()), force=self._force)
