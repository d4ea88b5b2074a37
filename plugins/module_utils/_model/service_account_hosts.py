# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The computers that a managed service account is linked to, and the changes that make them what is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.list_edit import ListEdit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import ServiceAccountError


def host_links(dn: str, kind: str, hosts: Sequence[str], edit: ListEdit[str], *, force: bool) -> list[Change]:
    """Return the changes that link an account to the computers that the edit wants (payload: DN of the account).

    Args:
        dn: The account.
        kind: "standalone" or "group".
        hosts: DNs of the computers it is linked to.
        edit: DNs of computers.
        force: Take a standalone account from computers that the edit does not name.

    Raises:
        ServiceAccountError: A standalone account would be linked to more than one computer, or taken from a computer
            that is not named, and ``force`` is not set.

    """
    present, wanted = [_Host(host) for host in hosts], edit.of(lambda names: [_Host(name) for name in names])
    after = wanted.applied_to(present)
    if kind == "standalone":
        after = _one(dn, present, wanted, after, force=force)
    unlinks = [
        Change("unlink_host", host.dn, f"{dn}\n", "", f"{host.dn}: is no longer the host of {dn}", dn.encode())
        for host in present
        if host not in after
    ]
    links = [
        Change("link_host", host.dn, "", f"{dn}\n", f"{host.dn}: is the host of {dn}", dn.encode())
        for host in after
        if host not in present
    ]
    return unlinks + links


class _Host:
    """The DN of a computer; two spellings of it are equal."""

    def __init__(self, dn: str) -> None:
        self.dn = dn
        self._key = Dn.parse(dn).key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Host) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _one(
    dn: str, present: Sequence[_Host], wanted: ListEdit[_Host], after: tuple[_Host, ...], *, force: bool
) -> tuple[_Host, ...]:
    if len(dict.fromkeys(wanted.wished)) > 1:
        raise ServiceAccountError(
            "link the account to its host",
            on=dn,
            got=f"{len(dict.fromkeys(wanted.wished))} computers are named, and a standalone account works on one",
            advice="Take a group account, or one standalone account for each computer.",
        )
    others = [host.dn for host in present if host not in wanted.wished and host not in wanted.remove]
    if wanted.wished and others and not force:
        raise ServiceAccountError(
            "link the account to its host",
            on=dn,
            got=f"it is linked to {'; '.join(others)}, and a standalone account works on one computer",
            advice="Take another account for this computer, or set force to move the account.",
        )
    return wanted.wished[:1] if wanted.wished else after
