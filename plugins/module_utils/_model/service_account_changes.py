# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The changes that make a managed service account what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    ACCOUNT_DISABLED,
    CLASSES,
    WORKSTATION_TRUST_ACCOUNT,
    ServiceAccount,
    ServiceAccountError,
    Wanted,
    readers_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid


def creation(wanted: Wanted, container: Dn) -> Change:
    """Return the change that makes the account; its payload is (object class, attributes as bytes).

    Raises:
        InvalidInput: A group account needs a DNS host name.

    """
    if wanted.kind == "group" and not wanted.dns_host_name:
        raise InvalidInput(
            "create the group managed service account",
            on=wanted.name,
            got="no dns_host_name is given",
            advice="Active Directory demands one for group accounts, for example the name with the domain behind it.",
        )
    dn = str(container.child("CN", wanted.name))
    values = _values(wanted, WORKSTATION_TRUST_ACCOUNT)
    values["sAMAccountName"] = f"{wanted.name}$".encode()
    if wanted.kind == "group":
        values["msDS-ManagedPasswordInterval"] = str(wanted.interval_days).encode()
        values.setdefault("msDS-GroupMSAMembership", readers_descriptor(()))
    shown = _shown(wanted, values)
    after = "".join(f"{name}: {shown[name]}\n" for name in sorted(shown))
    summary = f"{dn}: create the {wanted.kind} managed service account {wanted.name}$"
    return Change("create", dn, "", after, summary, (CLASSES[wanted.kind], values))


def adjustment(current: ServiceAccount, wanted: Wanted) -> Change | None:
    """Return the change that makes an existing account as wanted (payload: attributes as bytes, None to clear) or None.

    Raises:
        ServiceAccountError: The account is of the other kind.

    """
    if current.kind != wanted.kind:
        raise ServiceAccountError(
            f"make {wanted.name}$ a {wanted.kind} managed service account",
            on=current.dn,
            got=f"it exists as a {current.kind} one",
            advice="The kind of an account cannot change. Take another name, or remove the account first.",
        )
    existing = _as_wanted(current, {reader.sid: reader.name for reader in wanted.readers or ()})
    wished, present = _values(wanted, current.control), _values(existing, current.control)
    differing = {name: value for name, value in wished.items() if present.get(name) != value}
    if not differing:
        return None
    before, after = _shown(existing, present), _shown(wanted, wished)
    return Change(
        "modify",
        current.dn,
        "".join(f"{name}: {before.get(name, '')}\n" for name in sorted(differing)),
        "".join(f"{name}: {after[name]}\n" for name in sorted(differing)),
        f"{current.dn}: set {', '.join(sorted(differing))}",
        {name: value or None for name, value in differing.items()},
    )


def _as_wanted(current: ServiceAccount, names: Mapping[Sid, str]) -> Wanted:
    sids = current.readers
    readers = None if sids is None else tuple(Account(names.get(sid, str(sid)), sid) for sid in sids)
    return Wanted(
        current.name,
        current.kind,
        current.enabled,
        current.description,
        current.dns_host_name,
        encryption_types=current.encryption_types,
        readers=readers,
    )


def _values(wanted: Wanted, control: int) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    if wanted.enabled is not None:
        flag = 0 if wanted.enabled else ACCOUNT_DISABLED
        values["userAccountControl"] = str(control & ~ACCOUNT_DISABLED | flag).encode()
    if wanted.description is not None:
        values["description"] = wanted.description.encode()
    if wanted.dns_host_name is not None:
        values["dNSHostName"] = wanted.dns_host_name.encode()
    if wanted.encryption_types is not None:
        values["msDS-SupportedEncryptionTypes"] = str(wanted.encryption_types).encode()
    if wanted.readers is not None:
        values["msDS-GroupMSAMembership"] = readers_descriptor(sorted({a.sid for a in wanted.readers}, key=str))
    return values


def _shown(wanted: Wanted, values: dict[str, bytes]) -> dict[str, str]:
    names = ", ".join(sorted(account.name for account in wanted.readers or ()))
    return {n: names if n == "msDS-GroupMSAMembership" else v.decode() for n, v in values.items()}


def host_links(dn: str, hosts: Sequence[str], wanted: str, *, force: bool) -> list[Change]:
    """Return the changes that link a standalone account to this computer and to no other (payload: DN of the account).

    Raises:
        ServiceAccountError: It is linked to another computer, and ``force`` is not set.

    """
    others = [host for host in hosts if Dn.parse(host).key != Dn.parse(wanted).key]
    if others and not force:
        raise ServiceAccountError(
            "link the account to its host",
            on=dn,
            got=f"it is linked to {'; '.join(others)}, and a standalone account works on one computer",
            advice="Take another account for this computer, or set force to move the account.",
        )
    links = [
        Change("unlink_host", host, f"{dn}\n", "", f"{host}: is no longer the host of {dn}", dn.encode())
        for host in others
    ]
    if len(others) == len(hosts):
        links.append(Change("link_host", wanted, "", f"{dn}\n", f"{wanted}: is the host of {dn}", dn.encode()))
    return links


def removal(current: ServiceAccount, kind: str, *, force: bool) -> Change:
    """Return the change that removes an account.

    Raises:
        ServiceAccountError: It is of another kind than said, or linked to a host and ``force`` is not set.

    """
    if current.kind != kind:
        raise ServiceAccountError(
            f"remove the {kind} managed service account {current.name}$",
            on=current.dn,
            got=f"it is a {current.kind} one",
            advice="Set kind to what it is.",
        )
    if current.hosts and not force:
        raise ServiceAccountError(
            f"remove {current.name}$",
            on=current.dn,
            got=f"it is linked to {'; '.join(current.hosts)}",
            advice="A service there may still run as this account. Set force to remove it all the same.",
        )
    before = f"{CLASSES[kind]} {current.name}$ {current.sid}\n"
    return Change("delete", current.dn, before, "", f"{current.dn}: remove the {kind} managed service account")
