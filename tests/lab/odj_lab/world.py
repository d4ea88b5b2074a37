# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole lab: up, down, reset, wipe, and what runs. Each domain in a process, everything else in another."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from odj_lab import directory, inventory, pki, processes
from odj_lab.directory_content import fill
from odj_lab.files import write_private
from odj_lab.processes import LabError
from odj_lab.product import builds
from odj_lab.settings import Domain, Lab
from odj_lab.store import JsonStore
from odj_lab.windows import ssh

PACKAGES = ("ldap3", "cryptography", "spnego", "jwt", "yaml")
SERVER_PORTS = (5985, 5986, 22022)
CLOUD_PORT = 8443
DAEMON = "daemon"
Say = Callable[[str], None]


def daemon_record(lab: Lab) -> Path:
    """Return the file that names the daemon: the connector servers, the cloud and the heartbeats."""
    return lab.home / "run" / "daemon.pid"


def running(lab: Lab) -> dict[str, processes.Process]:
    """Return the processes of a lab that are alive: those of the domains by their DNS names, and the daemon's."""
    records = {domain.name: directory.record(domain) for domain in lab.domains} | {DAEMON: daemon_record(lab)}
    found = {name: processes.recorded(path) for name, path in records.items()}
    return {name: process for name, process in found.items() if process is not None}


def is_up(lab: Lab) -> bool:
    """Say whether everything of a lab runs."""
    return len(running(lab)) == len(lab.domains) + 1 and set(lab.servers) <= set(_served(lab))


def require(lab: Lab) -> None:
    """See that a lab is up.

    Raises:
        LabError: It is not.

    """
    if not is_up(lab):
        raise LabError(f"Lab {lab.name} is not up: bring it up first.")


def up(lab: Lab, say: Say) -> None:
    """Bring a lab up, or complete it when a part is missing. What was started is stopped again when that fails.

    Raises:
        LabError: Something is missing or in the way; the text says what.

    """
    _check(lab)
    with _alone(lab):
        if is_up(lab):
            say(f"lab {lab.name} is up already on {lab.net}.0")
            return
        before, kept = running(lab), Lab.load(lab.home) if lab.path.exists() else lab
        directory.stop_leftovers(lab)
        if DAEMON not in before:
            ssh.stop_leftovers(lab)
        with _claimed(lab.net):
            _check_ports(lab, before)
            try:
                _start(lab, say)
            except BaseException:
                _stop(lab, keep=tuple(before))
                if lab.home.exists():
                    kept.save()
                raise


def down(lab: Lab, say: Say) -> None:
    """Stop all processes of a lab; its data stay, so that the next ``up`` goes on from there."""
    with _alone(lab):
        stopped = _stop(lab)
    say(f"lab {lab.name}: stopped {' and '.join(stopped)}" if stopped else f"lab {lab.name} does not run")


def reset(lab: Lab, say: Say) -> None:
    """Bring a lab back to its first state and up; its domains, passwords and certificates stay.

    Raises:
        LabError: Something is missing or in the way; the text says what.

    """
    _check(lab)
    with _alone(lab):
        _stop(lab)
        for path in (lab.directory_dir, lab.home / "servers", lab.cloud_dir):
            shutil.rmtree(path, ignore_errors=True)
    up(lab, say)


def wipe(lab: Lab, say: Say) -> None:
    """Stop a lab and delete its directory."""
    with _alone(lab):
        _stop(lab)
        shutil.rmtree(lab.home, ignore_errors=True)
    say(f"lab {lab.name}: {lab.home} is deleted")


def _start(lab: Lab, say: Say) -> None:
    from odj_lab import cloud

    begun = time.monotonic()

    def phase(text: str) -> None:
        say(f"[{time.monotonic() - begun:5.1f} s] {text}")

    lab.save()
    pki.ensure_ca(lab)
    builds.write_installers(lab)
    for name in lab.servers:
        _create(JsonStore(lab.server_dir(name) / "state.json"), partial(server_state, lab, name))
    _create(JsonStore(lab.cloud_dir / "state.json"), partial(cloud.create_state, lab))
    directory.write_krb5_conf(lab)
    phase(f"state, certificates and installers in {lab.home}")
    for domain in lab.domains:
        directory.start(domain, _fill)
        phase(f"domain {domain.name}: dc1 on {domain.dc_address}, ldaps 636")
    if not set(lab.servers) <= set(_served(lab)):
        _restart_daemon(lab)
    phase(f"servers {', '.join(f'{s} {lab.server_address(s)}' for s in lab.servers)}: WS-Man 5985 and 5986")
    phase(f"Entra and Graph: {lab.cloud_url}")
    inventory.write(lab)
    if hint := _hint():
        phase(hint)
    phase(f"up; inventory {inventory.path(lab)}; ends by itself after {directory.maximum_seconds()} s")


def _fill(domain: Domain) -> None:
    from odj_lab import cloud

    fill(domain)
    cloud.add_domain_join_profile(domain)


def server_state(lab: Lab, name: str) -> dict[str, object]:
    """Return the state that a connector server begins with, the product's part included."""
    from odj_lab import windows

    product: dict[str, object] = {
        "build": None,
        "account": None,
        "connector_id": None,
        "exit_codes": [],
        "install_seconds": 0.5,
    }
    return {**windows.create_state(lab, name), "product": product}


def _restart_daemon(lab: Lab) -> None:
    """Start the daemon, in place of one that serves fewer servers: all that it knows is on disk."""
    if process := processes.recorded(daemon_record(lab)):
        processes.stop(process)
    source = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    environment |= {"ODJ_LAB_NAME": lab.name, "ODJ_LAB_HOME": str(lab.home.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "odj_lab", "serve"]
    pid = processes.spawn(argv, log=lab.home / "run" / "daemon.log", environment=environment)
    processes.record(daemon_record(lab), pid)
    write_private(_served_path(lab), "\n".join(lab.servers).encode())


def _served_path(lab: Lab) -> Path:
    return lab.home / "run" / "served"


def _served(lab: Lab) -> tuple[str, ...]:
    """Return the names of the servers that the daemon serves; none when there is no daemon."""
    if processes.recorded(daemon_record(lab)) is None or not _served_path(lab).exists():
        return ()
    return tuple(_served_path(lab).read_text(encoding="utf-8").split())


def _create(store: JsonStore, make: Callable[[], dict[str, object]]) -> None:
    if not store.path.exists():
        store.create(make())


def _hint() -> str:
    """Return what the servers will not be able to do, or nothing."""
    from odj_lab.windows.documented import documented
    from odj_lab.windows.trouble import NotSimulated

    try:
        documented("ansible.windows.win_ping")
    except NotSimulated:
        return "ansible.windows is not on ANSIBLE_COLLECTIONS_PATH, so the servers refuse its modules"
    return ""


def _check(lab: Lab) -> None:
    """See that this lab can be on this computer at all, before anything is touched."""
    wanted_net = os.environ.get("ODJ_LAB_NET") or lab.net
    if not re.fullmatch(r"127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){2}", wanted_net):
        raise LabError(f"ODJ_LAB_NET takes the first three octets of loopback addresses (127.0.77), not {wanted_net}.")
    if wanted_net != lab.net:
        raise LabError(
            f"Lab {lab.name} in {lab.home} lives on {lab.net}, not on {wanted_net}: wipe it, or choose another "
            "ODJ_LAB_NAME for a second lab."
        )
    if lab.home.exists() and lab.home.stat().st_uid != os.geteuid():
        raise LabError(f"{lab.home} belongs to another user; name another directory in ODJ_LAB_HOME.")
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        raise LabError(
            f"{sys.executable} lacks the Python packages {', '.join(lacking)}; ODJ_LAB_PYTHON may name another."
        )
    if sentence := directory.missing():
        raise LabError(sentence)


def _check_ports(lab: Lab, before: dict[str, processes.Process]) -> None:
    wanted = [(d.dc_address, port) for d in lab.domains if d.name not in before for port in directory.PORTS]
    served = _served(lab)
    wanted += [(lab.server_address(s), port) for s in lab.servers if s not in served for port in SERVER_PORTS]
    if DAEMON not in before:
        wanted.append((lab.cloud_address, CLOUD_PORT))
    taken = [f"{address}:{port}" for address, port in wanted if not processes.is_free(address, port)]
    if taken:
        raise LabError(
            f"In use by another program: {', '.join(taken)}. End it, or choose other addresses with ODJ_LAB_NET "
            f"(now {lab.net}) and another ODJ_LAB_NAME."
        )


def _stop(lab: Lab, keep: tuple[str, ...] = ()) -> list[str]:
    stopped = []
    daemon = processes.recorded(daemon_record(lab))
    if daemon and DAEMON not in keep:
        processes.stop(daemon)
        ssh.stop_leftovers(lab)
        stopped.append(DAEMON)
    names = {domain.dc_dir: domain.name for domain in lab.domains}
    for place in directory.alive(lab):
        name = names.get(place, str(place))
        if name not in keep:
            directory.stop(place)
            stopped.append(name)
    directory.stop_leftovers(lab)
    return stopped


def _claimed(net: str) -> AbstractContextManager[None]:
    """Hold the addresses of a lab while nothing listens on them yet, so that whoever else starts there hears of it."""
    return _held(
        f"the net {net}",
        f"Another lab is being started on {net} just now: choose other addresses with ODJ_LAB_NET and another "
        "ODJ_LAB_NAME.",
    )


def _alone(lab: Lab) -> AbstractContextManager[None]:
    """Let one command at a time start or stop a lab."""
    return _held(str(lab.home.resolve()), f"Another command is starting or stopping lab {lab.name} just now.")


@contextmanager
def _held(what: str, otherwise: str) -> Iterator[None]:
    """Hold something that one process at a time may have; what the others hear is given.

    The kernel keeps it, as the name of a socket: it goes with the process, and is the same for all users.
    """
    name = hashlib.sha256(f"hybridjoin.odj lab: {what}".encode()).hexdigest()
    with socket.socket(socket.AF_UNIX) as holder:
        try:
            holder.bind(f"\0{name}")
        except OSError:
            raise LabError(otherwise) from None
        yield
