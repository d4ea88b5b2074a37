# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The connector's Windows service: what it is doing, as whom, and how it last ended.

Exit codes are Win32 error codes: https://learn.microsoft.com/en-us/windows/win32/debug/system-error-codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Fields

NEVER_STARTED = 1077
SERVICE_SPECIFIC = 1066
# The account is why the service did not start: bad password, no right to log on as a service, unknown account ...
LOGON_FAILURES = frozenset({1057, 1069, 1326, 1327, 1330, 1331, 1385, 1909})

_EXIT_CODES = {
    0: "it was stopped or ended normally",
    2: "its program was not found",
    3: "the path of its program was not found",
    5: "access was denied",
    193: "its program is not a valid Win32 application",
    1053: "it did not respond to the start request in time",
    1057: "its account name is invalid, or does not exist",
    1058: "it is disabled",
    1067: "its process terminated unexpectedly",
    1068: "a service or group it depends on failed to start",
    1069: "its account cannot be used, or may not log on as a service",
    1070: "it hung while starting",
    1075: "a service it depends on does not exist or is marked for deletion",
    NEVER_STARTED: "it has not been started since the last boot",
    1079: "its account differs from that of other services in the same process",
    1326: "its user name or password is incorrect",
    1327: "account restrictions prevent its logon",
    1330: "the password of its account has expired",
    1331: "its account is disabled",
    1385: "its account may not log on as a service",
    1909: "its account is locked out",
}


@dataclass(frozen=True, slots=True)
class Service:
    r"""The connector's service.

    Attributes:
        exists: Whether there is one.
        state: Windows' own word: Running, Stopped, Start Pending ...; None without a service.
        start_mode: Auto, Manual, Disabled; None without a service.
        account: The account as Windows writes it: LocalSystem, or DOMAIN\name$ for a managed one.
        account_kind: none, local_system, managed or other.
        exit_code: Win32 code of the last end.
        exit_reason: The same in words; None without a code.
        path: Command line of the service.
    """

    exists: bool
    state: str | None
    start_mode: str | None
    account: str | None
    account_kind: str
    exit_code: int | None
    exit_reason: str | None
    path: str | None

    @property
    def cannot_log_on(self) -> bool:
        """Whether it does not run because its account cannot log on."""
        return self.state != "Running" and self.exit_code in LOGON_FAILURES


def read_service(answer: Fields) -> Service:
    """Return the service that the answer to a question of the kind ``service`` describes."""
    account, code = answer.text("start_name"), answer.number("exit_code")
    return Service(
        exists=bool(answer.flag("exists")),
        state=answer.text("state"),
        start_mode=answer.text("start_mode"),
        account=account,
        account_kind=account_kind(account),
        exit_code=code,
        exit_reason=exit_reason(code, answer.number("service_exit_code")),
        path=answer.text("path"),
    )


def account_kind(account: str | None) -> str:
    """Return none, local_system, managed (its name ends with a dollar sign) or other."""
    if account is None:
        return "none"
    if account.casefold() in ("localsystem", r"nt authority\system", r".\localsystem"):
        return "local_system"
    return "managed" if account.partition("@")[0].endswith("$") else "other"


def exit_reason(code: int | None, specific: int | None) -> str | None:
    """Return how a service last ended, in words; None without a code."""
    if code is None:
        return None
    if code == SERVICE_SPECIFIC:
        return f"it reported error {specific} of its own"
    return _EXIT_CODES.get(code, f"it ended with Win32 error {code}")


def same_account(one: str, other: str) -> bool:
    r"""Return whether two texts name the same account, by its name alone.

    A service has ``DOMAIN\name$`` with the NetBIOS name of the domain, users write ``name``, ``name$`` or
    ``name@dns.domain``: which domains are the same is not known here.
    """
    return _bare(one) == _bare(other)


def _bare(account: str) -> str:
    return account.rpartition("\\")[2].partition("@")[0].rstrip("$").casefold()
