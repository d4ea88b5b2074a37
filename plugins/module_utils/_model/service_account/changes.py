# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The changes that make a managed service account what is wanted: the object, its hosts, its ACEs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import ACCOUNT_DISABLED, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    AccessRule,
    ace_to_sddl,
    dacl_lines,
    is_canonical,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.plan import (
    CreateAccount,
    DeleteAccount,
    LinkHost,
    ModifyAccount,
    UnlinkHost,
    WriteDacl,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.account import (
    ALL_ENCRYPTION_TYPES,
    CLASSES,
    USUAL_ENCRYPTION_TYPES,
    WORKSTATION_TRUST_ACCOUNT,
    DesiredAccount,
    ListChange,
    ServiceAccount,
    ServiceAccountError,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    denied_in,
    doubtful_in,
    edited,
    readers_descriptor,
)

_MEMBERSHIP = "msDS-GroupMSAMembership"


def creation(wanted: DesiredAccount, container: Dn) -> CreateAccount:
    """Return the operation that makes the account.

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
    types = USUAL_ENCRYPTION_TYPES if wanted.encryption_types is None else wanted.encryption_types
    whole = replace(wanted, enabled=wanted.enabled is not False, encryption_types=types)
    values = _values(whole, WORKSTATION_TRUST_ACCOUNT)
    values["sAMAccountName"] = f"{wanted.name}$".encode()
    if wanted.kind == "group":
        values["msDS-ManagedPasswordInterval"] = str(wanted.interval_days).encode()
        values.setdefault(_MEMBERSHIP, readers_descriptor(()))
    shown = _shown_values(wanted, values)
    after = "".join(f"{name}: {shown[name]}\n" for name in sorted(shown))
    summary = f"{dn}: create the {wanted.kind} managed service account {wanted.name}$"
    return CreateAccount(
        target=dn,
        before="",
        after=after,
        summary=summary,
        reason="There is no such account.",
        object_class=CLASSES[wanted.kind],
        values=values,
    )


def adjustment(current: ServiceAccount, wanted: DesiredAccount, names: Mapping[Sid, str]) -> ModifyAccount | None:
    """Return the operation that makes an existing account as wanted, or None.

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
    before, after = _shown_values(existing, present), _shown_values(wanted, wished)
    if _MEMBERSHIP in differing:
        differing[_MEMBERSHIP] = edited(current.membership, _sids(wanted), current.readers or ())
    return ModifyAccount(
        target=current.dn,
        before="".join(f"{name}: {before.get(name, '')}\n" for name in sorted(differing)),
        after="".join(f"{name}: {after[name]}\n" for name in sorted(differing)),
        summary=f"{current.dn}: set {', '.join(sorted(differing))}",
        reason="The account has other values than are asked for.",
        values={name: value or None for name, value in differing.items()},
    )


def removal(current: ServiceAccount, kind: str, *, force: bool) -> DeleteAccount:
    """Return the operation that removes an account.

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
    summary = f"{current.dn}: remove the {kind} managed service account"
    return DeleteAccount(target=current.dn, before=before, after="", summary=summary, reason="It is to be absent.")


def without_aces_of(dn: str, descriptor: SecurityDescriptor, name: str, sid: Sid) -> tuple[WriteDacl | None, str]:
    """Return the operation that takes every entry of one account out of the access list of one OU.

    An account that is gone needs none, whatever they say: its SID is never given again. Inherited entries stay, they
    stand further up.

    Args:
        dn: The OU.
        descriptor: Its descriptor.
        name: The account for people.
        sid: The account.

    Returns:
        The operation or None, and a remark about what stays ("" when nothing does).

    Raises:
        ServiceAccountError: The list is not in canonical order.
    """
    aces = descriptor.dacl.aces if descriptor.dacl else ()
    rules = {ace: AccessRule.from_ace(ace) for ace in aces}
    mine = {ace: rule for ace, rule in rules.items() if rule and rule.trustee == sid}
    own = [ace for ace, rule in mine.items() if not rule.inherited]
    above = [ace_to_sddl(ace) for ace, rule in mine.items() if rule.inherited]
    remark = f"{dn} inherits {', '.join(above)} for {name}: take it away where it stands." if above else ""
    if not own:
        return None, remark
    if not is_canonical(aces):
        raise ServiceAccountError(
            "change the access list",
            on=dn,
            got="its entries are not in canonical order (explicit deny, explicit allow, inherited)",
            advice="Put it in order with the Security tab of Active Directory Users and Computers, then run again.",
        )
    after = descriptor.with_dacl(tuple(ace for ace in aces if ace not in own))
    gone = ", ".join(ace_to_sddl(ace) for ace in own)
    operation = WriteDacl(
        target=dn,
        before=dacl_lines(descriptor),
        after=dacl_lines(after),
        summary=f"{dn}: - every entry of {name}: {gone}",
        reason=f"{name} is to be removed, and its entries with it.",
        known=descriptor.to_bytes(),
        wanted=after.to_bytes(),
    )
    return operation, remark


def without_doubt(current: ServiceAccount, asked: Iterable[Trustee]) -> ServiceAccount:
    """Return the account without those of the readers asked for whom the directory may not let read as it stands."""
    doubted = set(doubtful_in(current.membership) if current.membership else ()).intersection(a.sid for a in asked)
    return replace(current, readers=tuple(sid for sid in current.readers or () if sid not in doubted))


def refuse_other_place(current: ServiceAccount, path: Dn | None) -> None:
    """Raise ServiceAccountError when an account exists in another container than the one it is to be in."""
    parent = Dn.parse(current.dn).parent
    if path and parent and parent.key != path.key:
        raise ServiceAccountError(
            f"use {current.name}$ in {path}",
            on=current.dn,
            got="the account exists in another place",
            advice="Leave path out to use it where it is, or take another name. Accounts are never moved here.",
        )


def refuse_denied(current: ServiceAccount, asked: Iterable[Trustee]) -> None:
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


def remarks_on(current: ServiceAccount, wanted: DesiredAccount) -> list[str]:
    """Return what somebody should know of an existing account that is left as it is."""
    remarks = []
    if wanted.enabled is None and not current.enabled:
        remarks.append(f"{current.name}$ is disabled and stays so. Set enabled to true when it is to be used.")
    if current.interval_days not in (None, wanted.interval_days):
        remarks.append(
            f"The password changes every {current.interval_days} days. The directory does not allow to change that."
        )
    return remarks


def _as_wanted(current: ServiceAccount, names: Mapping[Sid, str]) -> DesiredAccount:
    sids = current.readers
    readers = None if sids is None else tuple(Trustee(sid, names.get(sid, str(sid))) for sid in sids)
    return DesiredAccount(
        current.name,
        current.kind,
        current.enabled,
        current.description,
        current.dns_host_name,
        encryption_types=current.encryption_types,
        readers=readers,
    )


def _values(wanted: DesiredAccount, control: int, flags: int = 0) -> dict[str, bytes]:
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


def _sids(wanted: DesiredAccount) -> list[Sid]:
    return sorted({reader.sid for reader in wanted.readers or ()}, key=str)


def _shown_values(wanted: DesiredAccount, values: dict[str, bytes]) -> dict[str, str]:
    names = ", ".join(sorted(account.name for account in wanted.readers or ()))
    return {n: names if n == _MEMBERSHIP else v.decode() for n, v in values.items()}


def host_links(
    dn: str, kind: str, hosts: Sequence[str], edit: ListChange[str], *, force: bool
) -> list[LinkHost | UnlinkHost]:
    """Return the operations that link an account to the computers that the edit wants.

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
    after = wanted.apply_to(present)
    if kind == "standalone":
        after = _one(dn, present, wanted, after, force=force)
    unlinks = [
        UnlinkHost(
            target=host.dn,
            before=f"{dn}\n",
            after="",
            summary=f"{host.dn}: is no longer the host of {dn}",
            reason="It is not among the hosts that are asked for.",
            account=dn,
        )
        for host in present
        if host not in after
    ]
    links = [
        LinkHost(
            target=host.dn,
            before="",
            after=f"{dn}\n",
            summary=f"{host.dn}: is the host of {dn}",
            reason="It is among the hosts that are asked for.",
            account=dn,
        )
        for host in after
        if host not in present
    ]
    return [*unlinks, *links]


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
    dn: str, present: Sequence[_Host], wanted: ListChange[_Host], after: tuple[_Host, ...], *, force: bool
) -> tuple[_Host, ...]:
    if len(dict.fromkeys(wanted.required)) > 1:
        raise ServiceAccountError(
            "link the account to its host",
            on=dn,
            got=f"{len(dict.fromkeys(wanted.required))} computers are named, and a standalone account works on one",
            advice="Take a group account, or one standalone account for each computer.",
        )
    others = [host.dn for host in present if host not in wanted.required and host not in wanted.remove]
    if wanted.required and others and not force:
        raise ServiceAccountError(
            "link the account to its host",
            on=dn,
            got=f"it is linked to {'; '.join(others)}, and a standalone account works on one computer",
            advice="Take another account for this computer, or set force to move the account.",
        )
    return wanted.required[:1] if wanted.required else after
