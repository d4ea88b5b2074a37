# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated server as a program on it sees it: files, registry, services and logs, names without case."""

from __future__ import annotations

import secrets
import time
import typing as t

from odj_lab.settings import Lab
from odj_lab.store import JsonStore, State
from odj_lab.windows import filesystem, registry
from odj_lab.windows.machine import iso, server_time


def store(lab: Lab, server: str) -> JsonStore:
    """Return the state of a server."""
    return JsonStore(lab.server_dir(server) / "state.json")


def product(state: State) -> State:
    """Return the product's own part of a server's state.

    Keys: ``build`` (installed, or null), ``account`` (name, dn and sid of the service account), ``connector_id`` (in
    Intune), ``exit_codes`` (what the next installers end with), ``install_seconds`` (how long an installer takes).
    """
    return t.cast(State, state.setdefault("product", {}))


def key_of(mapping: State, name: str) -> str:
    """Return the key under which a mapping holds a name, whatever its case; the name itself when it does not."""
    return next((key for key in mapping if key.lower() == name.lower()), name)


def put_file(state: State, path: str, content: bytes, **facts: t.Any) -> None:
    """Write a file with the folders above it; facts are its versions and its signature."""
    filesystem.make_directory(state, filesystem.parent(path))
    filesystem.put(state, path, content, **facts)


def read_file(state: State, path: str) -> bytes | None:
    """Return the content of a file, or None when there is none."""
    return filesystem.content(state, path) if filesystem.entry(state, path) else None


def put_key(state: State, key: str, values: dict[str, str | int]) -> None:
    """Write a registry key with its values (text or DWORD)."""
    for name, data in values.items():
        registry.put(state, key, name, "DWord" if isinstance(data, int) else "String", data)


def service(state: State, name: str) -> State | None:
    """Return a service, or None when there is no such service."""
    services = state.get("services", {})
    found: State | None = services.get(key_of(services, name))
    return found


def start_service(entry: State) -> None:
    """Note that a service runs now."""
    entry.update(state="Running", process_id=2000 + secrets.randbelow(5000) * 4, exit_code=0, service_exit_code=0)


def reaches(state: State, host: str, port: int = 443) -> bool:
    """Return whether the server reaches an address directly; what its network does not name is refused."""
    network = state.get("network", {})
    target = network.get(key_of(network, f"{host}:{port}"))
    return bool(target) and target.get("connect") is True


def log_event(
    state: State, channel: str, event_id: int, *, level: int, user_sid: str, provider: str, text: str
) -> None:
    """Put an event into a channel of the server's log, if there is such a channel."""
    channels = state.get("channels", {})
    log = channels.get(key_of(channels, channel))
    if log is None or not log.get("enabled", True):
        return
    log["events"].append(
        {
            "id": event_id,
            "level": level,
            "time": iso(server_time(state)),
            "record_id": max((event["record_id"] for event in log["events"]), default=0) + 1,
            "provider": provider,
            "user_sid": user_sid,
            "properties": [text],
            "message": text,
        }
    )


def wait(seconds: float) -> None:
    """Take as long as the real thing would, as far as a test wants that."""
    if seconds > 0:
        time.sleep(seconds)
