# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is doing, for people."""

from __future__ import annotations

from odj_lab import processes, world
from odj_lab.cloud import connectors
from odj_lab.product import host, layout
from odj_lab.settings import Lab


def report(lab: Lab) -> list[str]:
    """Return the lines of a status report."""
    alive = world.running(lab)
    if not alive:
        return [f"lab {lab.name} is down ({lab.home})"]
    lines = [f"lab {lab.name} on {lab.net}.0, {lab.home}"]
    total = 0.0
    for name in (*(domain.name for domain in lab.domains), world.DAEMON):
        process = alive.get(name)
        if process is None:
            lines.append(f"  {name:<14} down")
            continue
        pids = processes.tree(process.pid)
        used = sum(processes.memory_mib(pid) for pid in pids)
        total += used
        lines.append(f"  {name:<14} pid {process.pid}, {len(pids)} processes, {used:.0f} MiB")
    lines.append(f"  {'memory':<14} {total:.0f} MiB")
    lines += [f"directory    {d.dc} {d.dc_address}, ldaps 636, CA {lab.ca_path}" for d in lab.domains]
    lines.append(f"cloud        {lab.cloud_url}")
    return lines + [_server(lab, server) for server in lab.servers]


def _server(lab: Lab, server: str) -> str:
    state = host.store(lab, server).read()
    product = host.product(state)
    service = host.service(state, layout.SERVICE)
    parts = [f"{server:<12} {lab.server_address(server)}", state["domain"], "up" if state.get("up", True) else "down"]
    parts.append(f"connector {product['build']}" if product.get("build") else "no connector")
    if service:
        parts.append(f"service {service['state']} as {service['start_name']}")
    shown = {entry["id"]: entry["state"] for entry in connectors.listed(lab)}
    parts.append(f"in Intune {shown.get(product.get('connector_id'), 'not enrolled')}")
    return ", ".join(parts)
