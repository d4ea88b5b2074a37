# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a module's options against the documentation of the module as it is installed, and fills the defaults."""

from __future__ import annotations

import ast
import functools
import os
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from odj_lab.windows.filesystem import expand
from odj_lab.windows.trouble import ModuleFailure, NotSimulated

Options = dict[str, t.Any]
LOAD: t.Callable[[str], t.Any] = yaml.safe_load
OURS = "hybridjoin.odj"
TRUE = {"y", "yes", "on", "1", "true", "t", "1.0"}
FALSE = {"n", "no", "off", "0", "false", "f", "0.0"}


@dataclass(frozen=True, slots=True)
class Option:
    """One documented option."""

    name: str
    kind: str
    required: bool
    default: t.Any
    choices: tuple[t.Any, ...]
    aliases: tuple[str, ...]
    elements: str
    suboptions: tuple[Option, ...]


def checked(module: str, given: Options, *, internal: t.Collection[str] = ()) -> Options:
    """Return the options of one call, converted to their types and with defaults for those not given.

    Args:
        module: Full name of the module.
        given: What the task passes.
        internal: Names that the module's own action plugin passes without documenting them.

    Raises:
        ModuleFailure: Unknown option, missing option, wrong type or choice; worded as Ansible words it.

    """
    options = documented(module)
    passed = {k: v for k, v in given.items() if k in internal or k.startswith("_")}
    return {**_checked(module, options, {k: v for k, v in given.items() if k not in passed}), **passed}


def _checked(where: str, options: tuple[Option, ...], given: Options) -> Options:
    names = {alias: option.name for option in options for alias in (option.name, *option.aliases)}
    unknown = sorted(set(given) - set(names))
    if unknown:
        supported = ", ".join(sorted(option.name for option in options))
        text = f"Unsupported parameters for ({where}) module: {', '.join(unknown)}"
        raise ModuleFailure(f"{text}. Supported parameters include: {supported}")
    values = {names[key]: value for key, value in given.items()}
    missing = sorted(o.name for o in options if o.required and values.get(o.name) is None)
    if missing:
        raise ModuleFailure(f"missing required arguments: {', '.join(missing)}")
    result = {}
    for option in options:
        value = values.get(option.name)
        result[option.name] = _converted(option, option.default if value is None else value)
    return result


def _converted(option: Option, value: t.Any) -> t.Any:
    if value is None:
        return None
    try:
        value = _as_kind(option, option.kind, value)
    except (TypeError, ValueError) as error:
        text = f"argument for {option.name} is of type {type(value).__name__} and we were unable to convert to"
        raise ModuleFailure(f"{text} {option.kind}") from error
    for item in value if isinstance(value, list) else [value]:
        if option.choices and item not in option.choices:
            shown = ", ".join(str(choice) for choice in option.choices)
            raise ModuleFailure(f"value of {option.name} must be one of: {shown}. Got no match for: {item}")
    return value


def _as_kind(option: Option, kind: str, value: t.Any) -> t.Any:
    if kind == "list":
        return [_as_kind(option, option.elements, item) for item in _as_list(value)]
    if kind == "dict" and option.suboptions:
        if not isinstance(value, dict):
            raise TypeError
        return _checked(option.name, option.suboptions, value)
    convert = CONVERT.get(kind)
    return convert(value) if convert else value


def _as_list(value: t.Any) -> list[t.Any]:
    if isinstance(value, list):
        return value
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else [value]


def _as_bool(value: t.Any) -> bool:
    text = str(value).lower()
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ValueError


def _as_dict(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return value
    raise TypeError


def _as_text(value: t.Any) -> str:
    if isinstance(value, (dict, list)):
        raise TypeError
    return str(value)


CONVERT: dict[str, t.Callable[[t.Any], t.Any]] = {
    "str": _as_text,
    "path": lambda value: expand(_as_text(value)),
    "bool": _as_bool,
    "int": lambda value: int(str(value)),
    "float": lambda value: float(str(value)),
    "dict": _as_dict,
}


@functools.cache
def documented(module: str) -> tuple[Option, ...]:
    """Return the documented options of an installed module.

    Raises:
        NotSimulated: The module or its documentation is not installed where the lab looks.

    """
    namespace, __, name = module.rpartition(".")
    for root in _roots(namespace):
        text = _documentation(root / "plugins" / "modules" / name)
        if text is not None:
            return _with_fragments(root, text)
    raise NotSimulated(f"the module {module}: its documentation is not installed (ANSIBLE_COLLECTIONS_PATH)")


def _roots(collection: str) -> list[Path]:
    if collection == OURS:
        return [Path(__file__).parents[4]]
    named = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
    home = [str(Path.home() / ".ansible/collections"), "/usr/share/ansible/collections"]
    places = [Path(p) for p in (*filter(None, named), *filter(None, sys.path), *home)]
    return [place / "ansible_collections" / collection.replace(".", "/") for place in places]


def _documentation(base: Path) -> Options | None:
    side_car, module = base.with_suffix(".yml"), base.with_suffix(".py")
    if side_car.exists():
        return t.cast(Options, LOAD(side_car.read_text(encoding="utf-8"))["DOCUMENTATION"])
    if module.exists():
        return t.cast(Options, LOAD(_constant(module, "DOCUMENTATION")))
    return None


def _constant(path: Path, name: str) -> str:
    """Return a text constant of a Python file without running it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return t.cast(str, ast.literal_eval(node.value))
    return ""


def _with_fragments(root: Path, text: Options) -> tuple[Option, ...]:
    options: Options = {}
    names = text.get("extends_documentation_fragment") or []
    for name in [names] if isinstance(names, str) else names:
        fragment = root / "plugins" / "doc_fragments" / f"{name.rpartition('.')[2]}.py"
        if fragment.exists():
            options.update((LOAD(_constant(fragment, "DOCUMENTATION")) or {}).get("options") or {})
    for key, value in (text.get("options") or {}).items():
        options[key] = {**options.get(key, {}), **value}
    return _options(options)


def _options(documentation: Options) -> tuple[Option, ...]:
    return tuple(
        Option(
            name=name,
            kind=facts.get("type", "str"),
            required=bool(facts.get("required")),
            default=facts.get("default"),
            choices=tuple(facts.get("choices") or ()),
            aliases=tuple(facts.get("aliases") or ()),
            elements=facts.get("elements", "raw"),
            suboptions=_options(facts.get("suboptions") or {}),
        )
        for name, facts in documentation.items()
    )
