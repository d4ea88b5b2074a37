# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Glue of the modules that run on the controller: options in, task result out. The only caller of fail_json there."""

from __future__ import annotations

import gc
import typing as t
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Job, carry_out

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
    gc.freeze()  # what is imported stays: the collector need not look at it again and again
    try:
        with open_job(module.params) as job:
            result = carry_out(job, check_mode=module.check_mode)
    except OdjError as error:
        module.fail_json(msg=str(error), error=error.to_json(), exception=error)
    module.exit_json(**result)
