# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The work of odj_ou_config: the OU list in the wizard's configuration file, edited in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Plan, Record, ReplaceFile, SideCondition
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import (
    DEFAULT_INSTALL_PATH,
    OU_LIST_KEY,
    wizard_config_paths,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.config_file import (
    ConfigFile,
    find_config_file,
    read_settings,
    replace_settings,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import known_connector
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import Scope
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import (
    desired_ou_list,
    join_ou_list,
    ou_remarks,
    split_ou_list,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import ask_host
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.changes import WindowsChanges
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import Host, look_at

RIGHTS_REASON = (
    "Rights on organizational units follow this list only when somebody who may change them presses Configure Managed "
    "Service Account in the connector's wizard, or when odj_ou_delegate sets them."
)


@dataclass(frozen=True, slots=True)
class DesiredConfig:
    """What the configuration should hold.

    Attributes:
        ous: DNs that were checked.
        state: present, exact or absent.
        keys: Other keys and their values.
        install_path: Where the connector lies; None means what the server tells.
    """

    ous: tuple[str, ...]
    state: str
    keys: Mapping[str, str]
    install_path: str | None


class OuConfig:
    """One change at most: the replacement of the file.

    Args:
        host: The server.
        desired: What the configuration should hold.
        keep: How many backups of the file stay; 0 for all.
    """

    def __init__(self, host: Host, desired: DesiredConfig, *, keep: int = 0) -> None:
        self._host = host
        self._keep = keep
        self._desired = desired
        self._path = ""
        self._ous: list[str] = []
        self._backup_path: str | None = None
        self._remarks: list[str] = []

    def plan(self) -> Plan:
        """Read the file and return its replacement, if anything in it has to change.

        Raises:
            OdjError: No connector is installed, its file is missing, or it cannot be understood.
        """
        scope = Scope(frozenset({"config"}), install_path=self._desired.install_path)
        snapshot = look_at(self._host, scope, [ask_host("host")])
        connector = known_connector(snapshot, self._host.name)
        if not connector.installed and scope.install_path is None:
            raise self._refusal("no connector is installed there", "Install it first (odj_connector_install).")
        found = find_config_file(snapshot, scope.install_path)
        if found is None:
            root = scope.install_path or connector.install_path or DEFAULT_INSTALL_PATH
            raise self._refusal(
                f"there is no {' and no '.join(wizard_config_paths(root))}",
                "If the connector lies in another directory, name it in the option install_path.",
            )
        self._path = found.path
        host = snapshot.value("host")
        named = () if self._desired.state == "absent" else self._desired.ous
        self._remarks = ou_remarks(named, host.text("domain") if host.flag("part_of_domain") else None)
        return self._compare(found, snapshot.answered_at)

    def _refusal(self, got: str, advice: str) -> OdjError:
        return OdjError("edit the configuration of the connector", on=self._host.name, got=got, advice=advice)

    def _other_keys(self, held: Mapping[str, str]) -> dict[str, str]:
        """Return the other keys that have to be written; a key that is not there is as good as an empty one."""
        if self._desired.state == "absent":
            self._remarks += [
                f"{key} stays as it is: the state absent only takes OUs out." for key in self._desired.keys
            ]
            return {}
        return {key: value for key, value in self._desired.keys.items() if held.get(key.casefold(), "") != value}

    def _compare(self, found: ConfigFile, now: datetime) -> Plan:
        settings = read_settings(found.content, found.path)
        held = {key.casefold(): value for key, value in settings.items()}
        before = split_ou_list(held.get(OU_LIST_KEY.casefold(), ""))
        self._ous = desired_ou_list(before, self._desired.ous, self._desired.state)
        keys = self._other_keys(held)
        values = {OU_LIST_KEY: join_ou_list(self._ous)} if self._ous != before else {}
        if not values and not keys:
            return Plan()
        content = replace_settings(found.content, values | keys, found.path)
        stamp = utc_text(now).replace("-", "").replace(":", "")  # no colon may stand in a file name
        old = [*before, *(f"{key}: {held[key.casefold()]}" for key in keys if key.casefold() in held)]
        new = [*self._ous, *(f"{key}: {value}" for key, value in keys.items())]
        change = ReplaceFile(
            target=found.path,
            before=_lines(old),
            after=_lines(new),
            summary=_summary(old, new),
            reason="The file holds other values than are asked for.",
            content=content,
            expected_sha256=found.sha256,
            backup_path=f"{found.path}.{stamp}.bak",
            keep_backups=self._keep,
        )
        return Plan((change,), (SideCondition("configure_service_account", self._host.name, RIGHTS_REASON),))

    def apply(self, plan: Plan, record: Record) -> None:
        """Replace the file.

        Raises:
            WindowsError: It could not be replaced.
            OdjError: Somebody changed it since it was read; then nothing was changed.
        """
        backups = [change.backup_path for change in plan.changes if isinstance(change, ReplaceFile)]
        door = WindowsChanges(self._host)
        try:
            door.apply(plan, record)
        finally:
            if record.touched:
                record.evidence["backup_path"] = next(iter(backups), None)
        record.warnings += door.warnings
        self._backup_path = next(iter(backups), None)

    def settle(self, plan: Plan, record: Record) -> None:
        """Do nothing: nothing has to be waited for."""

    def facts(self, plan: Plan) -> Mapping[str, object]:
        """Return ``path``, ``organizational_units`` as they are after the plan, ``backup_path``, and ``warnings``."""
        names = {"path": self._path, "organizational_units": self._ous, "backup_path": self._backup_path}
        return {**names, "warnings": self._remarks}


def _lines(entries: Sequence[str]) -> str:
    return "".join(f"{entry}\n" for entry in entries)


def _summary(old: Sequence[str], new: Sequence[str]) -> str:
    signs = [f"+ {entry}" for entry in new if entry not in old] + [f"- {entry}" for entry in old if entry not in new]
    return "OU list of the connector: " + "; ".join(signs)
