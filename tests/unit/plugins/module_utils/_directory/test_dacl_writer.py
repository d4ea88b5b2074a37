# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing access lists over a connection that ends half-way, as the user hears of it."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.dacl_writer import Edit, Writer
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import READ_PROPERTY, AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import SecurityDescriptor
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_changes import RestoreJournal
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import dacl
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import (
    SEARCH,
    Request,
    element,
    message,
    octets,
    served,
)

ENTRY = AccessRule(True, READ_PROPERTY, Sid(5, (21, 1, 2, 3, 1000))).to_ace()
BEFORE, AFTER = SecurityDescriptor.parse(dacl()), SecurityDescriptor.parse(dacl(ENTRY))
UNITS = [f"OU=x{number}" for number in range(5)]


def with_list(request: Request) -> list[bytes]:
    attribute = element(0x30, octets("nTSecurityDescriptor"), element(0x31, octets(BEFORE.to_bytes())))
    return [message(request.number, element(0x64, octets(request.dn), element(0x30, attribute))), request.done()]


@pytest.mark.parametrize("last", range(len(UNITS)))
def test_every_list_is_told_of_as_changed_or_as_in_doubt(last: int) -> None:
    changed: list[str] = []

    def answer(requests: list[Request]) -> list[bytes]:
        answers = []
        for request in requests:
            if request.kind == SEARCH:
                answers += with_list(request)
            else:
                answers += [request.done()] if len(changed) < last else [b""]
                changed.append(request.dn)
        return answers

    with served(answer) as directory:
        writer = Writer(directory, RestoreJournal(None, directory, {}))
        with pytest.raises(OdjError) as caught:
            writer.write([Edit(dn, BEFORE, AFTER, lambda now: AFTER) for dn in UNITS])
    assert sorted(writer.done) == UNITS[:last]
    assert sorted(caught.value.on.split("; ")) == UNITS[last:]
    assert str(caught.value).count("the server ended the connection") == 1
    assert "not known" in caught.value.advice
    assert sorted(writer.in_doubt) == UNITS[last:]
