# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a job of the directory side against the fake, the way a task would."""

from __future__ import annotations

import types
import typing as t
from contextlib import AbstractContextManager, nullcontext

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory, Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import FakeDirectory

CONNECTION = {"server": "dc1", "username": "CONTOSO\\auto", "password": "secret-word"}


def parameters(module: types.ModuleType, **options: t.Any) -> dict[str, t.Any]:
    """Return the options as AnsibleModule would hand them over."""
    spec = module.SPEC["argument_spec"]
    assert set(options) <= set(spec)
    return {**{name: option.get("default") for name, option in spec.items()}, **CONNECTION, **options}


def run(
    module: types.ModuleType, directory: FakeDirectory, *, check: bool = False, **options: t.Any
) -> dict[str, t.Any]:
    """Return the task result; in check mode the directory refuses writes."""
    directory.counts.clear()
    directory.counts["bind"] = 1
    directory.read_only = check

    def opened(settings: Settings, clock: Clock) -> AbstractContextManager[Directory]:
        directory.counts["search"] += 1  # the rootDSE, before the logon
        return nullcontext(directory)

    with module.open_job(parameters(module, **options), opened) as job:
        return carry_out(job, check_mode=check)
