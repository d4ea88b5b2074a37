# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName, Domain, Principal
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

HERE = Domain("DC=contoso,DC=test", "CONTOSO", "contoso.test")
MSA = Principal("CN=msa1,CN=MSAs,DC=contoso,DC=test", "msa1$", "", Sid(5, (21, 1)))
USER = Principal("CN=msa1,CN=Users,DC=contoso,DC=test", "msa1", "other@contoso.com", Sid(5, (21, 2)))
NAMED = Principal("CN=x,CN=Users,DC=contoso,DC=test", "x", "msa1@contoso.test", Sid(5, (21, 3)))


@pytest.mark.parametrize(
    ("text", "everyone", "chosen"),
    [
        ("msa1", [MSA], [MSA]),
        ("MSA1$", [MSA, USER], [MSA]),
        ("msa1", [MSA, USER], [MSA, USER]),
        ("contoso\\msa1$", [MSA, USER], [MSA]),
        ("contoso.test\\msa1", [MSA], [MSA]),
        ("FABRIKAM\\msa1", [MSA], []),
        ("msa1@contoso.test", [MSA], [MSA]),
        ("msa1$@contoso.test", [MSA], [MSA]),
        ("msa1@fabrikam.test", [MSA], []),
        ("msa1@contoso.test", [MSA, NAMED], [MSA, NAMED]),
        ("msa1@contoso.test", [NAMED], [NAMED]),
        ("msa1@contoso.test", [USER, MSA], [USER, MSA]),
        ("OTHER@contoso.com", [MSA, USER], [USER]),
        ("S-1-5-21-1", [MSA, USER], [MSA]),
        ("cn=MSA1, cn=msas,dc=contoso,dc=test", [MSA, USER], [MSA]),
        ("nobody", [MSA, USER], []),
    ],
)
def test_a_name_means_the_accounts_it_should(text: str, everyone: list[Principal], chosen: list[Principal]) -> None:
    assert list(AccountName.parse(text).chosen_from(everyone, HERE)) == chosen


@pytest.mark.parametrize("text", ["", " ", "\\x", "CONTOSO\\", "a\\b\\c", "@x", "x@", "S-1-x", "CN=a,b", "a\\b@c\\"])
def test_a_name_of_no_known_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        AccountName.parse(text)
