# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit tests are run again for another Ansible: those that reach it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dependants import dependants
from tree import Tree

TESTS = Path("tests/unit")
PLUGINS = "ansible_collections.hybridjoin.odj.plugins"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    write(tree, "plugins/module_utils/pure.py", "import json\n")
    write(tree, "plugins/module_utils/glue.py", "def late():\n    from ansible.module_utils import basic\n")
    write(tree, "plugins/module_utils/above.py", f"from {PLUGINS}.module_utils import glue\n")
    return tree


def write(tree: Tree, name: str, text: str) -> None:
    path = tree.collection / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "depends"),
    [
        ("import json\n", False),
        (f"from {PLUGINS}.module_utils import pure\n", False),
        (f"from {PLUGINS}.module_utils.pure import json\n", False),
        ("import ansible\n", True),
        ("from ansible.errors import AnsibleError\n", True),
        (f"import {PLUGINS}.module_utils.glue\n", True),
        (f"from {PLUGINS}.module_utils.above import glue\n", True),
        (f"def test():\n    from {PLUGINS}.module_utils import above\n", True),
        ("import importlib\n", True),
        ("from subprocess import run\n", True),
        ("from . import neighbour\n", True),
    ],
)
def test_it_is_what_imports_lead_to(tree: Tree, text: str, depends: bool) -> None:
    write(tree, "tests/unit/test_it.py", text)
    assert dependants(tree) == ([TESTS / "test_it.py"] if depends else [])


def test_a_conftest_counts_for_all_tests_below_it(tree: Tree) -> None:
    write(tree, "tests/unit/deep/test_it.py", "import json\n")
    write(tree, "tests/unit/other/test_it.py", "import json\n")
    write(tree, "tests/unit/deep/conftest.py", "import ansible\n")
    assert dependants(tree) == [TESTS / "deep" / "test_it.py"]


def test_a_circle_ends(tree: Tree) -> None:
    write(tree, "plugins/module_utils/one.py", f"from {PLUGINS}.module_utils import two\n")
    write(tree, "plugins/module_utils/two.py", f"from {PLUGINS}.module_utils import one\n")
    write(tree, "tests/unit/test_it.py", f"from {PLUGINS}.module_utils import one\n")
    assert dependants(tree) == []


def test_of_the_real_tests_some_depend_and_some_do_not() -> None:
    here = Path(__file__).parents[2]
    real = Tree(Path("/"))
    real.collection = here
    found = dependants(real)
    assert 0 < len(found) < len(list((here / "tests" / "unit").rglob("test_*.py")))
