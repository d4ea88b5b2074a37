# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_prereqs: look at a server, and judge what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import (
    UnmetPrerequisites,
    Verdict,
    check_prerequisites,
    prerequisite_facts,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import ReadOnlyJob
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, look_at


class Prerequisites(ReadOnlyJob):
    """Verdicts on the prerequisites.

    Args:
        host: The server.
        scope: What is asked.
        domain: DNS name of the domain it should be a member of, or None for any.
        fail_on_unmet: Whether an unmet prerequisite is an error.
    """

    def __init__(self, host: Host, scope: Scope, *, domain: str | None, fail_on_unmet: bool) -> None:
        self._host = host
        self._scope = scope
        self._domain = domain
        self._fail_on_unmet = fail_on_unmet
        self._verdicts: Sequence[Verdict] = ()

    def read(self) -> None:
        """Look at the server.

        Raises:
            WindowsError: There are no answers at all.
            UnmetPrerequisites: One is not met and that is to be an error.
        """
        self._verdicts = check_prerequisites(look_at(self._host, self._scope), self._scope, self._domain)
        if self._fail_on_unmet and any(one.verdict == "unmet" for one in self._verdicts):
            raise UnmetPrerequisites(self._host.name, self._verdicts)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``prerequisites``, ``unmet`` and ``warnings``."""
        return prerequisite_facts(self._verdicts)
