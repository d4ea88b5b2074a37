# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector's installer: checked on the controller, brought to the server, run; and what uninstalls it.

``ansible.windows.win_package`` runs it. Given neither ``product_id`` nor ``creates_*``, its registry provider holds
nothing for installed and so runs the file exactly when it is called, which is when the plan says so; and it compares
the SHA-256 in the same remote execution, just before the start. ``win_command`` would leave a gap between the two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import RunInstaller, RunUninstaller
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import INSTALLER_NAME
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, WindowsError

BRING = "bring the installer to the server"


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


def make_place(host: Host) -> str:
    """Make a new directory of the connecting user, where nobody else can lay a library beside the installer.

    Raises:
        WindowsError: It could not be made.
    """
    made = host.run_module(BRING, "ansible.windows.win_tempfile", {"state": "directory", "prefix": "odj-connector."})
    directory = str(made.get("path") or "")
    if not directory:
        raise WindowsError(BRING, on=host.name, result={"msg": "the server named no temporary directory"})
    return directory


def bring(host: Host, operation: RunInstaller, directory: str) -> str:
    """Bring the installer into a directory of the server, and return its path there.

    Raises:
        WindowsError: It did not get there.
    """
    path = rf"{directory}\{INSTALLER_NAME}"
    if operation.src:
        host.run_action(BRING, "ansible.windows.win_copy", {"src": operation.src, "dest": path})
    else:
        checksum = {"checksum": operation.checksum, "checksum_algorithm": "sha256"}
        host.run_module(BRING, "ansible.windows.win_get_url", {"url": operation.url, "dest": path, **checksum})
    return path


def remove_place(host: Host, directory: str) -> None:
    """Remove the directory again.

    Raises:
        WindowsError: It could not be removed.
    """
    options = {"path": directory, "state": "absent"}
    host.run_module("remove the installer from the server", "ansible.windows.win_file", options)


def run_installer(host: Host, operation: RunInstaller, path: str) -> int:
    """Run the installer on the server and return its exit code.

    Raises:
        WindowsError: Its checksum is another on the server, or it ended with a code that does not mean success.
    """
    options = {
        "path": path,
        "state": "present",
        "provider": "registry",
        "arguments": operation.arguments,
        "checksum": operation.checksum,
        "checksum_algorithm": "sha256",
        "expected_return_code": list(operation.success_codes),
    }
    return _run(host, "run the installer", options)


def run_uninstaller(host: Host, operation: RunUninstaller) -> int:
    """Run what an uninstall entry registers and return its exit code; 0 when the entry is already gone.

    Raises:
        WindowsError: It ended with a code that does not mean success.
    """
    options: dict[str, object] = {
        "product_id": operation.product_id,
        "state": "absent",
        "provider": "msi" if operation.msi else "registry",
        "expected_return_code": list(operation.success_codes),
    }
    if not operation.msi:  # win_package gives Windows Installer the quiet arguments itself
        options["arguments"] = operation.arguments
    return _run(host, "uninstall the connector", options)


def _run(host: Host, tried: str, options: Mapping[str, object]) -> int:
    try:
        result = host.run_module(tried, "ansible.windows.win_package", options)
    except WindowsError as error:
        if "rc" not in error.result:
            raise
        output = " ".join(str(error.result.get(stream) or "").strip() for stream in ("stdout", "stderr")).strip()
        failed = WindowsError(
            tried,
            on=host.name,
            result={**error.result, "msg": f"it ended with exit code {error.result['rc']}. {output}".strip()},
            advice="Set-up programs of this kind (WiX Burn) log into the user's directory for temporary files. "
            "If the code means success, add it to the option success_codes.",
        )
        failed.in_doubt = True  # it ran, and what it left is not told by its code
        raise failed from error
    return _exit_code(host, tried, result)


def _exit_code(host: Host, tried: str, result: Mapping[str, object]) -> int:
    code = result.get("rc")
    if code is None:
        return 0
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    raise WindowsError(tried, on=host.name, result={**result, "msg": "the module answered without an exit code"})
