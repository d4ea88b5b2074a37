# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cloud: an https stand-in of Entra's token endpoint and of Intune's part of Microsoft Graph."""

from __future__ import annotations

from odj_lab.cloud.server import Cloud, serve
from odj_lab.cloud.state import CLIENT_ID, add_domain_join_profile, create_state

__all__ = ["CLIENT_ID", "Cloud", "add_domain_join_profile", "create_state", "serve"]
