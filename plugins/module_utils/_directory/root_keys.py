# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""What a domain controller shows of the KDS root keys, and what its clock says."""

from __future__ import annotations

import datetime

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import (
    NO_SUCH_OBJECT,
    Directory,
    root_dse,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import ANYTHING
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.dn import Dn
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_key import (
    KeyVerdict,
    RootKey,
    judge,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.windows_time import from_filetime, from_generalized

_PLACE = "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services"


def server_time(directory: Directory) -> datetime.datetime:
    """Return what the domain controller's clock says (currentTime of the rootDSE, MS-ADTS 3.1.1.3.2).

    Raises:
        DirectoryError: It does not say.

    """
    text = root_dse(directory, "currentTime").text("currentTime")
    moment = from_generalized(text)
    if moment is None:
        raise DirectoryError("read the domain controller's clock", got=f"currentTime is {text!r}")
    return moment


def look_at_root_keys(directory: Directory) -> KeyVerdict:
    """Say whether a group account can have a password now, as far as this account may see.

    By default only administrators may read the keys; others see that there are some, or not even that.

    Raises:
        DirectoryError: The directory cannot be read.

    """
    root = root_dse(directory, "configurationNamingContext", "currentTime")
    now = from_generalized(root.text("currentTime"))
    if now is None:
        return KeyVerdict("unknown", "the domain controller does not say what time it is")
    place = f"{_PLACE},{root.text('configurationNamingContext')}"
    try:
        found = directory.search(place, ANYTHING, ["msKds-UseStartTime"], scope="level")
    except DirectoryError as problem:
        if problem.code != NO_SUCH_OBJECT:
            raise
        return judge(None, now)
    keys = [RootKey(Dn.parse(e.dn).name, from_filetime(e.number("msKds-UseStartTime"))) for e in found]
    return judge(keys, now)
