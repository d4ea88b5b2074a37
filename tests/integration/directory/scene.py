# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for what the fixtures of this folder hand out."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from contextlib import AbstractContextManager

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory

Task: t.TypeAlias = Callable[..., dict[str, t.Any]]
Open: t.TypeAlias = Callable[..., AbstractContextManager[Directory]]
