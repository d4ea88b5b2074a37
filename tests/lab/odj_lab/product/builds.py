# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector's installers: small dummies that a simulated server recognises. The same bytes in every lab."""

from __future__ import annotations

import functools
import hashlib
import json
import typing as t
from pathlib import Path

from odj_lab.settings import Lab

LEGACY = "6.2407.2000.8"
NEWEST = "6.2604.2000.3"
BUILDS = (LEGACY, "6.2501.2000.5", "6.2504.2001.8", NEWEST)
MINIMUM = (6, 2501, 2000, 5)
PRODUCT = "Intune Connector for Active Directory"
FILE_NAME = "ODJConnectorBootstrapper.exe"

_MARK = b"\nhybridjoin.odj lab dummy "
_SIZE = 64 * 1024


def number(build: str) -> tuple[int, ...]:
    """Return a build as something that compares."""
    return tuple(map(int, build.split(".")))


def is_legacy(build: str) -> bool:
    """Return whether a build is from before the connector had a service account of its own."""
    return number(build) < MINIMUM


@functools.cache
def make_bootstrapper(build: str) -> bytes:
    """Return the installer of a build: it begins as a program does and ends with what it is."""
    noise = b"".join(hashlib.sha256(f"{build} {block}".encode()).digest() for block in range(_SIZE // 32))
    tail = json.dumps({"product": PRODUCT, "build": build, "file": FILE_NAME}, sort_keys=True)
    return b"MZ" + bytes(62) + noise + _MARK + tail.encode()


def build_of(content: bytes) -> str | None:
    """Return the build that an installer installs, or None when it is none of ours or not whole."""
    return next((build for build in BUILDS if content == make_bootstrapper(build)), None)


def describe(content: bytes) -> dict[str, t.Any] | None:
    """Return what a server's file system says of one of our files beside its content, or None for any other file."""
    build = build_of(content)
    if build is None:
        return None
    return {"file_version": build, "product_version": build, "signature": signature()}


def signature() -> dict[str, t.Any]:
    """Return the Authenticode facts of a dummy: they look like Microsoft's, and the lab alone says that they hold."""
    return {
        "status": 0,
        "status_name": "Valid",
        "subject": "CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US",
        "issuer": "CN=Microsoft Code Signing PCA 2011, O=Microsoft Corporation, L=Redmond, S=Washington, C=US",
        "thumbprint": hashlib.sha1(b"lab code signing", usedforsecurity=False).hexdigest().upper(),
        "not_after": "2035-01-01T00:00:00.0000000Z",
        "timestamped": True,
    }


def checksum(build: str) -> str:
    """Return the SHA-256 of an installer, lower case hex."""
    return hashlib.sha256(make_bootstrapper(build)).hexdigest()


def installer_path(lab: Lab, build: str) -> Path:
    """Return where an installer lies on the controller."""
    return lab.home / "installers" / f"ODJConnectorBootstrapper-{build}.exe"


def write_installers(lab: Lab) -> None:
    """Write the installers of all builds into the lab's directory."""
    for build in BUILDS:
        path = installer_path(lab, build)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_bootstrapper(build))
