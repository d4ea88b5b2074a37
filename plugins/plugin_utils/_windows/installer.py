# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector's set-up program: brought to the server, verified, run.

``ansible.windows.win_package`` runs it. Given neither ``product_id`` nor ``creates_*``, its registry provider holds
nothing for installed and so runs the file exactly when it is called, which is when the plan says so; and it compares
the SHA-256 in the same remote execution, just before the start. ``win_command`` would leave a gap between the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import INSTALLER_NAME
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import UninstallEntry
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, WindowsError


@dataclass(frozen=True, slots=True)
class Installer:
    """Where the set-up program comes from and how it is run.

    Attributes:
        version: The build it installs, as the user wrote it.
        path: On the server or on a share.
        src: On the controller, resolved.
        url: Fetched by the server.
        checksum: SHA-256, lower case hex.
        install_arguments: Command line after the program when it installs.
        uninstall_arguments: The same when a registered uninstall command runs.
        success_codes: Exit codes that mean success.
    """

    version: str | None
    path: str | None
    src: str | None
    url: str | None
    checksum: str | None
    install_arguments: str
    uninstall_arguments: str
    success_codes: tuple[int, ...]


def check_source(path: str, checksum: str | None) -> None:
    """Compare a file on the controller with its SHA-256, before anything is sent.

    Raises:
        InvalidInput: It cannot be read, or has another checksum.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise InvalidInput("read the installer", on=path, got=str(error)) from error
    if digest.hexdigest() != checksum:
        raise InvalidInput(
            "verify the installer",
            on=path,
            got=f"its SHA-256 is {digest.hexdigest()}",
            advice=f"Expected was {checksum}. Give the right file, or correct the option checksum.",
        )


@contextmanager
def staged(host: Host, installer: Installer) -> Iterator[str]:
    """Yield the path of the set-up program on the server; what was brought there is removed afterwards.

    It goes into a new directory of the connecting user, where nobody else can lay a library beside it.

    Raises:
        WindowsError: It did not get there.
    """
    if installer.path:
        yield installer.path
        return
    tried = "bring the installer to the server"
    made = host.run_module(tried, "ansible.windows.win_tempfile", {"state": "directory", "prefix": "odj-connector."})
    directory = str(made["path"])
    path = rf"{directory}\{INSTALLER_NAME}"
    try:
        _fetch(host, installer, path, tried)
        yield path
    except Exception:
        # What went wrong first is what a person has to know.
        with suppress(Exception):
            _remove(host, directory)
        raise
    _remove(host, directory)


def _remove(host: Host, directory: str) -> None:
    options = {"path": directory, "state": "absent"}
    host.run_module("remove the installer from the server", "ansible.windows.win_file", options)


def _fetch(host: Host, installer: Installer, path: str, tried: str) -> None:
    if installer.src:
        host.run_action(tried, "ansible.windows.win_copy", {"src": installer.src, "dest": path})
        return
    options = {"url": installer.url, "dest": path, "checksum": installer.checksum, "checksum_algorithm": "sha256"}
    host.run_module(tried, "ansible.windows.win_get_url", options)


def run_installer(host: Host, installer: Installer, path: str) -> int:
    """Run the set-up program on the server and return its exit code.

    Raises:
        WindowsError: Its checksum is another on the server, or it ended with a code that does not mean success.
    """
    options = {
        "path": path,
        "state": "present",
        "provider": "registry",
        "arguments": installer.install_arguments,
        "checksum": installer.checksum,
        "checksum_algorithm": "sha256",
        "expected_return_code": list(installer.success_codes),
    }
    return _run(host, "run the installer", options)


def run_uninstaller(host: Host, installer: Installer, entry: UninstallEntry) -> int:
    """Run what an uninstall entry registers and return its exit code; 0 when the entry is already gone.

    Raises:
        WindowsError: It ended with a code that does not mean success.
    """
    options: dict[str, object] = {
        "product_id": entry.key,
        "state": "absent",
        "provider": "msi" if entry.msi else "registry",
        "expected_return_code": list(installer.success_codes),
    }
    if not entry.msi:  # win_package gives Windows Installer the quiet arguments itself
        options["arguments"] = installer.uninstall_arguments
    return _run(host, "uninstall the connector", options)


def _run(host: Host, tried: str, options: Mapping[str, object]) -> int:
    try:
        result = host.run_module(tried, "ansible.windows.win_package", options)
    except WindowsError as error:
        if "rc" not in error.result:
            raise
        output = " ".join(str(error.result.get(stream) or "").strip() for stream in ("stdout", "stderr")).strip()
        raise WindowsError(
            tried,
            on=host.name,
            result={**error.result, "msg": f"it ended with exit code {error.result['rc']}. {output}".strip()},
            advice="Set-up programs of this kind (WiX Burn) log into the user's directory for temporary files. "
            "If the code means success, add it to the option success_codes.",
        ) from error
    return int(result.get("rc") or 0)
