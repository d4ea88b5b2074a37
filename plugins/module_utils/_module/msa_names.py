# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The hosts and readers that odj_msa is told by name, as objects of the directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains, resolve_accounts
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import (
    computers_among,
    find_computers,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.list_edit import ListEdit
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is to read the password of a group account.

    Attributes:
        asked: Those the user names to have the right.
        afterwards: All that have it after the task.
        names: What people call them, as far as known.
        remarks: Sentences about them.

    """

    asked: tuple[Account, ...]
    afterwards: tuple[Account, ...]
    names: Mapping[Sid, str]
    remarks: tuple[str, ...]


def find_readers(domains: Domains, edit: ListEdit[str], current: Sequence[Sid]) -> Readers:
    """Find the accounts that the edit names, and say who reads afterwards.

    A deleted account can be removed by its SID.

    Raises:
        DirectoryError: Names every one that means no account, or more than one.
        InvalidInput: Two names of one account are in both lists.

    """
    asked, remove = resolve_accounts(domains, edit.wished), resolve_accounts(domains, edit.remove, must_exist=False)
    names = {account.sid: account.name for account in (*asked, *remove)}
    sids = tuple(account.sid for account in asked)
    wanted = ListEdit(
        None if edit.exactly is None else sids,
        () if edit.exactly is not None else sids,
        tuple(account.sid for account in remove),
    ).checked("readers", names.__getitem__)
    afterwards = tuple(Account(names.get(sid, str(sid)), sid) for sid in wanted.applied_to(current))
    remarks = tuple(
        f"{computer.name} is a single computer. With a group in its place, computers come and go without a change here."
        for computer in computers_among(domains, asked)
    )
    return Readers(asked, afterwards, names, remarks)


def find_hosts(domains: Domains, edit: ListEdit[str]) -> ListEdit[str]:
    """Return the edit with the DNs of the computers; one to be removed that does not exist is linked to nothing.

    Raises:
        DirectoryError: Names every one that means no computer, or more than one.
        InvalidInput: Two names of one computer are in both lists.

    """
    return ListEdit(
        None if edit.exactly is None else find_computers(domains, edit.exactly),
        find_computers(domains, edit.add),
        find_computers(domains, edit.remove, must_exist=False),
    ).checked("hosts")
