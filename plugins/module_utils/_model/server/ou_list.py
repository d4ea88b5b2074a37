# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The OU list of a connector: how its configuration writes it, and what it should hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput


def split_ou_list(value: str) -> list[str]:
    """Return the DNs of an OU list: split at semicolons that are not escaped, without blanks around them."""
    parts, start, index = [], 0, 0
    while index < len(value):
        if value[index] == "\\":
            index += 1
        elif value[index] == ";":
            parts.append(value[start:index])
            start = index + 1
        index += 1
    return [part.strip() for part in [*parts, value[start:]] if part.strip()]


def join_ou_list(ous: Sequence[str]) -> str:
    r"""Return the value for an OU list.

    A semicolon inside a DN is written as \3B: a reader that knows no escapes would split at it.
    """
    return ";".join(ou.replace("\\;", "\\3B") for ou in ous)


def check_ous(ous: Sequence[str]) -> list[str]:
    """Return the DNs of the user as they were written, without blanks around them and without repetitions.

    Raises:
        InvalidInput: One is malformed, or is not the DN of something in a domain.
    """
    kept: dict[object, str] = {}
    for text in ous:
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


def ou_remarks(ous: Iterable[str], domain: str | None) -> list[str]:
    """Return what is worth a remark about DNs that ``check_ous`` has let pass, one sentence each.

    Args:
        ous: Those that are to be in the list.
        domain: DNS name of the domain that the server is a member of; None when it is not known.
    """
    remarks = []
    for text in ous:
        parts = Dn.parse(text).parts
        if parts[0][0].casefold() != "ou":
            remarks.append(f"{text} is no organizational unit.")
        theirs = ".".join(value for kind, value in parts if kind.casefold() == "dc")
        if domain and theirs.casefold() != domain.rstrip(".").casefold():
            remarks.append(f"{text} is in the domain {theirs}; a connector serves that of its server, {domain}.")
    return remarks


def desired_ou_list(present: Sequence[str], given: Sequence[str], state: str) -> list[str]:
    """Return the OU list that is desired.

    What stays keeps its spelling and its place; what is new comes last. DNs compare as DNs, not as text.

    Args:
        present: The list of the connector.
        given: DNs that ``check_ous`` has let pass.
        state: present (these too), exact (these only) or absent (not these).
    """
    named = {_key(ou): ou for ou in given}
    held = {_key(ou) for ou in present}
    if state == "absent":
        return [ou for ou in present if _key(ou) not in named]
    kept = [ou for ou in present if state == "present" or _key(ou) in named]
    return kept + [ou for key, ou in named.items() if key not in held]


def _key(text: str) -> object:
    try:
        return Dn.parse(text).key
    except InvalidInput:
        # What is no DN is only ever equal to the same text.
        return text.casefold()
