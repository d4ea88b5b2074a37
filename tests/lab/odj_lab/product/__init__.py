# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector product as the lab knows it: what its programs do to a server, its sign-in, heartbeat and joins.

What Microsoft documents is done so; what it does not document is a choice of the lab, and each choice says so.
"""
