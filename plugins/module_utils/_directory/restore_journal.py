# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What one task writes into the file of restore points: each list before it is written, and none that never was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.descriptors import Edit
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.restore_file import RestoreFile, now
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.restore_point import RestorePoint


class RestoreJournal:
    """The journal of a Writer.

    Args:
        file: Where the points are kept; None when nobody asked for any.
        server: The domain controller that is written to.
        reasons: What the change is, as a sentence, by DN.
        restores: The changes put older lists back.

    """

    def __init__(self, file: RestoreFile | None, server: str, reasons: Mapping[str, str], *, restores: bool) -> None:
        self._file = file
        self._server = server
        self._reasons = reasons
        self._restores = restores
        self._points: dict[Edit, RestorePoint] = {}

    def remember(self, edits: Sequence[Edit]) -> None:
        """Keep what these lists are, and what they become.

        Raises:
            RestoreError: The file cannot be written.

        """
        if not self._file:
            return
        time = now()
        new = {edit: self._point(edit, time) for edit in edits}
        self._points |= new
        self._file.add(tuple(new.values()))

    def forget(self, edits: Sequence[Edit]) -> None:
        """Drop what was remembered of edits that were not made, because somebody else was faster.

        Raises:
            RestoreError: The file cannot be written.

        """
        if self._file and edits:
            self._file.drop([self._points[edit] for edit in edits])

    def _point(self, edit: Edit, time: str) -> RestorePoint:
        old, new = edit.known.to_bytes(), edit.wanted.to_bytes()
        return RestorePoint(edit.dn, old, new, time, self._server, self._reasons[edit.dn], self._restores)
