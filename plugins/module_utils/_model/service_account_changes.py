# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The changes that make a managed service account what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation import Account
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import Change
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    ACCOUNT_DISABLED,
    ALL_ENCRYPTION_TYPES,
    CLASSES,
    WORKSTATION_TRUST_ACCOUNT,
    ServiceAccount,
    ServiceAccountError,
    Wanted,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_readers import (
    denied_in,
    doubtful_in,
    edited,
    readers_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid

_MEMBERSHIP = "msDS-GroupMSAMembership"


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
    values = _values(replace(wanted, enabled=wanted.enabled is not False), WORKSTATION_TRUST_ACCOUNT)
    values["sAMAccountName"] = f"{wanted.name}$".encode()
    if wanted.kind == "group":
        values["msDS-ManagedPasswordInterval"] = str(wanted.interval_days).encode()
        values.setdefault(_MEMBERSHIP, readers_descriptor(()))
    shown = _shown(wanted, values)
    after = "".join(f"{name}: {shown[name]}\n" for name in sorted(shown))
    summary = f"{dn}: create the {wanted.kind} managed service account {wanted.name}$"
    return Change("create", dn, "", after, summary, (CLASSES[wanted.kind], values))


def adjustment(current: ServiceAccount, wanted: Wanted, names: Mapping[Sid, str]) -> Change | None:
    """Return the change that makes an existing account as wanted (payload: attributes as bytes, None to clear) or None.

    Args:
        current: As it is.
        wanted: As it is to be.
        names: What people call the SIDs among its readers, as far as known.

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
    existing = _as_wanted(current, names)
    flags = (current.encryption_types or 0) & ~ALL_ENCRYPTION_TYPES
    wished, present = _values(wanted, current.control, flags), _values(existing, current.control, flags)
    differing = {name: value for name, value in wished.items() if present.get(name) != value}
    if not differing:
        return None
    before, after = _shown(existing, present), _shown(wanted, wished)
    if _MEMBERSHIP in differing:
        differing[_MEMBERSHIP] = edited(current.membership, _sids(wanted), current.readers or ())
    return Change(
        "modify",
        current.dn,
        "".join(f"{name}: {before.get(name, '')}\n" for name in sorted(differing)),
        "".join(f"{name}: {after[name]}\n" for name in sorted(differing)),
        f"{current.dn}: set {', '.join(sorted(differing))}",
        {name: value or None for name, value in differing.items()},
    )


def without_doubt(current: ServiceAccount, asked: Iterable[Account]) -> ServiceAccount:
    """Return the account without those of the readers asked for whom the directory may not let read as it stands."""
    doubted = set(doubtful_in(current.membership) if current.membership else ()).intersection(a.sid for a in asked)
    return replace(current, readers=tuple(sid for sid in current.readers or () if sid not in doubted))


def refuse_denied(current: ServiceAccount, asked: Iterable[Account]) -> None:
    """Raise ServiceAccountError when one of these is denied to read the password of a group account."""
    denied = denied_in(current.membership) if current.membership else ()
    hindered = sorted(reader.name for reader in asked if reader.sid in denied)
    if hindered:
        raise ServiceAccountError(
            f"let {', '.join(hindered)} read the password",
            on=current.dn,
            got=f"an entry in {_MEMBERSHIP} denies it",
            advice="A Deny is never overridden or removed here: find out why it is there, and remove it if wrong.",
        )


def remarks_on(current: ServiceAccount, wanted: Wanted) -> list[str]:
    """Return what somebody should know of an existing account that is left as it is."""
    remarks = []
    if wanted.enabled is None and not current.enabled:
        remarks.append(f"{current.name}$ is disabled and stays so. Set enabled to true when it is to be used.")
    if current.interval_days not in (None, wanted.interval_days):
        remarks.append(
            f"The password changes every {current.interval_days} days. The directory does not allow to change that."
        )
    return remarks


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


def _values(wanted: Wanted, control: int, flags: int = 0) -> dict[str, bytes]:
    """Return the attributes; ``flags`` stay in msDS-SupportedEncryptionTypes beside the encryption types."""
    values: dict[str, bytes] = {}
    if wanted.enabled is not None:
        flag = 0 if wanted.enabled else ACCOUNT_DISABLED
        values["userAccountControl"] = str(control & ~ACCOUNT_DISABLED | flag).encode()
    if wanted.description is not None:
        values["description"] = wanted.description.encode()
    if wanted.dns_host_name is not None:
        values["dNSHostName"] = wanted.dns_host_name.encode()
    if wanted.encryption_types is not None:
        values["msDS-SupportedEncryptionTypes"] = str(wanted.encryption_types | flags).encode()
    if wanted.readers is not None:
        values[_MEMBERSHIP] = readers_descriptor(_sids(wanted))
    return values


def _sids(wanted: Wanted) -> list[Sid]:
    return sorted({reader.sid for reader in wanted.readers or ()}, key=str)


def _shown(wanted: Wanted, values: dict[str, bytes]) -> dict[str, str]:
    names = ", ".join(sorted(account.name for account in wanted.readers or ()))
    return {n: names if n == _MEMBERSHIP else v.decode() for n, v in values.items()}


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
