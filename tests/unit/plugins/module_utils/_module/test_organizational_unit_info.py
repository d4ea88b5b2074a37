# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.organizational_unit import TargetError
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import organizational_unit_info
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.directory_options import settings_from
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, COMPUTERS, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import parameters, run

NORTH = f"OU=Lab\\, North,{BASE}"


def test_each_name_is_answered_in_order() -> None:
    directory = FakeDirectory()
    directory.unit(NORTH, writable=False)
    names = [f"ou=lab\\2c north,{BASE}", COMPUTERS, f"OU=No,{NORTH}"]
    done = run(organizational_unit_info, directory, check=True, organizational_units=names)
    assert done["organizational_units"] == [
        {"requested": names[0], "dn": NORTH, "exists": True, "object_class": "organizationalUnit",
         "can_write_dacl": False, "nearest_existing": ""},
        {"requested": names[1], "dn": COMPUTERS, "exists": True, "object_class": "container",
         "can_write_dacl": True, "nearest_existing": ""},
        {"requested": names[2], "dn": names[2], "exists": False, "object_class": "",
         "can_write_dacl": False, "nearest_existing": NORTH},
    ]  # fmt: skip
    assert not done["changed"]


def test_many_names_take_few_searches() -> None:
    directory = FakeDirectory()
    names = [directory.unit(f"OU=x{n},{BASE}") for n in range(120)]  # they have one parent
    done = run(organizational_unit_info, directory, organizational_units=names)
    assert all(unit["exists"] for unit in done["organizational_units"])
    assert done["directory"]["operations"]["search"] == 2


def test_require_names_every_missing_unit() -> None:
    names = [f"OU=a,{BASE}", COMPUTERS, f"OU=b,{BASE}"]
    with pytest.raises(TargetError, match=r"OU=a,.*OU=b,") as caught:
        run(organizational_unit_info, FakeDirectory(), organizational_units=names, require=True)
    assert COMPUTERS not in str(caught.value)


def test_a_malformed_name_is_an_error_without_require() -> None:
    with pytest.raises(InvalidInput, match="'Autopilot'"):
        run(organizational_unit_info, FakeDirectory(), organizational_units=["Autopilot"])


@pytest.mark.parametrize(("option", "value"), [("timeout", 0), ("timeout", 10**12), ("port", 0), ("port", 65536)])
def test_numbers_out_of_range_are_refused(option: str, value: int) -> None:
    with pytest.raises(InvalidInput, match=option):
        settings_from(parameters(organizational_unit_info, **{option: value}))
