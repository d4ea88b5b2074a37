# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the door: Basic, or NTLM for a whole connection with message encryption when there is no TLS.

Source: MS-WSMV section 2.2.9.1 (encrypted messages); pyspnego holds the server side of NTLM.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path

import spnego
from spnego.exceptions import SpnegoError

from odj_lab.settings import Lab

USER = "ansible"
BOUNDARY = b"--Encrypted Boundary"
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
ENCRYPTED_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
# pyspnego reads NTLM accounts from the file that this variable of the whole process names
_NTLM_FILE_IN_USE = threading.Lock()


class BadMessage(Exception):
    """An encrypted message cannot be read: another connection's key, or damaged."""


def write_accounts(lab: Lab, server: str) -> Path:
    """Write the file of accounts that pyspnego checks NTLM against; readable by its owner only."""
    path = lab.server_dir(server) / "ntlm-accounts"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    domains = ("", ".", server.upper())
    text = "".join(f"{domain}:{USER}:{lab.passwords[USER]}\n" for domain in domains)
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    return path


@dataclass(slots=True)
class Gate:
    """The door of one TCP connection; NTLM signs in the connection, Basic each request."""

    password: str
    accounts: Path
    server: str
    encrypts: bool
    context: spnego.ContextProxy | None = None
    challenge: list[str] = field(default_factory=list)

    def admits(self, authorization: str) -> bool:
        """Say whether a request may pass; otherwise `challenge` holds the WWW-Authenticate values to send."""
        scheme, __, token = authorization.partition(" ")
        self.challenge = ["Negotiate", 'Basic realm="WSMAN"']
        if scheme.lower() == "basic":
            return self._basic(token)
        if scheme.lower() in {"negotiate", "ntlm"}:
            return self._ntlm(scheme, token)
        return self.signed_in

    @property
    def signed_in(self) -> bool:
        """Whether NTLM has come to its end on this connection."""
        return self.context is not None and self.context.complete

    def _basic(self, token: str) -> bool:
        try:
            name, __, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        domain, __, user = name.rpartition("\\")
        known = user.lower() == USER and domain.lower() in {"", ".", self.server.lower()}
        return known and hmac.compare_digest(password.encode(), self.password.encode())

    def _ntlm(self, scheme: str, token: str) -> bool:
        try:
            data = base64.b64decode(token, validate=True)
            with _NTLM_FILE_IN_USE:
                os.environ["NTLM_USER_FILE"] = str(self.accounts)
                if self.context is None or self.context.complete:
                    self.context = _acceptor(data)
                answer = self.context.step(data)
        except (SpnegoError, ValueError, struct.error):
            self.context = None
            return False
        if self.context.complete:
            return True
        self.challenge = [f"{scheme} {base64.b64encode(answer or b'').decode()}"]
        return False

    def opened(self, content_type: str, body: bytes) -> bytes:
        """Return the plain message of a request.

        Raises:
            BadMessage: It is encrypted and this connection cannot read it.

        """
        if not content_type.startswith("multipart/encrypted"):
            return body
        __, mark, sealed = body.partition(b"\tContent-Type: application/octet-stream\r\n")
        if not self.context or not mark:
            raise BadMessage("no key for this connection")
        sealed = sealed.removesuffix(BOUNDARY + b"--\r\n")
        size = struct.unpack("<i", sealed[:4])[0]
        try:
            return self.context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        except SpnegoError as error:
            raise BadMessage(str(error)) from error

    def sealed(self, body: bytes) -> tuple[str, bytes]:
        """Return content type and body of an answer, encrypted when the connection has NTLM but no TLS."""
        if not (self.encrypts and self.signed_in and self.context):
            return "application/soap+xml;charset=UTF-8", body
        wrapped = self.context.wrap_winrm(body)
        original = f"type=application/soap+xml;charset=UTF-8;Length={len(body)}"
        head = f"\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: {original}\r\n".encode()
        data = struct.pack("<i", len(wrapped.header)) + wrapped.header + wrapped.data
        message = BOUNDARY + b"\r\n" + head + BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n" + data
        return ENCRYPTED_TYPE, message + BOUNDARY + b"--\r\n"


def _acceptor(token: bytes) -> spnego.ContextProxy:
    plain = token.startswith(b"NTLMSSP\0")
    kinds = spnego.NegotiateOptions.use_ntlm | spnego.NegotiateOptions.use_negotiate
    return spnego.server(
        protocol="ntlm" if plain else "negotiate", options=spnego.NegotiateOptions.use_ntlm if plain else kinds
    )
