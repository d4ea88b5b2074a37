# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_connector_install: install, upgrade or remove the connector, and confirm what came of it."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import asdict

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    Plan,
    Record,
    RestartServer,
    RunInstaller,
    RunUpgrade,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import OU_LIST_KEY, RESTART_CODES
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    find_config_file,
    read_settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    Connector,
    known_connector,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope, connector_facts
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.installation import (
    Difference,
    Installer,
    check_outcome,
    desired_build,
    differences,
    outcome_is_there,
    plan_installation,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.pending_restart import (
    PendingRestart,
    forget_options,
    is_pending,
    note_options,
    outcome_of,
    read_pending,
    restarted_in_vain,
    still_pending,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot, ask_file
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.state import (
    ServerState,
    may_count_on,
    read_state,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import parse_checksum
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.changes import WindowsChanges
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, WindowsError, look_at
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.installer import check_source


class ConnectorInstall:
    """Installs, upgrades or removes the connector of one server.

    Args:
        host: The server.
        state: present, latest or absent.
        installer: What to run, and how.
        reboot: Whether the server is restarted when a set-up program asks for it.
        build_from: Where the installed build is read: uninstall_entry or service_file.
    """

    def __init__(self, host: Host, *, state: str, installer: Installer, reboot: bool, build_from: str) -> None:
        self._host = host
        self._state = state
        self._installer = installer
        self._build = desired_build(state, installer.version)
        self._reboot = reboot
        self._scope = Scope(frozenset({"host", "connector", "config"}), build_from=build_from)
        self._changes = WindowsChanges(host)
        self._rebooted = False
        self._note: PendingRestart | None = None
        self._pending = False  # a restart that an earlier run was asked for
        self._warnings: list[str] = []
        self._differences: list[Difference] = []
        self._snapshot: Snapshot  # of the last look: plan and apply take one each

    def plan(self) -> Plan:
        """Look at the server and return what has to be done.

        Raises:
            OdjError: A legacy connector is in the way, or the installer on the server is not the expected one.
        """
        path = self._installer.path
        extra = [ask_file("installer", path)] if path else []
        self._snapshot = look_at(self._host, self._scope, extra)
        self._note = read_pending(self._snapshot)
        self._pending = is_pending(self._snapshot, self._note)
        if self._note and self._pending and self._note.outcome == outcome_of(self._build):
            # What the installer has done shows after the restart: running it again would tell and change nothing.
            return Plan((_restart(self._host.name, f" at {self._note.noted_at}"),)) if self._reboot else Plan()
        plan = plan_installation(self._host.name, self._known(), self._state, self._build, self._installer)
        if path and any(isinstance(change, RunInstaller) for change in plan.changes):
            self._check_installer(path)
        return plan

    def _known(self) -> Connector:
        return known_connector(self._snapshot, self._host.name, self._scope.build_from)

    def _check_installer(self, path: str) -> None:
        answer, problem = self._snapshot.value("installer"), self._snapshot.error("installer")
        found = answer.text("sha256")
        if found == self._installer.checksum:
            return
        got = problem or (f"its SHA-256 is {found}" if found else "there is no such file")
        advice = f"Expected was {self._installer.checksum}. Give the right file, or correct the option checksum."
        if path.startswith("\\\\") and not found:
            advice = (
                "A share needs a logon that may go on to it (become, CredSSP or delegation), or use the option src."
            )
        raise OdjError("verify the installer", on=f"{path} on {self._host.name}", got=got, advice=advice)

    def apply(self, plan: Plan, record: Record) -> None:
        """Do the changes in their order, restart if that is wanted, and confirm the outcome by a second look.

        Raises:
            WindowsError: An installer failed, or did not reach the server.
            OdjError: The outcome is not what was promised.
        """
        try:
            self._change(plan, record)
        except OdjError:
            record.warnings += self._changes.clean_up()
            raise
        record.warnings += self._changes.clean_up()

    def settle(self, plan: Plan, record: Record) -> None:
        """Do nothing: nothing has to be waited for."""

    def _change(self, plan: Plan, record: Record) -> None:
        before, counted_on = self._traits(), may_count_on(self._judged()).answer
        record.evidence["exit_codes"] = self._changes.exit_codes
        self._changes.apply(plan, record)
        self._rebooted = any(isinstance(change, RestartServer) for change in plan.changes)
        record.evidence |= {"rebooted": self._rebooted, "reboot_required": self._reboot_required()}
        if self._reboot and self._restart_codes():
            with record.performing(_restart(self._host.name)):
                self._changes.perform(_restart(self._host.name))
            self._rebooted = True
            record.evidence |= {"rebooted": True, "reboot_required": False}
        self._snapshot = look_at(self._host, self._scope)
        record.evidence["server"] = connector_facts(self._snapshot, self._scope)
        self._judge_or_note()
        if any(isinstance(change, RunUpgrade) for change in plan.changes):
            self._differences = differences(before, self._traits())
            after = may_count_on(self._judged())
            if counted_on and not after.answer and not self._reboot_required():
                self._warnings.append(f"The connector was in service before the upgrade and is not now. {after.why}")

    def _judge_or_note(self) -> None:
        """Confirm the outcome; or, where it shows after a restart only, note that for the next run."""
        made = self._note if self._note and (self._rebooted or not self._pending) else None
        if made:
            self._write_note(forget_options())
        codes = self._restart_codes()
        if self._rebooted or not codes:
            check_outcome(self._host.name, self._known(), self._build)
            return
        if made and made.outcome == outcome_of(self._build) and not outcome_is_there(self._known(), self._build):
            raise restarted_in_vain(self._host.name, made, str(self._known().version or "no connector"))
        self._write_note(note_options(self._snapshot, self._build, codes[0]))

    def _write_note(self, options: Mapping[str, object]) -> None:
        try:
            self._host.run_module("note the pending restart", "ansible.windows.win_regedit", options)
        except WindowsError as error:  # it is there for the next run; this one is what it is without
            self._warnings.append(str(error))

    def _restart_codes(self) -> list[int]:
        return [code for code in self._changes.exit_codes if code in RESTART_CODES]

    def _reboot_required(self) -> bool:
        return bool(self._restart_codes() or self._pending) and not self._rebooted

    def _traits(self) -> list[tuple[str, str]]:
        """Return what an upgrade should keep."""
        connector = self._known()
        return [
            ("OU list", self._ou_list()),
            ("service account", connector.service.account or "none"),
            ("certificate", (connector.certificate and connector.certificate.thumbprint) or "none"),
        ]

    def _ou_list(self) -> str:
        try:
            config = find_config_file(self._snapshot, None)
            settings = read_settings(config.content, config.path) if config else {}
        except OdjError as error:  # neither an upgrade nor a removal hangs on this file
            return error.got
        held = {key.casefold(): value for key, value in settings.items()}
        return held.get(OU_LIST_KEY.casefold()) or "empty" if config else "no configuration file"

    def _judged(self) -> ServerState:
        return read_state(self._snapshot, self._scope.expectation)

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``server``, exit codes, whether a restart was made or is required, and what an upgrade altered."""
        return {
            "server": connector_facts(self._snapshot, self._scope),
            "exit_codes": self._changes.exit_codes,
            "rebooted": self._rebooted,
            "reboot_required": self._reboot_required(),
            "differences": [asdict(one) for one in self._differences],
            "warnings": [
                *self._warnings,
                *([self._restart_warning()] if self._reboot_required() else []),
                *(
                    f"After the upgrade the {one.what} differs: {one.after} instead of {one.before}."
                    for one in self._differences
                ),
            ],
        }

    def _restart_warning(self) -> str:
        noted = [self._note.exit_code] if self._note else []
        return still_pending([*self._restart_codes(), *noted][0])


def _restart(server: str, when: str = "") -> RestartServer:
    return RestartServer(
        target=server,
        before="restart: pending\n",
        after="restart: made\n",
        summary=f"Restart {server}: the installer asked for that{when}.",
        reason="What the installer did shows after a restart only.",
    )


def installer_of(options: Mapping[str, t.Any], host: Host) -> Installer:
    """Return the set-up program that the options describe; a file on the controller has been verified then.

    Raises:
        InvalidInput: The checksum is malformed, or the file on the controller has another one.
    """
    checksum = parse_checksum(options["checksum"])
    src = host.find_file(options["src"]) if options["src"] and options["state"] != "absent" else None
    if src:
        check_source(src, checksum)
    return Installer(
        version=options["version"],
        path=options["path"],
        src=src,
        url=options["url"],
        checksum=checksum,
        install_arguments=options["install_arguments"],
        uninstall_arguments=options["uninstall_arguments"],
        success_codes=tuple(options["success_codes"]),
    )
