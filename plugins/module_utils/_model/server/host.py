# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a server is: names, domain, operating system, clock, .NET."""

from __future__ import annotations

import re

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import from_ticks
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import MINIMUM_DOTNET_RELEASE
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import (
    Probe,
    Snapshot,
    ask_host,
    ask_registry,
    registry_number,
    registry_text,
)

_WINDOWS = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_DOTNET = r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
_TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_BUILD = re.compile(r"\d{1,9}", re.ASCII)  # int() takes the digits of all scripts
_ROLES = ("standalone client", "member client", "standalone server", "member server", "backup DC", "primary DC")


def host_probes() -> list[Probe]:
    """Return the questions whose answers ``host_facts`` understands."""
    values = ("CurrentBuild", "UBR", "ProductName", "EditionID", "InstallationType")
    return [
        ask_host("host"),
        ask_registry("windows", _WINDOWS, values=values),
        ask_registry("tcpip", _TCPIP, values=("Domain",)),
    ]


def host_facts(snapshot: Snapshot) -> dict[str, object]:
    """Return the facts ``host``."""
    answer, windows = snapshot.value("host"), snapshot.value("windows").part("values")
    role = answer.number("domain_role")
    build = registry_text(windows, "CurrentBuild") or answer.text("build")
    return {
        "name": answer.text("name"),
        "fqdn": _fqdn(snapshot),
        "domain": answer.text("domain") if answer.flag("part_of_domain") else None,
        "member": answer.flag("part_of_domain"),
        "domain_role": role,
        "domain_role_name": _ROLES[role] if role is not None and 0 <= role < len(_ROLES) else None,
        "os_name": registry_text(windows, "ProductName"),
        "os_build": int(build) if build and _BUILD.fullmatch(build) else None,
        "os_revision": registry_number(windows, "UBR"),
        "product_type": answer.number("product_type"),
        "edition": registry_text(windows, "EditionID"),
        "installation_type": registry_text(windows, "InstallationType"),
        "boot_time": answer.text("boot_time"),
        **_clock(snapshot),
        "powershell_version": answer.part("powershell").text("version"),
        "language_mode": answer.part("powershell").text("language_mode"),
        "elevated": answer.flag("elevated"),
    }


def _fqdn(snapshot: Snapshot) -> str | None:
    answer = snapshot.value("host")
    name = answer.text("dns_host_name") or answer.text("name")
    if not name or "." in name:
        return name
    # The DNS suffix may differ from the domain (a disjoint namespace).
    suffix = registry_text(snapshot.value("tcpip").part("values"), "Domain")
    suffix = suffix or (answer.text("domain") if answer.flag("part_of_domain") else None)
    return f"{name}.{suffix}" if suffix else name


def _clock(snapshot: Snapshot) -> dict[str, float | None]:
    """Say by how much the server's clock is at least wrong.

    The server read its clock twice between the controller's two readings: the true offset lies between the bounds.
    """
    answer = snapshot.value("host")
    first, last = from_ticks(answer.number("ticks_start")), from_ticks(answer.number("ticks_end"))
    if first is None or last is None:
        return {"clock_skew_seconds": None, "clock_uncertainty_seconds": None}
    low, high = (last - snapshot.answered_at).total_seconds(), (first - snapshot.asked_at).total_seconds()
    skew = low if low > 0 else min(high, 0.0)
    return {"clock_skew_seconds": round(skew, 1), "clock_uncertainty_seconds": round(max(high - low, 0.0), 1)}


def dotnet_probes() -> list[Probe]:
    """Return the questions whose answers ``dotnet_facts`` understands."""
    return [ask_registry("dotnet", _DOTNET, values=("Release",))]


def dotnet_facts(snapshot: Snapshot) -> dict[str, object]:
    """Return the facts ``dotnet``; nulls when the registry was not answered."""
    release = registry_number(snapshot.value("dotnet").part("values"), "Release")
    known = snapshot.answered("dotnet")
    return {
        "release": release,
        "version_at_least_4_7_2": (release or 0) >= MINIMUM_DOTNET_RELEASE if known else None,
    }
