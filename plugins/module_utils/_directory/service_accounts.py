# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Managed service accounts and their hosts, as the directory holds them."""

from __future__ import annotations

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import NO_SUCH_OBJECT, Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import ANYTHING, AllOf, AnyOf, Equals
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.objects import Domains
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account import (
    CLASSES,
    CONTAINER_GUID,
    ServiceAccount,
    ServiceAccountError,
    readers_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import Sid

_ATTRIBUTES = (
    "objectClass",
    "objectSid",
    "userAccountControl",
    "description",
    "dNSHostName",
    "msDS-ManagedPasswordInterval",
    "msDS-SupportedEncryptionTypes",
    "msDS-GroupMSAMembership",
    "msDS-HostServiceAccountBL",
)


def read_service_account(domains: Domains, name: str) -> ServiceAccount | None:
    """Return the managed service account of that name (without the dollar sign), None when there is no such account.

    Raises:
        ServiceAccountError: Something else has the name.

    """
    found = domains.directory.search(domains.base, Equals("sAMAccountName", f"{name}$"), _ATTRIBUTES)
    if not found:
        return None
    entry = found[0]
    kind = _kind(entry)
    if not kind:
        raise ServiceAccountError(
            f"use {name}$ as a managed service account",
            on=entry.dn,
            got=f"it is of class {(entry.texts('objectClass') or ('unknown',))[-1]}",
            advice="Take another name.",
        )
    readers = entry.one("msDS-GroupMSAMembership")
    return ServiceAccount(
        dn=entry.dn,
        name=name,
        sid=Sid.from_bytes(entry.one("objectSid") or b""),
        kind=kind,
        control=entry.number("userAccountControl") or 0,
        description=entry.text("description"),
        dns_host_name=entry.text("dNSHostName"),
        interval_days=entry.number("msDS-ManagedPasswordInterval"),
        encryption_types=entry.number("msDS-SupportedEncryptionTypes"),
        readers=None if kind != "group" else readers_in(readers) if readers else (),
        hosts=entry.texts("msDS-HostServiceAccountBL"),
    )


def find_container(domains: Domains, path: str | None) -> Dn:
    """Return the container for new service accounts: the one given, or the default one of the domain.

    Raises:
        DirectoryError: There is no such container.

    """
    if not path:
        default = domains.well_known(CONTAINER_GUID)
        if default:
            return Dn.parse(default)
        raise DirectoryError(
            "find the container of managed service accounts",
            on=domains.base,
            got="the domain names none",
            advice="Set path.",
        )
    try:
        found = domains.directory.search(path, ANYTHING, ["objectClass"], scope="base")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        found = []
    if not found:
        raise DirectoryError("find the container", on=path, got="there is no such object", advice="Correct path.")
    return Dn.parse(found[0].dn)


def find_computer(domains: Domains, name: str) -> str:
    """Return the DN of the one computer that a short name, an FQDN or a DN means; never a managed service account.

    Raises:
        DirectoryError: There is none, or more than one.

    """
    if "=" in name:
        names = AnyOf((Equals("distinguishedName", str(Dn.parse(name))),))
    else:
        short = name.removesuffix("$").partition(".")[0]
        exact = Equals("dNSHostName", name) if "." in name else Equals("sAMAccountName", f"{short}$")
        names = AnyOf((exact,))
    where = AllOf((Equals("objectClass", "computer"), names))
    found = [e for e in domains.directory.search(domains.base, where, ["objectClass"]) if not _kind(e)]
    if len(found) == 1:
        return found[0].dn
    got = f"it means more than one: {', '.join(e.dn for e in found)}" if found else "there is no such computer"
    raise DirectoryError("find the host", on=name, got=got, advice="Give its sAMAccountName, FQDN or DN as AD has it.")


def _kind(entry: Entry) -> str:
    classes = entry.texts("objectClass")
    return next((kind for kind, name in CLASSES.items() if name in classes), "")
