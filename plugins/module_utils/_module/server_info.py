# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Options of odj_server_info, and the scope that they describe."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import ENDPOINTS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.connector import (
    SERVICE_FILE,
    UNINSTALL_ENTRY,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import (
    ENDPOINT_TIMEOUT,
    EVENT_HOURS,
    SUBSETS,
    Scope,
    parse_endpoint,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.ou_list import check_ous

SNAPSHOT_OPTIONS: Mapping[str, t.Any] = {
    # It may hold a configuration file with the password of a proxy.
    "snapshot": {"type": "dict", "no_log": True},
}
BUILD_FROM: Mapping[str, t.Any] = {
    "build_from": {"type": "str", "choices": [UNINSTALL_ENTRY, SERVICE_FILE], "default": UNINSTALL_ENTRY},
}
NETWORK_OPTIONS: Mapping[str, t.Any] = {
    "endpoints": {"type": "list", "elements": "str", "default": list(ENDPOINTS)},
    "proxy": {"type": "str"},
    "endpoint_timeout": {"type": "int", "default": ENDPOINT_TIMEOUT},
}

SPEC: Mapping[str, t.Any] = {
    "argument_spec": {
        "gather_subset": {"type": "list", "elements": "str", "choices": ["all", *SUBSETS], "default": ["all"]},
        "install_path": {"type": "str"},
        "event_hours": {"type": "int", "default": EVENT_HOURS},
        "return_snapshot": {"type": "bool", "default": False},
        "expected_account": {"type": "str"},
        "expected_organizational_units": {"type": "list", "elements": "str", "default": []},
        **BUILD_FROM,
        **NETWORK_OPTIONS,
        **SNAPSHOT_OPTIONS,
    }
}


def scope_of(options: Mapping[str, t.Any], subsets: Iterable[str]) -> Scope:
    """Return the scope that options and subsets describe.

    Raises:
        InvalidInput: An endpoint is not host:port, the proxy is not an http address, or a number is not positive.
    """
    proxy = options["proxy"]
    if proxy and "@" in proxy:
        # Results and logs show this option.
        raise InvalidInput(
            "read the option proxy",
            got="it holds a user name or password",
            advice="Leave them out: nothing is documented of a connector behind a proxy that wants a logon.",
        )
    if proxy and not _is_proxy(proxy):
        raise InvalidInput(
            "read the option proxy", got="it is not an address", advice="Write it like http://proxy:8080."
        )
    for name in ("event_hours", "endpoint_timeout"):
        if options.get(name, 1) < 1:
            raise InvalidInput(f"read the option {name}", on=str(options[name]), got="it must be at least 1")
    for text in options["endpoints"]:
        parse_endpoint(text)
    return Scope(
        subsets=frozenset(SUBSETS if "all" in subsets else subsets),
        install_path=options.get("install_path"),
        endpoints=tuple(options["endpoints"]),
        proxy=proxy,
        endpoint_timeout=options["endpoint_timeout"],
        event_hours=options.get("event_hours", EVENT_HOURS),
        build_from=options.get("build_from", UNINSTALL_ENTRY),
        expected_account=options.get("expected_account"),
        expected_organizational_units=tuple(check_ous(options.get("expected_organizational_units") or [])),
    )


def _is_proxy(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port is not None
    except ValueError:
        return False
