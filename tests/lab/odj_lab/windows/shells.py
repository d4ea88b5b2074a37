# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote shells and the commands in them: input collected, work done in a thread, output handed out in rounds."""

from __future__ import annotations

import base64
import collections
import threading
import typing as t
import uuid
from dataclasses import dataclass, field

from odj_lab.windows import wire

ROUND_BYTES = 96_000  # about what one envelope of Windows carries
FIRST_ROUND_SECONDS = 0.5
BUSY_ROUND_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Output:
    """What a command leaves: two streams and its exit code."""

    stdout: bytes = b""
    stderr: bytes = b""
    rc: int = 0


Report = t.Callable[[dict[str, int]], None]
Run = t.Callable[[str, bytes], tuple[Output, Report]]


@dataclass(slots=True)
class Command:
    """One command of a shell."""

    line: str
    counts: collections.Counter[str]
    run: Run
    stdin: list[bytes] = field(default_factory=list)
    output: Output | None = None
    report: Report | None = None
    given: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        """Begin the work; its output is there when `output` is set."""
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        output, report = self.run(self.line, b"".join(self.stdin))
        with self.changed:
            self.output, self.report = output, report
            self.changed.notify_all()

    def close(self) -> None:
        """Report the execution with the requests that it took."""
        with self.changed:
            report, self.report = self.report, None
        if report:
            report(dict(self.counts))

    def receive(self, request: wire.Request) -> bytes:
        """Answer one Receive: a round of output, "still running", or a time-out fault as Windows sends it.

        Raises:
            wire.Fault: The operation timed out while the command is still busy; clients ask again.

        """
        first = self.counts["receive"] == 1
        with self.changed:
            patience = FIRST_ROUND_SECONDS if first else min(BUSY_ROUND_SECONDS, request.timeout)
            self.changed.wait_for(lambda: self.output is not None, patience)
            if self.output is None and first:
                return wire.received(request, [], None)
            if self.output is None:
                text = "The WS-Management service cannot complete the operation within the time specified."
                raise wire.Fault(wire.OPERATION_TIMEOUT, "TimedOut", text)
            begin, self.given = self.given, self.given + ROUND_BYTES
        piece = self.output.stdout[begin : self.given]
        if self.given < len(self.output.stdout):
            return wire.received(request, [("stdout", piece)], None)
        streams = [(n, d) for n, d in (("stdout", piece), ("stderr", self.output.stderr)) if d]
        return wire.received(request, streams, self.output.rc)


@dataclass(slots=True)
class Shells:
    """All shells of one server. They are gone when it goes down."""

    run: Run
    commands: dict[str, dict[str, Command]] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, request: wire.Request) -> bytes:
        """Answer one request.

        Raises:
            wire.Fault: Unknown shell or command, an action that the lab does not know, or a time-out.

        """
        known: dict[str, t.Callable[[wire.Request], bytes]] = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Delete": self._delete,
        }
        answer = known.get(request.action)
        if answer is None:
            raise wire.Fault(wire.NOT_SUPPORTED, "ActionNotSupported", f"The lab has no answer to {request.action}.")
        return answer(request)

    def close(self) -> None:
        """Forget every shell; commands not ended by their client are reported now."""
        with self.lock:
            left = [command for shell in self.commands.values() for command in shell.values()]
            self.commands.clear()
        for command in left:
            command.close()

    def _create(self, request: wire.Request) -> bytes:
        shell_id = str(uuid.uuid4()).upper()
        with self.lock:
            self.commands[shell_id] = {}
            self.unused.add(shell_id)
        return wire.created(request, shell_id)

    def _shell(self, request: wire.Request) -> dict[str, Command]:
        shell = self.commands.get(request.shell_id)
        if shell is None:
            text = (
                f"The request for the Windows Remote Shell with ShellId {request.shell_id} failed because the shell "
                "was not found on the server."
            )
            raise wire.Fault(wire.SHELL_NOT_FOUND, "InvalidSelectors", text)
        return shell

    def _found(self, request: wire.Request) -> Command:
        command = self._shell(request).get(request.command_id)
        if command is None:
            raise wire.Fault(wire.SHELL_NOT_FOUND, "InvalidSelectors", f"no command {request.command_id}")
        command.counts[request.action.lower()] += 1
        return command

    def _command(self, request: wire.Request) -> bytes:
        shell = self._shell(request)
        words = [
            node.text or "" for tag in ("Command", "Arguments") for node in request.body.iter(f"{{{wire.SHELL}}}{tag}")
        ]
        command_id = str(uuid.uuid4()).upper()
        with self.lock:
            opened = {"create": 1} if request.shell_id in self.unused else {}  # counted with a shell's first command
            self.unused.discard(request.shell_id)
            command = Command(" ".join(words), collections.Counter({**opened, "command": 1}), self.run)
            shell[command_id] = command
        if request.options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() == "TRUE":
            command.start()
        return wire.started(request, command_id)

    def _send(self, request: wire.Request) -> bytes:
        command = self._found(request)
        stream = next(request.body.iter(f"{{{wire.SHELL}}}Stream"))
        command.stdin.append(base64.b64decode(stream.text or ""))
        if (stream.get("End") or "").lower() == "true":
            command.start()
        return wire.done(request)

    def _receive(self, request: wire.Request) -> bytes:
        return self._found(request).receive(request)

    def _signal(self, request: wire.Request) -> bytes:
        command = self._found(request)
        with self.lock:
            self._shell(request).pop(request.command_id, None)
        command.close()
        return wire.done(request)

    def _delete(self, request: wire.Request) -> bytes:
        shell = self._shell(request)
        with self.lock:
            self.commands.pop(request.shell_id, None)
        for command in shell.values():
            command.close()
        return wire.done(request)
