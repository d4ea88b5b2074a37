# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What odj_organizational_unit_info takes and does."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from contextlib import AbstractContextManager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.lookup import DomainLookup
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.organizational_units import find_units
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import (
    OrganizationalUnit,
    parse_all,
    refuse_missing,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import (
    DIRECTORY_OPTIONS,
    OpenDirectory,
    job_in_directory,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import Job, ReadOnlyJob

SPEC: dict[str, t.Any] = {
    "argument_spec": {
        **DIRECTORY_OPTIONS,
        "organizational_units": {"type": "list", "elements": "str", "required": True},
        "require": {"type": "bool", "default": False},
    }
}


class OrganizationalUnitInfo(ReadOnlyJob):
    """Looks the units up once."""

    def __init__(self, directory: Directory, requested: list[str], names: tuple[Dn, ...], *, require: bool) -> None:
        self._directory = directory
        self._requested = requested
        self._names = names
        self._require = require
        self._units: tuple[OrganizationalUnit, ...] = ()

    def read(self) -> None:
        """Look the units up.

        Raises:
            TargetError: Units are missing, and the user wants that to be an error.
        """
        self._units = find_units(DomainLookup(self._directory), self._requested, self._names)
        if self._require:
            refuse_missing(self._units)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what was found, in the order of the question."""
        return {
            "organizational_units": [unit.to_json() for unit in self._units],
            "directory": self._directory.facts(),
        }


def open_job(params: Mapping[str, t.Any], open_it: OpenDirectory = open_directory) -> AbstractContextManager[Job]:
    """Return the job; the distinguished names are checked before anything is contacted."""
    requested = params["organizational_units"]
    names = parse_all(requested)
    return job_in_directory(
        params, lambda d: OrganizationalUnitInfo(d, requested, names, require=params["require"]), open_it
    )
