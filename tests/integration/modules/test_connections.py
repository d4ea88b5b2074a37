# SPDX-License-Identifier: GPL-3.0-or-later
"""The same modules over other connections than WinRM with https: plain http with NTLM's own encryption, and ssh."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import (
    CHANGE,
    NEW,
    PROBE,
    Stage,
    content,
    present,
    ssh_variables,
    thrice,
)
from odj_lab.product import builds
from odj_lab.windows import ssh

UNIT = r"OU=Lab\, North,DC=contoso,DC=test"


def test_http_with_ntlm(stage: Stage) -> None:
    plain = {"ansible_port": 5985, "ansible_winrm_scheme": "http", "ansible_winrm_transport": "ntlm"}
    tasks = thrice("odj_connector_install", **present(src=str(builds.installer_path(stage.lab, NEW))))
    checked, done, again = stage.tasks("odj01", tasks, **plain)
    assert (checked.changed, done.changed, again.changed) == (True, True, False)
    assert done.state["product"]["build"] == NEW
    assert again.ran == (PROBE,)


def test_ssh(stage: Stage) -> None:
    if ssh.sshd_path() is None:
        pytest.skip("OpenSSH's sshd is not installed")
    stage.install()
    tasks = thrice("odj_ou_config", organizational_units=[UNIT])
    checked, done, again = stage.tasks("odj01", tasks, **ssh_variables(stage.lab))
    assert (checked.changed, done.changed, again.changed) == (True, True, False)
    assert UNIT.encode() in (content(done.state) or b"")
    assert (checked.ran, done.ran, again.ran) == ((PROBE,), (PROBE, CHANGE), (PROBE,))
