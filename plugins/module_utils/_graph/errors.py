# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What the adapter raises."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError


class GraphError(OdjError):
    """Entra or Graph refused, or could not be reached.

    Args:
        tried: As in OdjError.
        on: As in OdjError; an address without query, or an application.
        got: As in OdjError.
        advice: As in OdjError.
        status: HTTP status, or 0 when no answer came.
        code: The service's own code: "AADSTS7000222", "Forbidden"; "" when it gave none.
        request_id: Under which Microsoft support finds the request; "" when the answer had none.

    """

    def __init__(
        self,
        tried: str,
        *,
        on: str = "",
        got: str = "",
        advice: str = "",
        status: int = 0,
        code: str = "",
        request_id: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.request_id = request_id
        super().__init__(tried, on=on, got=got, advice=advice)

    def to_json(self) -> dict[str, str]:
        """Return the parts for a task result: the four of OdjError, and status, code and request_id as text."""
        own = {"status": str(self.status or ""), "code": self.code, "request_id": self.request_id}
        return {**super().to_json(), **own}
