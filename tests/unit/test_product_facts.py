# SPDX-License-Identifier: GPL-3.0-or-later
"""A fact about the product is the same everywhere: ``_model/product.py`` says it, and the rest only repeats it.

Options are compared by name. Prose is searched for what looks like a fact: it has to say what ``product.py`` says, and
it may stand only where the table allows it. Code takes a fact by its name.
"""

from __future__ import annotations

import ast
import importlib
import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import yaml

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import CONNECTORS_PERMISSION
from ansible_collections.hybridjoin.odj.plugins.module_utils._model import product

load: t.Callable[[str], t.Any] = yaml.safe_load
ROOT = Path(__file__).parents[2]
PLUGINS = "ansible_collections.hybridjoin.odj.plugins"
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
TEXTS = (
    "README.md",
    "docs/*.md",
    "playbooks/*.yml",
    "roles/**/*.yml",
    "roles/**/*.md",
    "plugins/modules/*.py",
    "plugins/modules/*.yml",
    "plugins/doc_fragments/*.py",
)
BUILD = r"\d+\.\d{4}\.\d+\.\d+"

# Option, without the name of the role in front of it -> its default.
OPTIONS: dict[str, object] = {
    "endpoints": list(product.ENDPOINTS),
    "install_arguments": product.QUIET_ARGUMENTS,
    "minimum_build": str(product.MINIMUM_BUILD),
    "stale_after": product.ERROR_AFTER // timedelta(minutes=1),
    "success_codes": list(product.SUCCESS_CODES),
    "uninstall_arguments": product.QUIET_ARGUMENTS,
}


@dataclass(frozen=True)
class Fact:
    """One fact as texts tell it.

    Attributes:
        pattern: Finds what looks like it; its groups, or all of it when there is none, are what the text says.
        values: What a text may say.
        places: Where it may stand, as glob patterns; each of them has a mention.
    """

    pattern: str
    values: Iterable[str]
    places: tuple[str, ...]


def days(time: timedelta) -> int:
    return time // timedelta(days=1)


def hours(time: timedelta) -> int:
    return time // timedelta(hours=1)


SUFFIX_LENGTHS = [
    length
    for length in range(len(NUMBERS))
    if product.made_by_sign_in(f"{product.ACCOUNT_PREFIX}{'x' * length}$", product.ACCOUNT_CLASS)
]

FACTS = {
    "display name": Fact(
        r"Intune Connectors? for [A-Z]\w+ [A-Z]\w+",
        (product.DISPLAY_NAME, product.DISPLAY_NAME.replace("Connector", "Connectors")),
        ("README.md", "docs/demo.md", "plugins/modules/*.py", "roles/*/*/*.yml"),
    ),
    "service": Fact(
        r"(?<!Intune-)\bODJConnectorS\w+",
        [product.SERVICE_NAME],
        ("plugins/modules/odj_server_probe.yml", "roles/connector_server/tasks/verify.yml"),
    ),
    "install path": Fact(
        r"C:\\Program Files\\[\w \\]*?ODJConnector\b",
        [product.DEFAULT_INSTALL_PATH],
        ("docs/demo.md", "plugins/modules/odj_*.py", "plugins/modules/odj_server_change.yml"),
    ),
    "configuration file": Fact(
        r"\bODJ\w+\.exe\.config\b",
        product.WIZARD_CONFIG_NAMES,
        ("docs/first-run.md", "plugins/modules/odj_ou_config.py", "plugins/modules/odj_server_info.py"),
    ),
    "keys of the configuration file": Fact(
        r"\b(?:OrganizationalUnits\w+|TenantConfigured\w+|DisableOU\w+)",
        (product.OU_LIST_KEY, product.ACCOUNT_KEY, product.DISABLE_OU_UPDATES_KEY),
        ("docs/variables.md", "plugins/modules/odj_ou_config.py", "roles/ou_config/meta/argument_specs.yml"),
    ),
    "installer": Fact(
        r"\bODJ\w+\.exe\b(?!\.config)",
        [product.INSTALLER_NAME],
        ("README.md", "docs/first-run.md", "plugins/modules/odj_connector_install.py", "roles/*/README.md"),
    ),
    "switches": Fact(
        r"(?<![\w/.])/(?:quiet|silent|passive|norestart|q[nb]?|s)\b(?: /\w+)*",
        [product.QUIET_ARGUMENTS],
        ("docs/first-run.md", "plugins/modules/odj_connector_install.py", "roles/connector/*/*.yml"),
    ),
    "exit codes that ask for a restart": Fact(
        r"(\d+) and (\d+) ask for a restart",
        [" ".join(map(str, product.RESTART_CODES))],
        ("plugins/modules/odj_connector_install.py",),
    ),
    "floor": Fact(
        rf"\b(?:older than|before|below|at least|floor) ({BUILD})|({BUILD}) or (?:later|newer)",
        [str(product.MINIMUM_BUILD)],
        ("plugins/modules/odj_connector_install.py",),
    ),
    "issuer of the certificate": Fact(
        r"CN=[\w ]+ CA\b",
        [product.CERTIFICATE_ISSUER],
        ("docs/first-run.md", "plugins/modules/odj_server_info.py"),
    ),
    "account of the sign-in": Fact(
        r"C\((\w+)\) and (\w+)\s(?:random )?characters",
        [f"{product.ACCOUNT_PREFIX} {NUMBERS[length]}" for length in SUFFIX_LENGTHS],
        ("plugins/modules/odj_msa_info.py", "plugins/modules/odj_ou_delegate.py"),
    ),
    "Windows": Fact(
        r"(Windows Server \d{4}) or (?:later|newer)",
        [product.MINIMUM_WINDOWS],
        ("README.md", "plugins/doc_fragments/_windows.py", "plugins/modules/odj_prereqs.py", "plugins/modules/*.yml"),
    ),
    ".NET": Fact(
        r"\.NET\)? Framework (?:4, and whether it is )?(\d\.\d[\d.]*)(?: \(release (\d+)\))? or later",
        (product.MINIMUM_DOTNET, f"{product.MINIMUM_DOTNET} {product.MINIMUM_DOTNET_RELEASE}"),
        ("plugins/modules/odj_prereqs.py", "plugins/modules/odj_server_info.py"),
    ),
    "endpoints": Fact(
        r"\b[\w.-]+\.(?:microsoft|microsoftonline|windows)\.(?:com|net):\d+",
        product.ENDPOINTS,
        ("plugins/doc_fragments/_windows.py", "roles/*/defaults/main.yml", "roles/*/meta/argument_specs.yml"),
    ),
    "number of endpoints": Fact(
        r"\bthe (\w+) hosts that the connector",
        [NUMBERS[len(product.ENDPOINTS)]],
        ("plugins/doc_fragments/_windows.py",),
    ),
    "channels": Fact(r"\bMicrosoft-Intune-\w+(?:/\w+)?", product.CHANNELS, ()),
    "events": Fact(r"\b30\d{3}\b", map(str, (product.EVENT_SUCCESS, product.EVENT_FAILURE)), ()),
    "permission": Fact(
        r"\bDeviceManagement\w+(?:\.\w+)+",
        [CONNECTORS_PERMISSION],
        ("README.md", "docs/permissions.md", "plugins/modules/odj_connector_info.py"),
    ),
    "silence until error": Fact(
        r"V\(error\) after (\w+) hours?",
        [NUMBERS[hours(product.ERROR_AFTER)]],
        ("plugins/modules/odj_connector_info.py",),
    ),
    "silence until inactive": Fact(
        r"V\(inactive\) after (\w+) days?",
        [NUMBERS[days(product.INACTIVE_AFTER)]],
        ("plugins/modules/odj_connector_info.py",),
    ),
    "silence until it is gone": Fact(
        r"(\d+) and (\d+) days after the last contact",
        [f"{days(product.INACTIVE_AFTER)} {days(product.REMOVED_AFTER)}"],
        ("plugins/modules/odj_connector_info.py",),
    ),
}

# The class is one of every directory's schema. The prefix is looked for in two more files, each with a rule of its own.
ELSEWHERE_TOO = {"ACCOUNT_CLASS", "ACCOUNT_PREFIX"}
NAMES = sorted(name for name in vars(product) if name.isupper() and name[0] != "_" and name not in ELSEWHERE_TOO)


def texts() -> Iterator[tuple[str, str]]:
    """Yield the path of each text that users read, and the text."""
    for path in sorted(path for glob in TEXTS for path in ROOT.glob(glob)):
        yield path.relative_to(ROOT).as_posix(), one_line(path.read_text(encoding="utf-8"))


def one_line(text: str) -> str:
    """Return a text as a reader sees it: line ends are blanks, and escaped backslashes are backslashes."""
    return " ".join(text.split()).replace(r"\\", "\\")


def mentions(fact: Fact, text: str) -> list[str]:
    found = re.finditer(fact.pattern, text)
    return [" ".join(part for part in match.groups() if part) or match[0] for match in found]


def defaults_of_options() -> Iterator[tuple[str, str, object]]:
    """Yield place, name and default of the options of modules, as documented and as meant."""
    for path in sorted([*ROOT.glob("plugins/modules/*.py"), *ROOT.glob("plugins/doc_fragments/*.py")]):
        module = importlib.import_module(f"{PLUGINS}.{path.parent.name}.{path.stem}")
        documented = vars(getattr(module, "ModuleDocFragment", module))
        for text in (documented[name] for name in ("DOCUMENTATION", "NETWORK") if name in documented):
            yield from with_default(path.name, load(text).get("options", {}))
    for path in sorted(ROOT.glob("plugins/module_utils/_module/*.py")):
        module = importlib.import_module(f"{PLUGINS}.module_utils._module.{path.stem}")
        yield from with_default(f"_module/{path.name}", getattr(module, "SPEC", {}).get("argument_spec", {}))


def defaults_of_roles() -> Iterator[tuple[str, str, object]]:
    """Yield place, name without the role's, and default of the variables of roles, as set and as documented."""
    for role in sorted((ROOT / "roles").iterdir()):
        values = load((role / "defaults/main.yml").read_text(encoding="utf-8"))
        specs = load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
        found = [(f"{role.name}/defaults", name, value) for name, value in values.items()]
        for entry_point in specs.values():
            found += with_default(f"{role.name}/meta", entry_point["options"])
        yield from ((place, name.removeprefix(f"{role.name}_"), value) for place, name, value in found)


def with_default(place: str, options: Mapping[str, t.Any]) -> Iterator[tuple[str, str, object]]:
    yield from ((place, name, option["default"]) for name, option in options.items() if "default" in option)


@cache
def literals(path: Path) -> tuple[str, set[int]]:
    """Return the texts in a Python file, one a line, and its numbers; documentation left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in prose]
    return "\n".join(v for v in values if isinstance(v, str)), {v for v in values if isinstance(v, int)}


def spelled_out(fact: object) -> list[str | int]:
    """Return what would have to stand in a file that spells a fact out; nothing for numbers that mean much else."""
    if isinstance(fact, tuple):
        return [one for part in fact for one in spelled_out(part)]
    if isinstance(fact, int):
        return [fact] if fact >= 1000 else []
    return [] if isinstance(fact, timedelta) else [str(fact)]


def test_options_have_the_defaults_of_the_product() -> None:
    found = [one for one in (*defaults_of_options(), *defaults_of_roles()) if one[1] in OPTIONS]
    assert [one for one in found if one[2] != OPTIONS[one[1]]] == []
    assert {name for _place, name, _value in found} == set(OPTIONS)
    assert [place for place, name, _value in found if name == "endpoints"] == [
        "_windows.py",
        "_module/prereqs.py",
        "_module/server_info.py",
        "connector_server/defaults",
        "connector_server/meta",
        "prereqs/defaults",
        "prereqs/meta",
    ]


@pytest.mark.parametrize("name", FACTS)
def test_texts_say_of_a_fact_what_the_product_says(name: str) -> None:
    fact = FACTS[name]
    values = set(fact.values)
    found = [(path, mention) for path, text in texts() for mention in mentions(fact, text)]
    assert [one for one in found if one[1] not in values] == []
    places = {path: {place for place in fact.places if Path(path).match(place)} for path, _mention in found}
    assert [path for path in places if not places[path]] == [], "stands where the table does not allow it"
    assert set().union(*places.values()) == set(fact.places), "stands there no longer"


@pytest.mark.parametrize("name", NAMES)
def test_code_takes_a_fact_from_the_product_by_its_name(name: str) -> None:
    files = [path for path in (ROOT / "plugins").rglob("*.py") if path.parent.name not in ("modules", "doc_fragments")]
    for fact in spelled_out(getattr(product, name)):
        users = [path.name for path in files if spells_out(path, fact)]
        assert set(users) <= {"product.py"}, fact


def spells_out(path: Path, fact: str | int) -> bool:
    texts_of_it, numbers = literals(path)
    return fact in numbers if isinstance(fact, int) else bool(re.search(rf"(?<!\w){re.escape(fact)}", texts_of_it))
