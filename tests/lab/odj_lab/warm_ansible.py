# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible that is imported once and forked for each run, so that a run costs what it does and not what starting costs.

The programs are the unmodified ones and do what they do when they are started by their names; tests that a user's own
start matters to do that. What Ansible takes from the environment when it is imported (ANSIBLE_...) comes from whoever
imported it, so there is one such process for each set of these variables. It ends with the process that uses it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# What Ansible itself imports late, and in each of its workers again.
PROGRAMS = {"ansible": "ansible.cli.adhoc", "ansible-playbook": "ansible.cli.playbook"}
LATE = ("requests_ntlm", "spnego", "winrm", "xmltodict", "ansible.executor.module_common")
LARGEST_REQUEST = 1 << 20
_STARTING = threading.Lock()
_servers: dict[frozenset[tuple[str, str]], socket.socket] = {}


def run(
    program: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None] = lambda __: None,
) -> tuple[int, str]:
    """Run one of Ansible's programs in the present directory.

    Args:
        program: One of PROGRAMS.
        words: Its arguments.
        environment: All environment variables that it is to see.
        on_line: Called with each line that it prints, as it comes.

    Returns:
        The exit code (-1 when it did not come to its end) and all that it printed, errors included.

    """
    request = {"program": program, "words": words, "environment": dict(environment), "directory": str(Path.cwd())}
    (output, output_in), (outcome, outcome_in) = os.pipe(), os.pipe()
    try:
        socket.send_fds(_server(environment), [json.dumps(request).encode()], [output_in, outcome_in])
    finally:
        os.close(output_in)
        os.close(outcome_in)
    lines = []
    with os.fdopen(output, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            lines.append(line)
            on_line(line.rstrip("\n"))
    with os.fdopen(outcome, encoding="ascii") as stream:
        return int(stream.read() or -1), "".join(lines)


def _server(environment: Mapping[str, str]) -> socket.socket:
    """Return the socket of the process that has imported Ansible with these settings, started when there is none."""
    key = frozenset((name, value) for name, value in environment.items() if name.startswith(("ANSIBLE_", "PYTHON")))
    with _STARTING:
        if key not in _servers:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            source = os.pathsep.join([str(Path(__file__).parents[1]), environment.get("PYTHONPATH", "")])
            subprocess.Popen(
                [sys.executable, "-m", "odj_lab.warm_ansible", str(theirs.fileno())],
                env={**environment, "PYTHONPATH": source},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            theirs.close()
            _servers[key] = ours
        return _servers[key]


def serve(requests: socket.socket) -> None:
    """Import Ansible, then fork for each request until nobody can make one any more."""
    for name in (*PROGRAMS.values(), *LATE):
        __import__(name)
    gc.freeze()  # what is imported stays: no fork's collector has to look at it, and so to copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks: they tell their outcome themselves
    while True:
        message, descriptors, __, __ = socket.recv_fds(requests, LARGEST_REQUEST, 2)
        if not message:
            return
        if os.fork() == 0:
            requests.close()
            _be(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _be(request: dict[str, t.Any], output: int, outcome: int) -> t.NoReturn:
    """Become the program of a request."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code: object = 1
    try:
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        sys.argv = [request["program"], *request["words"]]
        with _own_directory():
            sys.modules[PROGRAMS[request["program"]]].main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(outcome, str(code if isinstance(code, int) else int(code is not None)).encode())
        os._exit(0)


@contextlib.contextmanager
def _own_directory() -> t.Iterator[None]:
    """Have a directory for temporary files for this run alone: that of the import is for all, and is deleted last.

    What Ansible keeps there of the modules that it has packed is shared: all runs of a process have the same modules.
    """
    from ansible.config.manager import cleanup_tmp_file

    constants: t.Any = sys.modules["ansible.constants"]
    atexit.unregister(cleanup_tmp_file)
    before = Path(constants.DEFAULT_LOCAL_TMP)
    constants.DEFAULT_LOCAL_TMP = tempfile.mkdtemp(prefix="ansible-local-", dir=before.parent)
    packed = before / "ansiballz_cache"
    packed.mkdir(exist_ok=True)
    Path(constants.DEFAULT_LOCAL_TMP, packed.name).symlink_to(packed)
    try:
        yield
    finally:
        shutil.rmtree(constants.DEFAULT_LOCAL_TMP, ignore_errors=True)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
