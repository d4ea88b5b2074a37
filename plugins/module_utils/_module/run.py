# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Glue of the modules that run on the controller: options in, task result out. The only caller of fail_json there."""

from __future__ import annotations

import gc
import logging
import typing as t
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Job, carry_out

LOGGER = logging.getLogger("hybridjoin.odj")
OpenJob = Callable[[Mapping[str, t.Any]], AbstractContextManager[Job]]


def run_module(
    spec: Mapping[str, t.Any], open_job: OpenJob, *, libraries: tuple[tuple[str, ImportError | None], ...] = ()
) -> None:
    """Run one module from its arguments to its answer; does not return.

    Args:
        spec: Keyword arguments of AnsibleModule (argument_spec, mutually_exclusive, ...).
        open_job: Makes the job from the validated options; connecting happens when its context is entered.
        libraries: Name of each third-party library that the job needs, with the ImportError its adapter met (or None).

    """
    module = AnsibleModule(supports_check_mode=True, **spec)
    for name, error in libraries:
        if error is not None:
            module.fail_json(msg=missing_required_lib(name), exception=error)
    _log_to(module.log)
    gc.freeze()  # what is imported stays: the collector need not look at it again and again
    try:
        with open_job(module.params) as job:
            result = carry_out(job, check_mode=module.check_mode)
    except OdjError as error:
        module.fail_json(msg=str(error), error=error.to_json(), exception=error)
    for warning in t.cast("list[str]", result.pop("warnings", [])):  # exit_json takes none from core 2.23 on
        module.warn(warning)
    module.exit_json(**result)


class _SystemLog(logging.Handler):
    """Hands a line to the log of the computer that the module runs on, the one place it can speak to meanwhile."""

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log(record.getMessage())


def _log_to(log: Callable[[str], None]) -> None:
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False  # a module's output is its result alone
    LOGGER.handlers[:] = [_SystemLog(log)]
