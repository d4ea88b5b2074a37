# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""TLS to a domain controller: verified by OpenSSL itself, with the name that the user expects."""

from __future__ import annotations

import ssl
import typing as t
from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class VerifiedTls:
    """What an ldap3 server asks its ``tls`` for: a wrapped socket, at once or after StartTLS.

    ldap3's own class checks names by itself after the handshake, in a way that newer Python versions do not carry any
    more; here the standard library's context does it.

    Attributes:
        context: With or without verification.
        server_name: The name (or address) that the certificate has to carry.

    """

    context: ssl.SSLContext
    server_name: str
    ssl_options: tuple[int, ...] = ()

    def wrap_socket(self, connection: t.Any, do_handshake: bool = False) -> None:
        """Put TLS around the socket of an ldap3 connection."""
        connection.socket = self.context.wrap_socket(
            connection.socket, server_hostname=self.server_name, do_handshake_on_connect=do_handshake
        )

    def start_tls(self, connection: t.Any) -> bool:
        """Ask the server to go over to TLS (RFC 4511 4.14) and do it; False when the server does not want to."""
        connection.extended("1.3.6.1.4.1.1466.20037")
        if connection.result["result"] != 0:
            return False
        self.wrap_socket(connection, do_handshake=True)
        connection.tls_started = True
        return True


def tls_context(ca_path: str | None, *, verify: bool) -> ssl.SSLContext:
    """Return a client context that trusts this authority (or those of the system).

    Raises:
        InvalidInput: The file cannot be read, or holds no certificate.

    """
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else str(error)
        raise InvalidInput(
            "read the certificate authority", on=ca_path or "", got=str(reason), advice="ca_path is to be a PEM file."
        ) from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
