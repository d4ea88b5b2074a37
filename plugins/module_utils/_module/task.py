# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""How a task runs: the job, the one check-mode gate, and the glue of the modules that run on the controller.

``run_module`` and ``run_stub`` are the only callers of fail_json; action plugins have a glue of their own.
"""

from __future__ import annotations

import gc
import logging
import os
import time
import traceback
import typing as t
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, missing_required_lib

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import LOGGER
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan, Record


class SystemClock:
    """The clock of the computer that the task runs on (see ``_model/clock.py``)."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some moment in the past; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Job(t.Protocol):
    """The work of one task, as the glue sees it: read and plan, apply, settle."""

    def plan(self) -> Plan:
        """Read the present state and return what would have to change. Writes nothing and waits for nobody."""

    def apply(self, plan: Plan, record: Record) -> None:
        """Make the changes of the plan and verify them. Called only when there are any and the run is not a check."""

    def settle(self, plan: Plan, record: Record) -> None:
        """Wait for what follows from the changes, now or those of an earlier run; never called in check mode."""

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return what the task result holds beside ``changed``, ``diff`` and ``plan``; called last."""


class ReadOnlyJob:
    """A job that changes nothing: ``read`` is all its work, and its plan is always empty."""

    def read(self) -> None:
        """Read the present state."""
        raise NotImplementedError

    def plan(self) -> Plan:
        """Read, and return the empty plan."""
        self.read()
        return Plan()

    def apply(self, plan: Plan, record: Record) -> None:
        """Refuse: nobody applies an empty plan."""
        raise NotImplementedError

    def settle(self, plan: Plan, record: Record) -> None:
        """Do nothing: nothing follows from reading."""


OpenJob: t.TypeAlias = Callable[[Mapping[str, t.Any]], AbstractContextManager[Job]]


def carry_out(job: Job, *, check_mode: bool, record: Record | None = None) -> dict[str, object]:
    """Read, plan and (outside check mode) apply and settle; return the task result.

    This is the only check-mode gate there is.

    Args:
        job: The work.
        check_mode: Plan only.
        record: Tells afterwards how far it got, whatever ended it.

    Raises:
        OdjError: Whatever the job raises passes through, with a sentence about what was changed before.
    """
    record = Record() if record is None else record
    record.plan = plan = job.plan()
    if not check_mode:
        try:
            if plan:
                job.apply(plan, record)
            job.settle(plan, record)
        except OdjError as problem:
            problem.advise(record.sentence())
            raise
    result = {"changed": bool(plan), "diff": plan.to_diff(), "plan": plan.to_json(), **job.facts(plan)}
    if record.warnings:
        result["warnings"] = [*t.cast("list[str]", result.get("warnings", [])), *record.warnings]
    return result


def failure(error: OdjError, record: Record) -> dict[str, object]:
    """Return the task result of an error: message, its parts, the facts that it brings along, and how far it got."""
    facts: Mapping[str, object] = getattr(error, "facts", {})
    progress = record.to_json() if record.plan else {}
    warnings = {"warnings": record.warnings} if record.warnings else {}
    return {"failed": True, "msg": str(error), "error": error.to_json(), **facts, **progress, **warnings}


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
            # Text, since core before 2.19 takes no exception.
            module.fail_json(msg=missing_required_lib(name), exception="".join(traceback.format_exception(error)))
    _log_to(module.log)
    gc.freeze()  # what is imported stays: the collector need not look at it again and again
    record = Record()
    try:
        with open_job(module.params) as job:
            result = carry_out(job, check_mode=module.check_mode, record=record)
    except OdjError as error:
        module.no_log_values.update(getattr(error, "hidden", ()))
        result = failure(error, record)
    for warning in t.cast("list[str]", result.pop("warnings", [])):  # exit_json takes none from core 2.23 on
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**t.cast("dict[str, t.Any]", result))
    module.exit_json(**result)


def run_stub(spec: Mapping[str, t.Any]) -> None:
    """Be the module side of an action plugin: check the arguments against the spec and fail; does not return.

    Args:
        spec: Keyword arguments of AnsibleModule, the same that the action plugin checks its arguments with.
    """
    module = AnsibleModule(supports_check_mode=True, **spec)
    module.fail_json(msg="This module is an action plugin: Ansible must be able to load it on the controller.")


def from_environment(*names: str) -> tuple[Callable[..., str], list[str]]:
    """Return the ``fallback`` of an argument spec that tries these environment variables in their order."""
    return first_set, list(names)


def first_set(*names: str) -> str:
    """Return the first of some environment variables that is set and not empty.

    Ansible's own env_fallback stops at a variable that is set and empty, and the automation platform sets empty ones.

    Raises:
        AnsibleFallbackNotFound: None of them is, so the option is not set.
    """
    for name in names:
        if value := os.environ.get(name):
            return value
    raise AnsibleFallbackNotFound


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
