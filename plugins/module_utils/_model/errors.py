# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one family of errors: adapters and the model raise them, only the glue turns them into a failed task."""

from __future__ import annotations


class OdjError(Exception):
    """Something could not be done; says what was tried, on what, what came back and what to do.

    Args:
        tried: What was being done, as a phrase that fits after "Could not": "read the organizational unit".
        on: The object it was done on: a DN, a path, a server.
        got: What came back: the product's own message and code.
        advice: What the reader should do next, as a sentence.

    Attributes:
        in_doubt: What was tried may have been done all the same: the answer was lost, or tells nothing of it.
    """

    in_doubt = False

    def __init__(self, tried: str, *, on: str = "", got: str = "", advice: str = "") -> None:
        self.tried = tried
        self.on = on
        self.got = got
        self.advice = advice
        super().__init__(self._sentence())

    def advise(self, sentence: str) -> None:
        """Put a sentence behind the advice; the error stays the same object, with the cause that it has."""
        self.advice = f"{self.advice} {sentence}".strip()
        self.args = (self._sentence(),)

    def _sentence(self) -> str:
        head = f"Could not {self.tried}" + (f" ({self.on})" if self.on else "")
        head += f": {self.got.rstrip('.')}." if self.got else "."
        return f"{head} {self.advice}".rstrip()

    def to_json(self) -> dict[str, str]:
        """Return the four parts for a task result, under the names of the constructor."""
        return {"tried": self.tried, "on": self.on, "got": self.got, "advice": self.advice}


class InvalidInput(OdjError):
    """An option of the user cannot be meant as it stands; raised before anything is touched.

    Args:
        tried: As in OdjError.
        on: As in OdjError; the option.
        got: As in OdjError.
        advice: As in OdjError.
        hidden: Values that may hold a password although their option is not secret: no output may show them.
    """

    def __init__(
        self, tried: str, *, on: str = "", got: str = "", advice: str = "", hidden: tuple[str, ...] = ()
    ) -> None:
        self.hidden = hidden
        super().__init__(tried, on=on, got=got, advice=advice)


def plain(text: str, most: int) -> str:
    """Return foreign text on one line, at most so many characters, all of which can be written."""
    return " ".join(text[: 4 * most].split())[:most].encode("utf-8", "replace").decode("utf-8")
