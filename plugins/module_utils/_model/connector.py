# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Builds of the connector: how they are written, how they compare, and which ones still work."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

# re.ASCII: other scripts have digits that int() understands and that no build number is written with.
_FORM = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Build:
    """One build of the connector, such as 6.2501.2000.5. Compares by number, not as text.

    Attributes:
        major: First number.
        minor: Second number; year and month of the build in those seen so far.
        build: Third number.
        revision: Fourth number; 0 when the text had only three.
    """

    major: int
    minor: int
    build: int
    revision: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"

    @classmethod
    def parse(cls, text: str) -> Build:
        """Return the build that a text of three or four numbers names; blanks around it do not matter.

        Raises:
            InvalidInput: The text is not of that form.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidInput(
                "read the connector build",
                on=repr(text),
                got="it is not three or four numbers with dots between them",
                advice=f'Write it like "{MINIMUM_BUILD}", in quotes.',
            )
        return cls(*(int(number) for number in match.groups(default="0")))


# Older builds can no longer process requests: https://learn.microsoft.com/en-us/autopilot/windows-autopilot-hybrid
MINIMUM_BUILD = Build(6, 2501, 2000, 5)


def is_legacy(build: Build) -> bool:
    """Return whether a build is older than the first one with a managed service account."""
    return build < MINIMUM_BUILD
