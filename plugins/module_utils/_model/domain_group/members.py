# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector servers of one AD domain as a play knows them, and which of them acts for the others.

Intune hands a join to any connector of the domain, so what concerns one server of a domain concerns all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# What a member is read from: inventory variables, and what the roles registered or set.
VARIABLES = (
    "odj_domain",
    "odj_organizational_units",
    "odj_delegation",
    "connector_server_look",
    "connector_server__delegated",
    "connector_server__verified",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One connector server.

    Attributes:
        name: Its name in the inventory.
        domain: DNS name of its AD domain in lower case, as seen on the server, else as the inventory says; "" unknown.
        wants: OUs and delegation that the inventory wants of it, as text that is the same for the same wish.
        units: The OUs alone.
        fqdn: Its name as seen on the server; "" while nobody has looked.
        state: The state word of its connector; "" while nobody has looked.
        account: The account of the service, as Windows writes it; "" when nobody has signed in.
        delegated: Accounts that this member has delegated to in this run.
        verified: Names that this member has asked Intune for in this run.
    """

    name: str
    domain: str
    wants: str
    units: tuple[str, ...]
    fqdn: str
    state: str
    account: str
    delegated: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()

    @classmethod
    def from_variables(cls, name: str, variables: Mapping[str, object]) -> Member:
        """Return the member that a host's variables (those of ``VARIABLES`` that it has) describe."""
        server = part(part(variables, "connector_server_look"), "server")
        host, service, enrollment = part(server, "host"), part(server, "service"), part(server, "enrollment")
        domain = text(host, "domain") or text(variables, "odj_domain")
        units = texts(variables, "odj_organizational_units")
        return cls(
            name=name,
            domain=domain.rstrip(".").casefold(),
            wants=json.dumps([units, part(variables, "odj_delegation")], sort_keys=True, default=str),
            units=units,
            fqdn=text(host, "fqdn"),
            state=text(server, "state"),
            account=text(service, "account") if enrollment.get("signed_in") is True else "",
            delegated=texts(variables, "connector_server__delegated"),
            verified=texts(variables, "connector_server__verified"),
        )

    @property
    def address(self) -> str:
        """The name that Intune may know it by."""
        return self.fqdn or self.name


@dataclass(frozen=True, slots=True)
class DomainGroup:
    """The servers of the domain of one server, in the order of the inventory.

    Attributes:
        me: The server that asks.
        members: All of the domain, whatever the batch and the limit of the run are.
        live: Those of them that the play still works on in this batch.
        possible: The members, and all whose domain is not known.
    """

    me: Member
    members: tuple[Member, ...]
    live: tuple[Member, ...]
    possible: tuple[Member, ...] = ()

    @property
    def acting(self) -> str:
        """Who asks the directory and Intune for all: the first that is still in the batch, or the server itself."""
        return self.live[0].name if self.live else self.me.name

    @property
    def alike(self) -> tuple[Member, ...]:
        """Those still in the batch for which the same OUs are delegated in the same way."""
        return tuple(member for member in self.live if member.wants == self.me.wants) or (self.me,)

    @property
    def delegating(self) -> str:
        """Who delegates for all that are alike: the first of them."""
        return self.alike[0].name

    @property
    def accounts(self) -> tuple[str, ...]:
        """The service accounts of those that are alike and at which somebody has signed in."""
        return _distinct(member.account for member in self.alike if member.account)

    @property
    def signed_in(self) -> tuple[str, ...]:
        """The servers still in the batch at which somebody has signed in, by the name that Intune knows."""
        return tuple(member.address for member in self.live if member.account)

    @property
    def delegated(self) -> tuple[str, ...]:
        """The accounts that any member has delegated to in this run."""
        return _distinct(account for member in self.members for account in member.delegated)

    @property
    def to_delegate(self) -> tuple[str, ...]:
        """Those of ``accounts`` that nobody has delegated to in this run."""
        done = set(map(_sam, self.delegated))
        return tuple(account for account in self.accounts if _sam(account) not in done)

    @property
    def owed(self) -> tuple[str, ...]:
        """The server's own account, while nobody has delegated to it in this run."""
        return tuple(account for account in self.to_delegate if account == self.me.account)

    @property
    def verified(self) -> tuple[str, ...]:
        """The servers that any member has asked Intune for in this run."""
        return _distinct(name for member in self.members for name in member.verified)

    @property
    def differences(self) -> tuple[str, ...]:
        """One sentence for each member that wants something else than the first one."""
        first = self.members[0]
        return tuple(
            f"odj_organizational_units or odj_delegation of {member.name} differ from those of {first.name}, "
            f"and Intune may hand a join to either: make them the same for all of {self.me.domain or 'the domain'}."
            for member in self.members[1:]
            if member.wants != first.wants
        )

    def to_json(self) -> dict[str, object]:
        """Return the group as data for a play."""
        names = {member.name for member in self.live}
        return {
            "domain": self.me.domain,
            "members": [member.name for member in self.members],
            "live": [member.name for member in self.live],
            "others": [member.name for member in self.members if member.name not in names],
            "possible": [member.name for member in self.possible],
            "acting": self.acting,
            "delegating": self.delegating,
            "accounts": list(self.accounts),
            "to_delegate": list(self.to_delegate),
            "owed": list(self.owed),
            "delegated": list(self.delegated),
            "address": self.me.address,
            "signed_in": list(self.signed_in),
            "unverified": [self.me.address] if self.me.account and self.me.address not in self.verified else [],
            "organizational_units": list(_distinct(unit for member in self.live for unit in member.units)),
            "differences": list(self.differences),
        }


def group_of(
    host: str, candidates: Sequence[str], live: Iterable[str], variables: Mapping[str, Mapping[str, object]]
) -> DomainGroup:
    """Return the group of a host.

    Args:
        host: The server that asks; it is a member even when it is no candidate.
        candidates: The connector servers of the inventory.
        live: Those that the play still works on in this batch.
        variables: What is known of each.
    """
    names = _distinct([*candidates, host])
    known = {name: Member.from_variables(name, variables.get(name, {})) for name in names}
    members = tuple(member for member in known.values() if member.domain == known[host].domain)
    possible = tuple(
        member for member in known.values() if known[host].domain in (member.domain, "") or not member.domain
    )
    still = set(live)
    return DomainGroup(known[host], members, tuple(member for member in members if member.name in still), possible)


def part(mapping: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a mapping inside a mapping; an empty one when there is none."""
    found = mapping.get(name)
    return found if isinstance(found, Mapping) else {}


def text(mapping: Mapping[str, object], name: str) -> str:
    """Return a text inside a mapping; "" when there is none."""
    found = mapping.get(name)
    return str(found) if isinstance(found, str) else ""


def texts(mapping: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return the texts of a list inside a mapping."""
    found = mapping.get(name)
    if isinstance(found, str) or not isinstance(found, Sequence):
        return ()
    return tuple(str(one) for one in found)


def _sam(account: str) -> str:
    """Return the part of an account's name that is its own within the domain."""
    return account.rpartition("\\")[2].partition("@")[0].casefold()


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names once each, in their order; they differ when more than their case does."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return tuple(found.values())
