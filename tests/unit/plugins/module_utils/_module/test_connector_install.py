# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._module.connector_install import parse_checksum

SUM = "9f" * 32


def test_checksums() -> None:
    assert parse_checksum(f" {SUM.upper()} ") == SUM
    assert parse_checksum(None) is None
