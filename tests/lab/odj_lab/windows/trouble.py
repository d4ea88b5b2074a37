# SPDX-License-Identifier: GPL-3.0-or-later
"""How a simulated thing fails: as the module would, or loudly because the lab has no stand-in for it."""

from __future__ import annotations

import typing as t

DISK_FULL = 0x80070070
FILE_NOT_FOUND = 0x80070002
PATH_NOT_FOUND = 0x80070003


class ModuleFailure(Exception):
    """The module fails as in life: `failed`, `msg` and whatever else its result carries."""

    def __init__(self, msg: str, **result: t.Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.result = result


class NotSimulated(ModuleFailure):
    """The lab has no stand-in; it says so instead of guessing an answer."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The lab has no stand-in for {what}. `lab stand-ins` prints what it has.")


class WindowsError(Exception):
    """An error of the simulated system.

    Attributes:
        hresult: Unsigned, as in the list of Windows error codes.
        reason: Name of the exception class that PowerShell would show.
        error_id: PowerShell's error id, the part before the comma.
        category: PowerShell's error category.

    """

    def __init__(
        self, message: str, *, hresult: int, reason: str, error_id: str = "", category: str = "NotSpecified"
    ) -> None:
        super().__init__(message)
        self.hresult = hresult
        self.reason = reason
        self.error_id = error_id or reason
        self.category = category

    def answer(self) -> dict[str, t.Any]:
        """Return the error as the probe module answers it (hresult signed)."""
        signed = self.hresult - (1 << 32) if self.hresult >= 1 << 31 else self.hresult
        return {
            "id": self.error_id,
            "category": self.category,
            "reason": self.reason,
            "hresult": signed or None,
            "message": str(self),
        }


class Refused(WindowsError):
    """An error that our own PowerShell makes by `throw 'Id, text'`: LanguageMode, NoCredentials, BadArgument ..."""

    def __init__(self, error_id: str, text: str) -> None:
        super().__init__(
            f"{error_id}, {text}",
            hresult=0x80131501,  # COR_E_EXCEPTION, what a thrown text gives
            reason="RuntimeException",
            error_id=error_id,
            category="OperationStopped",
        )
