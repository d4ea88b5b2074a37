# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Glue of the modules that work on Windows servers: options in, task result out."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from contextlib import suppress

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Record
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import (
    Job,
    SystemClock,
    carry_out,
    failure,
)
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, WindowsHost
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.remembering_host import RememberingHost


class OdjAction(ActionBase):
    """Base of the action plugins: each names its argument spec and makes its job.

    Attributes:
        SPEC: The spec of the module of the same name, as validate_argument_spec takes it.
    """

    SPEC: t.ClassVar[Mapping[str, t.Any]]
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task; nothing remote happens yet.

        Raises:
            InvalidInput: The options cannot be meant.
        """
        raise NotImplementedError

    def _job(self, options: Mapping[str, t.Any], host: Host) -> Job:
        """Return the work of the task, from what an earlier one saw where that tells that there is nothing to do.

        Whatever else it tells is not believed: others may have been at the server since.
        """
        if options["snapshot"]:
            job = self.job(options, RememberingHost(host, Snapshot.from_json(options["snapshot"])))
            with suppress(OdjError):
                if not job.plan():
                    return job
        return self.job(options, host)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, object]:
        """Run the task and return its result; errors of ours become ``failed`` with ``msg`` and ``error``.

        A server that goes away is Ansible's own matter (unreachable); when something was begun by then, the result
        says so too.
        """
        super().run(tmp, task_vars)
        base: ActionBase = self
        _checked, options = base.validate_argument_spec(**self.SPEC)
        record = Record()
        try:
            job = self._job(options, WindowsHost(self, task_vars or {}, SystemClock()))
            return carry_out(job, check_mode=self._task.check_mode, record=record)
        except OdjError as error:
            return failure(error, record)
        except AnsibleConnectionFailure as error:
            if not record.touched:
                raise
            return {"unreachable": True, "msg": f"{error} {record.sentence()}".strip(), **record.to_json()}
