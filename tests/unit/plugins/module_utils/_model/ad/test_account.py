# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import AccountName, Domain, Trustee
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput

HERE = Domain("DC=contoso,DC=test", "CONTOSO", "contoso.test")
MSA = Trustee(Sid(5, (21, 1)), "", dn="CN=msa1,CN=MSAs,DC=contoso,DC=test", sam="msa1$")
USER = Trustee(Sid(5, (21, 2)), "", dn="CN=msa1,CN=Users,DC=contoso,DC=test", sam="msa1", upn="other@contoso.com")
NAMED = Trustee(Sid(5, (21, 3)), "", dn="CN=x,CN=Users,DC=contoso,DC=test", sam="x", upn="msa1@contoso.test")
PC = Trustee(
    Sid(5, (21, 4)), "", "computer", dn="CN=pc,DC=contoso,DC=test", sam="PC$", dns_host_name="pc.branch.contoso.test"
)
CLAIMANT = Trustee(
    Sid(5, (21, 5)), "", "group_service_account", dn="CN=c,DC=contoso,DC=test", sam="c$", dns_host_name=PC.dns_host_name
)
DOTTED = Trustee(Sid(5, (21, 6)), "", "user", dn="CN=d,DC=contoso,DC=test", sam="pc.branch.contoso.test")


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
        ("PC.branch.contoso.test", [MSA, PC], [PC]),
        (" pc.branch.contoso.test ", [PC, CLAIMANT], [PC]),
        ("pc.branch.contoso.test", [PC, DOTTED], [PC, DOTTED]),
        ("CONTOSO\\pc.branch.contoso.test", [PC], []),
        ("pc.contoso.test", [PC], []),
        ("CONTOSO\\pc$", [PC], [PC]),
    ],
)
def test_a_name_means_the_accounts_it_should(text: str, everyone: list[Trustee], chosen: list[Trustee]) -> None:
    assert list(AccountName.parse(text).among(everyone, HERE)) == chosen


@pytest.mark.parametrize(
    "text", ["", " ", "$", "CONTOSO\\$", "\\x", "CONTOSO\\", "a\\b\\c", "@x", "x@", "S-1-x", "CN=a,b", "a\\b@c\\"]
)
def test_a_name_of_no_known_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        AccountName.parse(text)
