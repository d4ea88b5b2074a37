# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a lab: what an administrator of such an estate would write by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from odj_lab.files import write_private
from odj_lab.product import builds
from odj_lab.settings import Domain, Lab


def path(lab: Lab) -> Path:
    """Return where the inventory lies. It holds the lab's passwords: mode 0600."""
    return lab.home / "inventory.yml"


def write(lab: Lab, servers: Sequence[str] | None = None) -> str:
    """Write the inventory of servers of a lab (the first two of each domain when not given); return its text.

    Raises:
        LabError: There is no such server.

    """
    text = "\n".join(["---", *_lines(content(lab, servers))]) + "\n"
    write_private(path(lab), text.encode())
    return text


def content(lab: Lab, servers: Sequence[str] | None = None) -> dict[str, object]:
    """Return the inventory as data: a group for each domain below the group of all connector servers.

    Raises:
        LabError: There is no such server.

    """
    if servers is None:
        servers = [server for domain in lab.domains for server in domain.servers[:2]]
    members: dict[str, list[str]] = {}
    for server in servers:
        members.setdefault(lab.domain_of(server).name, []).append(server)
    groups = {
        domain.netbios.lower(): {
            "hosts": {name: {"ansible_host": lab.server_address(name)} for name in members[domain.name]},
            "vars": of_domain(domain),
        }
        for domain in lab.domains
        if domain.name in members
    }
    everywhere = {"odj_installer": installer(lab), "odj_graph": graph(lab)}
    connectors = {"vars": connection(lab), "children": groups}
    return {"all": {"vars": everywhere, "children": {"odj_connector_servers": connectors}}}


def connection(lab: Lab) -> dict[str, object]:
    """Return the variables with which Ansible reaches the servers."""
    return {
        "ansible_connection": "winrm",
        "ansible_port": 5986,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_ca_trust_path": str(lab.ca_path),
        "ansible_user": "ansible",
        "ansible_password": lab.passwords["ansible"],
    }


def of_domain(domain: Domain) -> dict[str, object]:
    """Return the variables of the servers of one domain."""
    return {
        "odj_domain": domain.name,
        "odj_organizational_units": list(domain.organizational_units),
        "odj_directory": access(domain),
    }


def access(domain: Domain, account: str = "odj-automation") -> dict[str, str]:
    """Return the options with which modules log on to a domain as one of its accounts."""
    return {
        "server": domain.dc_address,
        "username": f"{domain.netbios}\\{account}",
        "password": domain.passwords[account],
        "ca_path": str(domain.lab.ca_path),
    }


def installer(lab: Lab) -> dict[str, str]:
    """Return the installer that a play is to use."""
    newest = builds.NEWEST
    return {
        "src": str(builds.installer_path(lab, newest)), "version": newest, "checksum": builds.checksum(newest),
    }  # fmt: skip


def graph(lab: Lab) -> dict[str, str]:
    """Return the options with which modules reach the cloud."""
    from odj_lab.cloud import CLIENT_ID

    return {
        "tenant_id": lab.tenant_id,
        "client_id": CLIENT_ID,
        "client_secret": lab.passwords["graph-app"],
        "authority_host": lab.cloud_url,
        "graph_url": lab.cloud_url,
        "ca_path": str(lab.ca_path),
    }


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
