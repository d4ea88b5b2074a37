# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down in $ODJ_PLAYS, for each playbook and each play, the version of Ansible that ran it."""

from __future__ import annotations

import os

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "count_plays"

    def v2_playbook_on_start(self, playbook: object) -> None:
        self._note("playbook")

    def v2_playbook_on_play_start(self, play: object) -> None:
        self._note("play")

    def _note(self, what: str) -> None:
        if path := os.environ.get("ODJ_PLAYS"):
            with open(path, "a", encoding="ascii") as log:  # noqa: PTH123 - one short write in append mode stays whole
                log.write(f"{__version__} {what}\n")
