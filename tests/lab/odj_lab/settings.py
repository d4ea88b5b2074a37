# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab is called, where it listens, and where its state lies. One directory per lab, safe to delete."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

DEFAULT_NET = "127.0.77"
SERVERS = ("odj01", "odj02", "odj03")


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab: a directory, three connector servers and a cloud on loopback addresses of their own.

    Attributes:
        name: Distinguishes labs that run at the same time.
        net: First three octets of the lab's addresses; two labs at once need different ones.
        home: The directory of all state. Short, because Unix sockets live below it.
        domain: DNS name of the Active Directory domain.
        passwords: By account name; made at random for each lab.

    """

    name: str
    net: str
    home: Path
    domain: str
    passwords: dict[str, str]

    @property
    def netbios(self) -> str:
        """NetBIOS name of the domain."""
        return self.domain.partition(".")[0].upper()

    @property
    def base_dn(self) -> str:
        """DN of the domain."""
        return ",".join(f"DC={label}" for label in self.domain.split("."))

    @property
    def dc_address(self) -> str:
        """Address of the domain controller dc1, which has the standard ports."""
        return f"{self.net}.2"

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
        return f"{self.net}.{11 + SERVERS.index(server)}"

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
        """Where the domain controllers live (LAB_HOME of samba-lab.sh)."""
        return self.home / "ad"

    @classmethod
    def load(cls, home: Path) -> Lab:
        """Read the lab that lives in a directory.

        Raises:
            FileNotFoundError: There is no lab.

        """
        data = json.loads((home / "lab.json").read_text(encoding="utf-8"))
        return cls(**{**data, "home": home})

    def save(self) -> None:
        """Write lab.json, readable by its owner only (it holds the lab's passwords)."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.home / "lab.json"
        data = {**asdict(self), "home": str(self.home)}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump(data, stream, indent=2)

    @classmethod
    def from_environment(cls) -> Lab:
        """Return the lab that the environment names: ODJ_LAB_NAME, ODJ_LAB_NET, ODJ_LAB_HOME; loaded when it exists."""
        name = os.environ.get("ODJ_LAB_NAME", "lab")
        home = Path(os.environ.get("ODJ_LAB_HOME") or Path(tempfile.gettempdir()) / "odj-lab") / name
        if (home / "lab.json").exists():
            return cls.load(home)
        accounts = ("Administrator", "odj-automation", "intune-admin", "ansible", "graph-app")
        made = {account: f"{secrets.token_urlsafe(12)}aA1!" for account in accounts}
        return cls(name, os.environ.get("ODJ_LAB_NET", DEFAULT_NET), home, "contoso.test", made)

    def on_net(self, net: str) -> Lab:
        """Return the same lab on other addresses."""
        return replace(self, net=net)
