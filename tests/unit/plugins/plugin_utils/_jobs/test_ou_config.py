# SPDX-License-Identifier: GPL-3.0-or-later
"""The OU list on a server that keeps state."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_config import other_keys
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import carry_out
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._jobs.ou_config import DesiredConfig, OuConfig
from ansible_collections.hybridjoin.odj.plugins.plugin_utils._windows.host import WindowsError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_changes import ChangingWindows
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows_content import CONFIG, ROOT, XML

A, B = "OU=A,DC=x", r"OU=Lab\, North,DC=x"
Result = dict[str, t.Any]


def run(server: ChangingWindows, *ous: str, state: str = "exact", check_mode: bool = False, **more: t.Any) -> Result:
    desired = DesiredConfig(ous, state, more.get("keys", {}), more.get("install_path"))
    return t.cast(Result, carry_out(OuConfig(server, desired), check_mode=check_mode))


def server_with(**more: t.Any) -> ChangingWindows:
    server = ChangingWindows(**more)
    server.install("6.2604.2000.3")
    return server


def test_the_list_is_written_kept_as_backup_and_converges() -> None:
    server = server_with()
    result = run(server, A, B)
    value = rb'<add key="OrganizationalUnitsUsedForOfflineDomainJoin" value="OU=A,DC=x;OU=Lab\, North,DC=x" />'
    assert server.files[CONFIG] == XML.replace(b"\r\n  </app", b"\r\n    " + value + b"\r\n  </app")
    assert result["backup_path"] == f"{CONFIG}.20261124T120000Z.bak"
    assert server.files[result["backup_path"]] == XML
    assert result["diff"][0]["after"] == f"{A}\n{B}\n"
    assert result["plan"]["side_conditions"][0]["kind"] == "configure_service_account"
    looks = server.looks
    again = run(server, r"OU=Lab\2C north,dc=X", A)
    assert (again["changed"], again["organizational_units"], server.looks) == (False, [A, B], looks + 1)


def test_check_mode_writes_nothing() -> None:
    server = server_with(refuse_writes=True)
    result = run(server, A, check_mode=True)
    assert (result["changed"], result["organizational_units"], result["backup_path"]) == (True, [A], None)
    assert server.files == {CONFIG: XML}


@pytest.mark.parametrize(
    ("state", "units", "left"), [("present", [B], [A, B]), ("absent", [A], []), ("exact", [], []), ("present", [], [A])]
)
def test_states(state: str, units: list[str], left: list[str]) -> None:
    server = server_with()
    run(server, A)
    assert run(server, *units, state=state)["organizational_units"] == left


def test_other_keys_are_set_beside_it() -> None:
    server = server_with()
    keys = other_keys({"tenant_configured_managed_service_account": "svc@x", "disable_ou_updates": True})
    result = run(server, A, keys=keys)
    assert result["diff"][0]["after"] == f"{A}\nTenantConfiguredManagedServiceAccount: svc@x\nDisableOUUpdates: true\n"
    assert b'<add key="DisableOUUpdates" value="true" />' in server.files[CONFIG]
    assert run(server, A, keys=keys)["changed"] is False


def test_an_empty_key_is_emptied_where_it_is_and_not_added_where_it_is_not() -> None:
    server = server_with()
    empty = other_keys({"tenant_configured_managed_service_account": "", "disable_ou_updates": None})
    assert run(server, keys=empty, state="present")["changed"] is False
    assert server.files == {CONFIG: XML}
    full = other_keys({"tenant_configured_managed_service_account": "svc@x", "disable_ou_updates": None})
    run(server, keys=full, state="present")
    assert run(server, keys=empty, state="present")["changed"] is True
    assert b'<add key="TenantConfiguredManagedServiceAccount" value="" />' in server.files[CONFIG]


def test_absent_sets_no_other_key_and_says_so() -> None:
    server = server_with()
    keys = other_keys({"tenant_configured_managed_service_account": "svc@x", "disable_ou_updates": True})
    result = run(server, A, state="absent", keys=keys)
    assert (result["changed"], server.files) == (False, {CONFIG: XML})
    assert len(result["warnings"]) == 2
    assert result["warnings"][1].startswith("DisableOUUpdates stays as it is")


def test_a_container_and_another_domain_are_remarked() -> None:
    here, container = "OU=A,DC=Contoso,dc=com", "CN=Computers,DC=contoso,DC=com"
    assert run(server_with(), here)["warnings"] == []
    assert run(server_with(), here, container)["warnings"] == [f"{container} is no organizational unit."]
    assert run(server_with(), container, state="absent")["warnings"] == []
    (remark,) = run(server_with(), A, check_mode=True)["warnings"]
    assert "in the domain x; a connector serves that of its server, contoso.com" in remark
    assert run(server_with(broken={"host"}), A)["warnings"] == []


def test_an_encrypted_section_is_left_alone() -> None:
    server = server_with(refuse_writes=True)
    section = b'<appSettings configProtectionProvider="P"><EncryptedData/></appSettings>'
    server.files[CONFIG] = content = b"<configuration>" + section + b"</configuration>"
    with pytest.raises(OdjError, match="encrypted"):
        run(server, A)
    assert server.files == {CONFIG: content}


def test_a_connector_elsewhere_costs_a_second_look_unless_named() -> None:
    server = server_with()
    elsewhere = CONFIG.replace(ROOT, r"D:\ODJ")
    server.files = {elsewhere: XML}
    server.service["path"] = r'"D:\ODJ\ODJConnectorSvc\ODJConnectorSvc.exe"'
    assert run(server, A)["path"] == elsewhere
    assert server.looks == 2
    assert run(server, A, install_path="D:\\ODJ\\")["changed"] is False
    assert server.looks == 3


def test_without_a_connector_or_a_file_it_says_so() -> None:
    with pytest.raises(OdjError, match="no connector is installed"):
        run(ChangingWindows(refuse_writes=True), A)
    server = server_with(refuse_writes=True)
    server.files = {}
    with pytest.raises(OdjError, match=r"Wizard\.exe\.config.*Wiazard\.exe\.config.*install_path"):
        run(server, A)


@pytest.mark.parametrize("content", [b"<configuration>", b"<configuration/>", b"\xff"])
def test_a_file_that_cannot_be_understood_is_named_and_untouched(content: bytes) -> None:
    server = server_with(refuse_writes=True)
    server.files[CONFIG] = content
    with pytest.raises(OdjError) as caught:
        run(server, A)
    assert (caught.value.on, server.files) == (CONFIG, {CONFIG: content})


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(OdjError, match="AccessDenied"):
        run(server_with(broken={"config_0"}, refuse_writes=True), A)


def test_a_file_that_somebody_else_just_changed_is_left_alone() -> None:
    class Busy(ChangingWindows):
        def _run_odj_server_change(self, options: Result) -> Result:
            self.files[CONFIG] += b"\n"
            return super()._run_odj_server_change(options)

    server = Busy()
    server.install("6.2604.2000.3")
    with pytest.raises(OdjError, match="changed by somebody else"):
        run(server, A)
    assert server.files == {CONFIG: XML + b"\n"}


def test_a_failed_replacement_carries_the_servers_words() -> None:
    class Full(ChangingWindows):
        def _run_odj_server_change(self, options: Result) -> Result:
            return {"failed": True, "msg": "There is not enough space on the disk."}

    server = Full()
    server.install("6.2604.2000.3")
    with pytest.raises(WindowsError, match=r"replace the configuration file \(odj01\): There is not enough space"):
        run(server, A)
