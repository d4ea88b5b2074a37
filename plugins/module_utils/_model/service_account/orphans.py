# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What only a look at a managed service account is for: its age, and whether it is an orphan of the sign-in."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import utc_text
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import made_by_sign_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    CLASSES,
    ServiceAccount,
)


def is_orphan(account: ServiceAccount) -> bool:
    """Say whether it is an account of the connector's sign-in that no computer is linked to (any more, or yet)."""
    return made_by_sign_in(f"{account.name}$", CLASSES[account.kind]) and not account.hosts


def report(account: ServiceAccount, now: datetime.datetime) -> dict[str, t.Any]:
    """Return the account as data for a task result, with ages in days at a moment and ``orphan``."""
    age = None if account.password_set is None else max(0, (now - account.password_set).days)
    return {
        **{key: value for key, value in account.to_json().items() if key != "exists"},
        "created": utc_text(account.created) if account.created else None,
        "password_last_set": utc_text(account.password_set) if account.password_set else None,
        "password_age_days": age,
        "orphan": is_orphan(account),
    }
