# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage on which these tests play."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.tests.integration.modules.staging import estate, person, stage

__all__ = ["estate", "person", "stage"]
