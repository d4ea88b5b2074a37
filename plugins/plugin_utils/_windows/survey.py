# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""One look at a connector server; a second one only when the connector lies somewhere else than expected."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.look import (
    Scope,
    config_probes,
    other_install_path,
    questions,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Look, Probe
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host


def survey(host: Host, scope: Scope, extra: Sequence[Probe] = ()) -> Look:
    """Return the answers to all questions of a scope, and to ``extra`` ones, in one remote execution.

    Raises:
        WindowsError: There are no answers at all.
    """
    look = host.look([*questions(scope), *extra])
    elsewhere = other_install_path(look, scope)
    return look if elsewhere is None else look.merged(host.look(config_probes(elsewhere)))
