# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a lab: what an administrator of such an estate would write by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

from odj_lab import directory
from odj_lab.product import builds
from odj_lab.settings import SERVERS, Lab


def path(lab: Lab) -> Path:
    """Return where the inventory lies. It holds the lab's passwords: mode 0600."""
    return lab.home / "inventory.yml"


def write(lab: Lab, servers: int = 2) -> str:
    """Write the inventory of the first servers of a lab; return its text."""
    text = "\n".join(["---", *_lines(content(lab, servers))]) + "\n"
    with os.fdopen(os.open(path(lab), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
    return text


def content(lab: Lab, servers: int = 2) -> dict[str, object]:
    """Return the inventory as data."""
    from odj_lab.cloud import CLIENT_ID

    newest = builds.NEWEST
    connection = {
        "ansible_connection": "winrm",
        "ansible_port": 5986,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": str(lab.ca_path),
        "ansible_user": "ansible",
        "ansible_password": lab.passwords["ansible"],
    }
    estate = {
        "odj_domain": lab.domain,
        "odj_organizational_units": list(directory.organizational_units(lab)),
        "odj_installer": {
            "src": str(builds.installer_path(lab, newest)),
            "version": newest,
            "checksum": builds.checksum(newest),
        },
        "odj_directory": {
            "server": lab.dc_address,
            "username": f"{lab.netbios}\\odj-automation",
            "password": lab.passwords["odj-automation"],
            "ca_path": str(lab.ca_path),
        },
        "odj_graph": {
            "tenant_id": lab.tenant_id,
            "client_id": CLIENT_ID,
            "client_secret": lab.passwords["graph-app"],
            "authority_host": lab.cloud_url,
            "graph_url": lab.cloud_url,
            "ca_path": str(lab.ca_path),
        },
    }
    hosts = {name: {"ansible_host": lab.server_address(name)} for name in SERVERS[:servers]}
    return {"all": {"vars": estate, "children": {"odj_connector_servers": {"hosts": hosts, "vars": connection}}}}


def _lines(value: dict[str, object], indent: str = "") -> list[str]:
    """Return block style YAML; scalars are JSON, which YAML contains."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{indent}{key}:", *_lines(item, indent + "  ")]
        elif isinstance(item, list):
            lines += [f"{indent}{key}:", *(f"{indent}  - {json.dumps(entry)}" for entry in item)]
        else:
            lines.append(f"{indent}{key}: {json.dumps(item)}")
    return lines
