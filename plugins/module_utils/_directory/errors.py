# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The one error of the directory side, and what the directory's own messages mean for people."""

from __future__ import annotations

import re
from contextlib import suppress

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

with suppress(ImportError):  # said by session.LDAP3_IMPORT_ERROR
    from ldap3.core.results import RESULT_CODES

_BIND_CODE = re.compile(r"\bdata ([0-9a-f]{2,8})\b", re.IGNORECASE)
_SOURCE_LINE = re.compile(r" ?\(_ssl\.c:\d+\)")

# Windows error codes that Active Directory puts behind "data" when it refuses a logon.
_BIND_ADVICE = {
    "51f": "The domain controller found no other one to check the password with: it may be a read-only one.",
    "525": "There is no such account: check the user name and the domain.",
    "52e": "The user name or the password is wrong: check both.",
    "52f": "Restrictions on the account (empty password, logon policy) forbid this logon: lift them.",
    "530": "The account may not log on at this time: see its logon hours.",
    "531": "The account may not log on from this computer: see the computers it is limited to.",
    "532": "The password has expired: set a new one.",
    "533": "The account is disabled: enable it.",
    "568": "The account is in too many groups for a logon: take it out of some, or use another one.",
    "569": "The account may not log on to domain controllers over the network: see the user rights there.",
    "57": "The domain controller found the logon malformed; a channel binding that something on the way breaks is one "
    "cause.",
    "701": "The account has expired: extend it.",
    "773": "The password must be changed before the first logon: set it without that condition.",
    "775": "The account is locked out: unlock it, and find out what keeps trying with an old password.",
    # SEC_E_BAD_BINDINGS, MS-ERREF 2.1
    "80090346": "The domain controller demands channel binding and got another one: something between may end the TLS "
    "connection and begin another one.",
}
# Windows error codes (MS-ERREF 2) that Active Directory puts in front of its message, as eight hexadecimal digits.
_SYSTEM_CODE = re.compile(r"([0-9a-f]{8}): ", re.IGNORECASE)
_SYSTEM_ADVICE = {
    0x0524: "Another account of the domain has that name already.",
    0x2071: "The name is in use already: there, or as the sAMAccountName of another account of the domain.",
    0x052D: "The password breaks the password policy of the domain: length, complexity or history.",
    0x216D: "The account has created as many computers as the machine account quota of the domain allows; a delegation "
    "on the organizational unit has no such limit.",
    0x8009000D: "A group account needs a KDS root key, which can be used from 10 hours after its start time on. An "
    "administrator can look (Get-KdsRootKey), and make one if there is none (Add-KdsRootKey).",
}
_ADVICE = {
    1: "The server met an internal error: see its own log, and try another domain controller.",
    3: "The server's time limit was reached: raise timeout, or ask another domain controller.",
    4: "The server's size limit was reached: ask another domain controller, or have its LDAP policy looked at.",
    8: "The server demands encryption: use tls_mode ldaps or start_tls.",
    10: "This domain controller does not hold the object: name one of the domain that does.",
    11: "An administrative limit of the server was reached: have its LDAP policy looked at.",
    12: "The server does not know an extension that this needs: is it a domain controller of Active Directory?",
    13: "The server demands encryption: use tls_mode ldaps or start_tls.",
    16: "There is no such attribute or value: somebody else may have changed the object. Run again.",
    17: "The schema of this directory does not have that attribute: it is older than what is asked of it.",
    19: "The value breaks a rule of the directory (length, uniqueness, a validated write); its words say which.",
    20: "The value is there already: somebody else may have changed the object. Run again.",
    21: "The value does not have the form that the attribute demands: correct it.",
    32: "There is no such object: check the distinguished name, and that this domain controller has replicated it.",
    34: "The distinguished name is malformed: correct it.",
    49: "Check username and password.",
    50: "The account that is used here lacks a right on this object; the module's documentation lists what it needs.",
    51: "The server is busy: run again later.",
    52: "The server is not available: run again later, or ask another domain controller.",
    53: "The server is not willing to do this: a rule of the directory or a missing precondition forbids it; its words "
    "say which.",
    64: "The name breaks a naming rule of the directory: correct it.",
    65: "The object would lack an attribute that its class demands: the server's words say which.",
    66: "The object has children: remove them first.",
    67: "That attribute is part of the name: rename the object instead.",
    68: "An object of that name exists already, or existed and is still being removed: take another name.",
    80: "The server met an error of its own: see its log.",
}


class DirectoryError(OdjError):
    """The directory could not be reached, or refused something.

    Attributes:
        code: The LDAP result code; None when no answer came.
    """

    def __init__(self, tried: str, *, on: str = "", got: str = "", advice: str = "", code: int | None = None) -> None:
        self.code = code
        super().__init__(tried, on=on, got=got, advice=advice)


def refused(tried: str, on: str, code: int, description: str, message: str) -> DirectoryError:
    """Translate an LDAP result (RFC 4511 appendix A and MS-ADTS) into an error that says what to do."""
    text = " ".join(message.replace("\x00", "").split())
    got = f"{description} ({code})" + (f": {text}" if text else "")
    return DirectoryError(tried, on=on, got=got, advice=_specific(code, text) or _ADVICE.get(code, ""), code=code)


def refuse_failure(tried: str, on: str, code: int, message: str) -> None:
    """Raise what an LDAP result says, unless it is a success.

    Raises:
        DirectoryError: The result is none.
    """
    if code:
        raise refused(tried, on, code, RESULT_CODES.get(code, "unknown"), message)


def _specific(code: int, text: str) -> str:
    """Return what the server's own text allows to say beyond the result code; "" when that is nothing."""
    if code == 49:
        data = _BIND_CODE.search(text)
        return _BIND_ADVICE.get(data.group(1).lower(), "") if data else ""
    system = _SYSTEM_CODE.match(text)
    return _SYSTEM_ADVICE.get(int(system.group(1), 16), "") if system else ""


def unreachable(tried: str, on: str, reason: str) -> DirectoryError:
    """Translate a failure of the connection itself: TLS, name, network."""
    reason = _SOURCE_LINE.sub("", reason)
    advice = next(
        (advice for word, advice in _CONNECTION_ADVICE if word in reason.casefold()),
        "Check the server's name and port, and that this computer can reach it.",
    )
    return DirectoryError(tried, on=on, got=reason, advice=advice)


def in_doubt(problem: DirectoryError) -> DirectoryError:
    """Return the problem of a change whose answer was lost: nobody here knows whether it was made."""
    advice = f"{problem.advice} Whether this was done is not known: run again to see, and to go on."
    doubt = DirectoryError(problem.tried, on=problem.on, got=problem.got, advice=advice)
    doubt.in_doubt = True
    return doubt


_CONNECTION_ADVICE = (
    (
        "hostname mismatch",
        "The certificate is for another name: set server to a name it carries, or set server_name.",
    ),
    (
        "ip address mismatch",
        "The certificate does not carry this address: set server to the name it carries, or set server_name.",
    ),
    ("certificate has expired", "The certificate of the domain controller has expired: renew it."),
    (
        "certificate verify failed",
        "The certificate is not trusted here: set ca_path to the certificate of the authority that issued it.",
    ),
    ("wrong version number", "The port does not speak TLS: tls_mode ldaps is for port 636, start_tls for port 389."),
    ("unexpected eof", "The server ended the TLS handshake: it may have no certificate for LDAP."),
    ("closed (eof)", "The server ended the TLS handshake: it may have no certificate for LDAP."),
    ("ended the session", "The domain controller ended it, as one does that restarts or is overloaded: run again."),
    ("ended the connection", "The domain controller ended it, as one does that restarts or is overloaded: run again."),
    ("broken pipe", "The domain controller ended the connection: run again."),
    ("not ldap", "Something else than a domain controller answers there, or changes what it says."),
    ("connection reset", "The server ended the connection: it may have no certificate for LDAP."),
    ("refused", "Nothing listens there: check server and port, and that LDAP over TLS is set up on it."),
    ("timed out", "No answer came in time: check the network and firewalls, or raise timeout."),
    ("name or service not known", "The name of the server cannot be resolved: check it and the DNS of this computer."),
    ("no address associated", "The name of the server cannot be resolved: check it and the DNS of this computer."),
)
