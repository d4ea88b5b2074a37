# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The plan: what would change, why, and what follows from it; and the record of how far a task got with it.

Each module reads, states what is desired, and compares; the result is a plan of operations. Whether something changed,
the diff and the answer of check mode are read off the plan and its record, never assigned.

An operation holds all that it takes to perform it, and nothing that only the process knows that planned it. So it goes
through JSON (``operation_json.py``) and can be performed by another process, later.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

_TOLD = ("target", "before", "after", "summary", "reason")  # what a result tells of an operation
MOST_NAMED = 20  # operations that a message names; the result names all


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What every operation says of itself.

    Attributes:
        ACTION: The verb, one word with underscores.
        INTERRUPTS: A connector that works is out of service meanwhile, even for seconds, or does not start again.
        target: What it is done to: a DN, a path, a server.
        before: Text of the present state as a person reads it, lines ended by a newline; "" when absent.
        after: The same for the state after the operation.
        summary: One sentence for people.
        reason: Why it is planned, as a sentence.
    """

    ACTION: t.ClassVar[str]
    INTERRUPTS: t.ClassVar[bool] = False

    target: str
    before: str
    after: str
    summary: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDacl(Described):
    """Write the access list of one object of the directory.

    Attributes:
        known: nTSecurityDescriptor with the access list alone, as it was read: another one is not overwritten.
        wanted: The same, as it is to be.
    """

    ACTION = "replace_dacl"

    known: bytes = field(repr=False)
    wanted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDacl(WriteDacl):
    """Put an older access list back."""

    ACTION = "restore_dacl"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccount(Described):
    """Create a managed service account.

    Attributes:
        object_class: Of the schema.
        values: The attributes.
    """

    ACTION = "create"

    object_class: str
    values: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyAccount(Described):
    """Set attributes of an account.

    Attributes:
        values: The new values; None clears an attribute.
    """

    ACTION = "modify"

    values: Mapping[str, bytes | None] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAccount(Described):
    """Remove an account; its SID never comes back."""

    ACTION = "delete"
    INTERRUPTS = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHost(Described):
    """Make a computer (the target) the host of an account.

    Attributes:
        account: Its distinguished name.
    """

    ACTION = "link_host"

    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkHost(Described):
    """Take an account from a computer (the target).

    Attributes:
        account: Its distinguished name.
    """

    ACTION = "unlink_host"
    INTERRUPTS = True

    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceFile(Described):
    """Replace a file of a server (the target is its path) in one step, and keep the old one.

    Attributes:
        content: What it is to hold.
        expected_sha256: Of the file as it was read, in lower case hex: another one is not overwritten.
        backup_path: Where the old file goes.
        keep_backups: How many backups that are named as this one stay; 0 for all.
    """

    ACTION = "replace_file"

    content: bytes = field(repr=False)
    expected_sha256: str
    backup_path: str
    keep_backups: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInstaller(Described):
    """Bring the connector's installer to a server (the target) that has none, and run it.

    Attributes:
        path: On the server or on a share; one of path, src and url is given.
        src: On the controller.
        url: Fetched by the server.
        checksum: SHA-256 of the installer, in lower case hex.
        arguments: Command line after the program.
        success_codes: Exit codes that mean success.
    """

    ACTION = "install"

    path: str | None = None
    src: str | None = None
    url: str | None = field(default=None, repr=False)
    checksum: str | None = None
    arguments: str = field(default="", repr=False)
    success_codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUpgrade(RunInstaller):
    """Run the installer of a newer build on a server that has a connector."""

    ACTION = "upgrade"
    INTERRUPTS = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUninstaller(Described):
    """Run what an uninstall entry of a server (the target) registers.

    Attributes:
        product_id: Name of the entry's key.
        msi: Windows Installer removes it, which needs no arguments.
        arguments: Command line after the registered program.
        success_codes: Exit codes that mean success.
    """

    ACTION = "uninstall"
    INTERRUPTS = True

    product_id: str
    msi: bool
    arguments: str = field(default="", repr=False)
    success_codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartServer(Described):
    """Restart a server (the target) and wait until it answers again."""

    ACTION = "restart"
    INTERRUPTS = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStartType(Described):
    """Have Windows start a service of a server (the target) by itself.

    Attributes:
        service: Its name.
    """

    ACTION = "set_start_type"

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartService(Described):
    """Start a service of a server (the target).

    Attributes:
        service: Its name.
    """

    ACTION = "start_service"

    service: str


DirectoryOperation: t.TypeAlias = WriteDacl | CreateAccount | ModifyAccount | DeleteAccount | LinkHost | UnlinkHost
WindowsOperation: t.TypeAlias = (
    ReplaceFile | RunInstaller | RunUninstaller | RestartServer | SetStartType | StartService
)
Operation: t.TypeAlias = DirectoryOperation | WindowsOperation
OPERATIONS: dict[str, type[Operation]] = {
    kind.__name__: kind for kind in (*t.get_args(Operation), RestoreDacl, RunUpgrade)
}


@dataclass(frozen=True, slots=True)
class Fence:
    """Keeps a run that was given up from changing a server that another run has begun to work on.

    Attributes:
        run: Names the run.
        epoch: Grows with each run that takes over; a server that has seen a higher one refuses.
    """

    run: str
    epoch: int

    def to_json(self) -> dict[str, object]:
        """Return it as the change script takes it."""
        return {"run": self.run, "epoch": self.epoch}


@dataclass(frozen=True, slots=True)
class SideCondition:
    """Something that follows from a change and that somebody has to know or do.

    Attributes:
        kind: "restart_service", "reboot", "sign_in" ...
        target: What it concerns.
        reason: One sentence for people.
    """

    kind: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations in the order in which they are to be performed, with what follows. False when empty."""

    changes: tuple[Operation, ...] = ()
    side_conditions: tuple[SideCondition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def to_json(self) -> dict[str, list[dict[str, t.Any]]]:
        """Return the plan as a task result tells it: ``changes`` and ``side_conditions``, nothing to perform it by."""
        return {
            "changes": [
                {"action": c.ACTION, **{name: getattr(c, name) for name in _TOLD}, "interrupts": c.INTERRUPTS}
                for c in self.changes
            ],
            "side_conditions": [{"kind": s.kind, "target": s.target, "reason": s.reason} for s in self.side_conditions],
        }

    def to_diff(self) -> list[dict[str, str]]:
        """Return Ansible's list form of a diff, one entry for each change."""
        return diff_of(self.changes)


def diff_of(operations: Iterable[Operation]) -> list[dict[str, str]]:
    """Return Ansible's list form of a diff of some operations."""
    return [
        {"before_header": c.target, "after_header": c.target, "before": c.before, "after": c.after} for c in operations
    ]


@dataclass(slots=True)
class Record:
    """How far a task got with its plan.

    Attributes:
        plan: What is to be done.
        done: What was.
        in_doubt: What was begun, and nobody knows whether it was done.
        evidence: What a result is to hold beside that when the task fails.
        warnings: Sentences for people.
    """

    plan: Plan = field(default_factory=Plan)
    done: list[Operation] = field(default_factory=list)
    in_doubt: list[Operation] = field(default_factory=list)
    evidence: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @contextmanager
    def performing(self, operation: Operation) -> Iterator[None]:
        """Take note of an operation round what performs it; whatever ends it unexpectedly leaves it in doubt."""
        self.in_doubt.append(operation)
        try:
            yield
        except OdjError as problem:
            if not problem.in_doubt:
                self.in_doubt.remove(operation)
            raise
        self.in_doubt.remove(operation)
        self.done.append(operation)

    @property
    def touched(self) -> bool:
        """Whether anything was, or may have been, changed."""
        return bool(self.done or self.in_doubt)

    def sentence(self) -> str:
        """Return what was changed before a task failed, for its message; "" when that is nothing."""
        if not self.done:
            return ""
        names = [one.target if isinstance(one, WriteDacl) else one.summary for one in self.done]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        return f"Changed before this: {'; '.join(names[:MOST_NAMED]).rstrip('.')}{more}."

    def to_json(self) -> dict[str, t.Any]:
        """Return what the result of a failed task holds: what was done, and what is in doubt, counts as changed."""
        made = [*self.done, *self.in_doubt]
        left = [one for one in self.plan.changes if one not in made]
        parts = {"done": self.done, "in_doubt": self.in_doubt, "left": left}
        progress = {
            name: [{"action": c.ACTION, "target": c.target, "summary": c.summary} for c in operations]
            for name, operations in parts.items()
        }
        plan = self.plan.to_json()
        return {"changed": self.touched, "diff": diff_of(made), "plan": plan, "progress": progress, **self.evidence}
