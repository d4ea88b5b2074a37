# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_server_info and odj_prereqs: look, and say what was seen."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.look import Scope, facts_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import (
    UnmetPrerequisites,
    judge,
    to_facts,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Look
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.survey import survey


class _Reading:
    """A job that changes nothing."""

    def __init__(self, host: Host, scope: Scope) -> None:
        self._host = host
        self._scope = scope
        self._look = Look({}, 0.0, 0.0)

    def plan(self) -> Plan:
        self._look = survey(self._host, self._scope)
        return Plan()

    def apply(self, plan: Plan) -> None:
        raise NotImplementedError


class ServerInfo(_Reading):
    """All facts of a scope as ``server``."""

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``server``."""
        return {"server": facts_of(self._look, self._scope)}


class Prerequisites(_Reading):
    """Verdicts on the prerequisites.

    Args:
        host: The server.
        scope: What is asked.
        domain: DNS name of the domain it should be a member of, or None for any.
        fail_on_unmet: Whether an unmet prerequisite is an error.
    """

    def __init__(self, host: Host, scope: Scope, *, domain: str | None, fail_on_unmet: bool) -> None:
        super().__init__(host, scope)
        self._domain = domain
        self._fail_on_unmet = fail_on_unmet

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``prerequisites``, ``unmet`` and ``warnings``.

        Raises:
            UnmetPrerequisites: One is not met and that is to be an error.
        """
        verdicts = judge(self._look, self._scope, self._domain)
        if self._fail_on_unmet and any(one.verdict == "unmet" for one in verdicts):
            raise UnmetPrerequisites(self._host.name, verdicts)
        return to_facts(verdicts)
