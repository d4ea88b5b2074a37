# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The OU list of a connector: what it should hold, compared with what it holds."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput


def check_units(units: Sequence[str]) -> list[str]:
    """Return the DNs of the user as they were written, without blanks around them and without repetitions.

    Raises:
        InvalidInput: One is malformed, or is not the DN of something in a domain.
    """
    kept: dict[object, str] = {}
    for text in units:
        dn = Dn.parse(text)
        if dn.parts[-1][0].casefold() != "dc":
            raise InvalidInput(
                "read the organizational unit",
                on=text,
                got="it does not end with the domain",
                advice="Give the whole DN, like OU=Autopilot,DC=contoso,DC=com.",
            )
        kept.setdefault(dn.key, text.strip())
    return list(kept.values())


def wanted_units(present: Sequence[str], units: Sequence[str], state: str) -> list[str]:
    """Return the OU list that is desired.

    What stays keeps its spelling and its place; what is new comes last. DNs compare as DNs, not as text.

    Args:
        present: The list of the connector.
        units: DNs that ``check_units`` has let pass.
        state: present (these too), exact (these only) or absent (not these).
    """
    given = {_key(unit): unit for unit in units}
    held = {_key(unit) for unit in present}
    if state == "absent":
        return [unit for unit in present if _key(unit) not in given]
    kept = [unit for unit in present if state == "present" or _key(unit) in given]
    return kept + [unit for key, unit in given.items() if key not in held]


def _key(text: str) -> object:
    try:
        return Dn.parse(text).key
    except InvalidInput:
        # What is no DN is only ever equal to the same text.
        return text.casefold()
