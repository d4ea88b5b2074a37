# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a role looks while it waits, whatever the user gives for the pause between two looks."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
import yaml

VERIFY = Path(__file__).parents[2] / "roles/connector_server/tasks/verify.yml"


@pytest.mark.parametrize(
    ("pause", "retries", "delay"), [(15, 120, 15), (0, 1800, 1), (-5, 1800, 1), ("7", 258, 7), (3600, 1, 3600)]
)
def test_a_pause_of_nothing_is_one_second_and_no_division_by_zero(pause: object, retries: int, delay: int) -> None:
    tasks = [inner for task in yaml.safe_load(VERIFY.read_text(encoding="utf-8")) for inner in task.get("block", [])]
    (waiting,) = [task for task in tasks if "retries" in task]
    given = {"connector_server_poll_interval": pause, "connector_server_active_timeout": 1800}
    made = [jinja2.Template(waiting[name]).render(given) for name in ("retries", "delay")]
    assert made == [str(retries), str(delay)]
