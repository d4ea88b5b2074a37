# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The third-party libraries of this adapter, and whether they are there."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.credential_certificate import CRYPTOGRAPHY_ERROR
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.entra import MSAL_ERROR
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.session import REQUESTS_ERROR

LIBRARIES: tuple[tuple[str, ImportError | None], ...] = (
    ("requests", REQUESTS_ERROR),
    ("msal", MSAL_ERROR),
    ("cryptography", CRYPTOGRAPHY_ERROR),
)
