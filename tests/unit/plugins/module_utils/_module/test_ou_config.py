# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.ou_config import other_keys


def test_keys_that_are_not_given_stay_as_they_are() -> None:
    assert other_keys({"tenant_configured_managed_service_account": None, "disable_ou_updates": None}) == {}


@pytest.mark.parametrize("account", [r"CONTOSO\svc$", "svc", "svc@", "a b@x", "a@b@c"])
def test_an_account_of_another_form_is_refused(account: str) -> None:
    with pytest.raises(InvalidInput, match="name@domain"):
        other_keys({"tenant_configured_managed_service_account": account, "disable_ou_updates": None})
