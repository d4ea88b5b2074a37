# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is called, what is in it, where it listens, and where its state lies. One directory per lab."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from odj_lab.files import write_private
from odj_lab.processes import LabError

DEFAULT_NET = "127.0.77"
DEFAULT_DOMAINS = "contoso.test"
SERVERS_OF_THE_FIRST, SERVERS_OF_ANOTHER = 3, 2
MOST_DOMAINS, MOST_SERVERS = 8, 9
ACCOUNTS = ("ansible", "graph-app")
DOMAIN_ACCOUNTS = ("Administrator", "odj-automation", "intune-admin")
LABEL = r"[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?"


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab: a directory, and domains, their connector servers and a cloud on loopback addresses of their own.

    Attributes:
        name: Distinguishes labs that run at the same time.
        net: First three octets of the lab's addresses; two labs at once need different ones.
        home: The directory of all state. Short, because Unix sockets live below it.
        sizes: How many connector servers each domain has, by its DNS name, in the order in which the domains came.
        passwords: Made at random for each lab: by account name, those of a domain as NAME@DOMAIN.

    """

    name: str
    net: str
    home: Path
    sizes: dict[str, int]
    passwords: dict[str, str]

    @property
    def domains(self) -> tuple[Domain, ...]:
        """The domains; the first is there in every lab."""
        return tuple(Domain(self, name, place) for place, name in enumerate(self.sizes))

    @property
    def servers(self) -> tuple[str, ...]:
        """Names of all connector servers."""
        return tuple(server for domain in self.domains for server in domain.servers)

    def domain_named(self, name: str) -> Domain:
        """Return a domain by its DNS name.

        Raises:
            LabError: The lab has none of that name.

        """
        found = next((domain for domain in self.domains if domain.name == name.lower()), None)
        if found is None:
            raise LabError(f"Lab {self.name} has no domain {name}, only {', '.join(self.sizes)}.")
        return found

    def domain_of(self, server: str) -> Domain:
        """Return the domain that a connector server is a member of.

        Raises:
            LabError: The lab has no such server.

        """
        found = next((domain for domain in self.domains if server in domain.servers), None)
        if found is None:
            raise LabError(f"Lab {self.name} has no server {server}, only {', '.join(self.servers)}.")
        return found

    @property
    def cloud_address(self) -> str:
        """Address of the mock of Entra and Graph."""
        return f"{self.net}.20"

    @property
    def cloud_url(self) -> str:
        """Base address of the mock, without a trailing slash."""
        return f"https://{self.cloud_address}:8443"

    @property
    def tenant_id(self) -> str:
        """The Entra tenant of the lab."""
        return "00000000-0000-4000-8000-0000c0470500"

    def server_address(self, server: str) -> str:
        """Return the address of a connector server; WS-Man listens on 5985 and 5986, ssh on 22022."""
        domain = self.domain_of(server)
        return f"{self.net}.{10 * (domain.place + 1) + 1 + domain.servers.index(server)}"

    def server_dir(self, server: str) -> Path:
        """Return the directory of one connector server: state.json, changes.jsonl, executions.jsonl."""
        return self.home / "servers" / server

    @property
    def cloud_dir(self) -> Path:
        """Directory of the mock: state.json, changes.jsonl, requests.jsonl."""
        return self.home / "cloud"

    @property
    def pki_dir(self) -> Path:
        """Directory of the lab's certificate authority and of all its certificates."""
        return self.home / "pki"

    @property
    def ca_path(self) -> Path:
        """The certificate that every TLS client of the lab has to trust."""
        return self.pki_dir / "ca.pem"

    @property
    def directory_dir(self) -> Path:
        """Where the domain controllers live, each domain in a directory of its own."""
        return self.home / "ad"

    @property
    def krb5_conf(self) -> Path:
        """The configuration with which Kerberos finds all domains of the lab (KRB5_CONFIG)."""
        return self.home / "krb5.conf"

    @property
    def path(self) -> Path:
        """The file that says all this. It holds the lab's passwords."""
        return self.home / "lab.json"

    @classmethod
    def new(cls, name: str, net: str, home: Path, domains: str = DEFAULT_DOMAINS) -> Lab:
        """Return a lab that nothing is written of yet; domains as `sizes_of` reads them.

        Raises:
            LabError: These domains cannot be.

        """
        return cls(name, net, home, {}, {account: _password() for account in ACCOUNTS}).with_domains(domains)

    @classmethod
    def load(cls, home: Path) -> Lab:
        """Read the lab that lives in a directory.

        Raises:
            FileNotFoundError: There is no lab.
            LabError: What is there cannot be read.

        """
        path = home / "lab.json"
        try:
            return cls(**{**json.loads(path.read_text(encoding="utf-8")), "home": home})
        except (ValueError, TypeError) as error:
            text = f"{path} is damaged or was written by another version of the lab: wipe this lab."
            raise LabError(text) from error

    def save(self) -> None:
        """Write lab.json, readable by its owner only, whole or not at all."""
        for path in (self.home.parent, self.home):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(self.path, json.dumps({**asdict(self), "home": str(self.home)}, indent=2).encode())

    @classmethod
    def from_environment(cls, domains: str = "") -> Lab:
        """Return the lab that ODJ_LAB_NAME and ODJ_LAB_HOME name; loaded when it exists.

        Args:
            domains: Of a lab that is not there yet, as `sizes_of` reads them; else those of ODJ_LAB_DOMAINS.

        Raises:
            LabError: What is there cannot be read, or these domains cannot be.

        """
        home = home_in_environment()
        if (home / "lab.json").exists():
            return cls.load(home)
        asked = domains or os.environ.get("ODJ_LAB_DOMAINS") or DEFAULT_DOMAINS
        return cls.new(home.name, os.environ.get("ODJ_LAB_NET", DEFAULT_NET), home, asked)

    def with_domains(self, text: str) -> Lab:
        """Return the same lab with further domains, or with more servers in those that it has.

        Args:
            text: The domains as `sizes_of` reads them; what the lab has already stays.

        Raises:
            LabError: These domains cannot be.

        """
        sizes = dict(self.sizes)
        for name, size in sizes_of(text).items():
            least = SERVERS_OF_ANOTHER if sizes else SERVERS_OF_THE_FIRST
            sizes[name] = max(size or sizes.get(name, least), sizes.get(name, 0))
        _refuse(sizes)
        lacking = [f"{account}@{name}" for name in sizes for account in DOMAIN_ACCOUNTS]
        passwords = {account: _password() for account in lacking} | self.passwords
        return replace(self, sizes=sizes, passwords=passwords)

    def on_net(self, net: str) -> Lab:
        """Return the same lab on other addresses."""
        return replace(self, net=net)


@dataclass(frozen=True, slots=True)
class Domain:
    """One Active Directory domain, a forest of its own: one domain controller, and connector servers as members.

    Attributes:
        lab: The lab that it is in.
        name: Its DNS name, lower case.
        place: Which one of its lab it is, from 0; addresses and the names of servers follow from it.

    """

    lab: Lab
    name: str
    place: int

    @property
    def netbios(self) -> str:
        """NetBIOS name."""
        return self.name.partition(".")[0].upper()

    @property
    def realm(self) -> str:
        """Name of its Kerberos realm."""
        return self.name.upper()

    @property
    def base_dn(self) -> str:
        """DN of the domain."""
        return ",".join(f"DC={label}" for label in self.name.split("."))

    @property
    def dc(self) -> str:
        """DNS name of its domain controller."""
        return f"dc1.{self.name}"

    @property
    def dc_address(self) -> str:
        """Address of its domain controller, which has the standard ports and is the DNS server of the domain."""
        return f"{self.lab.net}.{2 + self.place}"

    @property
    def servers(self) -> tuple[str, ...]:
        """Names of the connector servers: odj01, odj02 ... in the first domain, odj11 ... in the second."""
        return tuple(f"odj{self.place}{number}" for number in range(1, self.lab.sizes[self.name] + 1))

    @property
    def passwords(self) -> dict[str, str]:
        """The passwords of its accounts, by sAMAccountName."""
        return {account: self.lab.passwords[f"{account}@{self.name}"] for account in DOMAIN_ACCOUNTS}

    @property
    def organizational_units(self) -> tuple[str, ...]:
        """DNs of the OUs that PCs are joined to; the last needs escaping."""
        return (
            f"OU=Autopilot,{self.base_dn}",
            f"OU=Kiosk,OU=Autopilot,{self.base_dn}",
            f"OU=Lab\\, North,{self.base_dn}",
        )

    @property
    def msa_container(self) -> str:
        """DN of the container of managed service accounts."""
        return f"CN=Managed Service Accounts,{self.base_dn}"

    @property
    def computers_container(self) -> str:
        """DN of the container where computers land by default."""
        return f"CN=Computers,{self.base_dn}"

    def computer_dn(self, server: str) -> str:
        """Return the DN of a connector server's computer object."""
        return f"CN={server.upper()},OU=Servers,{self.base_dn}"

    @property
    def home(self) -> Path:
        """The directory of everything of this domain (LAB_HOME of samba-lab.sh)."""
        return self.lab.directory_dir / self.netbios.lower()

    @property
    def dc_dir(self) -> Path:
        """The directory of its domain controller."""
        return self.home / "dc1"


def home_in_environment() -> Path:
    """Return the directory of the lab that ODJ_LAB_NAME and ODJ_LAB_HOME name, whether it is there or not.

    Raises:
        LabError: This is no name.

    """
    where = os.environ.get("ODJ_LAB_HOME") or Path(tempfile.gettempdir()) / "odj-lab"
    name = os.environ.get("ODJ_LAB_NAME") or "lab"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise LabError(f"ODJ_LAB_NAME takes a name of letters, digits, dots and hyphens, not {name}.")
    return Path(where) / name


def sizes_of(text: str) -> dict[str, int]:
    """Read domains: DNS names separated by commas, each with ``:NUMBER`` of servers behind it or without (0 here).

    Raises:
        LabError: This is no such list.

    """
    sizes = {}
    for word in filter(None, re.split(r"[,\s]+", text.strip().lower())):
        name, __, number = word.partition(":")
        if not re.fullmatch(rf"{LABEL}(\.[a-z0-9-]+)+", name) or not re.fullmatch(r"[1-9]?", number):
            raise LabError(
                f"{word} is no domain of a lab: it takes a DNS name whose first label has at most 15 characters, "
                f"and behind a colon how many servers, at most {MOST_SERVERS} (contoso.test:3)."
            )
        sizes[name] = int(number or 0)
    return sizes


def _refuse(sizes: Mapping[str, int]) -> None:
    """Refuse domains that cannot live beside each other."""
    if len(sizes) > MOST_DOMAINS:
        raise LabError(f"A lab has at most {MOST_DOMAINS} domains.")
    labels = [name.partition(".")[0] for name in sizes]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise LabError(f"Two domains of a lab cannot have the same NetBIOS name {twice.upper()}.")


def _password() -> str:
    return f"{secrets.token_urlsafe(12)}aA1!"
