"""The reference of the configuration: every group, option and key, from conf/ and docstrings."""

import functools
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.utils import get_object

from generate.comments import comments
from generate.docstrings import arguments, summary
from generate.markdown import code, table
from torchfit.run.programs import PROGRAMS as KNOWN
from torchfit.run.programs import conf_folder

CONF = conf_folder()
PROGRAMS = tuple(name for name, program in KNOWN.items() if program.is_configured)
HEADER = ("key", "type", "default", "meaning")


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Args:
        name: Its path below the group, ``nuisance.continuum_sigma``.
        kind: Annotation of the parameter that it sets; empty inside a mapping.
        value: Value of the option, as YAML writes it.
        text: What the docstring says of it, else the comment in the file.
    """

    name: str
    kind: str
    value: str
    text: str


def groups() -> dict[str, list[str]]:
    """Options by group."""
    folders = sorted(path for path in CONF.iterdir() if path.is_dir())
    return {each.name: sorted(path.stem for path in each.glob("*.yaml")) for each in folders}


def page(group: str) -> str:
    """The page of a group.

    Args:
        group: A folder of conf/.

    Returns:
        A title, and a section for every option.
    """
    options = sorted(groups()[group], key=lambda option: (len(parents(group, option)), option))
    return "\n\n".join([f"# {group}", *(section(group, option) for option in options)]) + "\n"


def section(group: str, option: str) -> str:
    """An option with its title, which is an anchor: ``#data-sdss``."""
    return f"## {group}={option} {{ #{group}-{option} }}\n\n{body(group, option)}"


def body(group: str, option: str) -> str:
    """An option: what it is, what it chooses, and its keys."""
    path = CONF / group / f"{option}.yaml"
    said = comments(path).get("", "")
    if is_global(group, option):
        return f"{said}\n\n```yaml\n{path.read_text(encoding='utf-8')}```"
    keys = list(all_keys(group, option))
    parent = parents(group, option)
    if parent:
        known = {(key.name, key.value) for key in all_keys(group, parent[0])}
        keys = [key for key in keys if (key.name, key.value) not in known]
        said += f"\n\nAll other keys are those of `{group}={parent[0]}`."
    rows = [[code(k.name), code(k.kind), code(k.value), k.text] for k in keys]
    return "\n\n".join(filter(None, [said, _choices(path), table(HEADER, rows) if rows else ""]))


def is_global(group: str, option: str) -> bool:
    """Whether an option sets keys of other groups, as ``experiment=paper`` does."""
    return "@package _global_" in (CONF / group / f"{option}.yaml").read_text(encoding="utf-8")


def parents(group: str, option: str) -> list[str]:
    """Options of the same group that an option begins with."""
    defaults = _yaml(CONF / group / f"{option}.yaml").get("defaults", [])
    return [each for each in defaults if isinstance(each, str) and each != "_self_"]


def _choices(path: Path) -> str:
    """What an option chooses in other groups."""
    defaults = _yaml(path).get("defaults", [])
    chosen = [
        f"`{key.removeprefix('override ').strip('/').partition('@')[0]}={value}`"
        for each in defaults
        if isinstance(each, Mapping)
        for key, value in each.items()
    ]
    return f"It chooses {', '.join(chosen)}." if chosen else ""


def all_keys(group: str, option: str) -> Iterator[Key]:
    """Every key of an option, inherited ones among them."""
    node = node_of(group, option)
    said = {}
    for stem in [*parents(group, option)[:1], option]:
        said |= comments(CONF / group / f"{stem}.yaml")
    yield from _keys(node, "", said, {}, {})


def _keys(
    node: Mapping[str, Any],
    prefix: str,
    said: Mapping[str, str],
    texts: Mapping[str, str],
    kinds: Mapping[str, str],
) -> Iterator[Key]:
    if "_target_" in node:
        target = get_object(node["_target_"])
        texts, kinds = arguments(target), _annotations(target)
        yield Key(f"{prefix}_target_".strip("."), "", node["_target_"], summary(target))
    for name, value in node.items():
        if name in ("_target_", "_partial_"):
            continue
        path = f"{prefix}{name}"
        text = texts.get(name) or said.get(path, "")
        if not text and prefix and not kinds:  # A comment of a mapping is of all its keys.
            text = said.get(prefix.rstrip("."), "")
        is_tree = isinstance(value, dict) and value
        shown = "" if is_tree else _as_yaml(value)
        if not is_tree or name in kinds:
            yield Key(path, kinds.get(name, ""), shown, text)
        if is_tree:
            yield from _keys(value, f"{path}.", said, {}, {})


def _annotations(target: Any) -> dict[str, str]:
    """Types of the parameters, without the modules of their classes."""
    parameters = inspect.signature(target).parameters.values()
    kinds = {each.name: inspect.formatannotation(each.annotation) for each in parameters}
    return {name: re.sub(r"[\'\"]|\b\w+\.", "", kind) for name, kind in kinds.items()}


def _as_yaml(value: Any) -> str:
    if value == "???":
        return "required"
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("...\n").strip()


@functools.cache
def node_of(group: str, option: str) -> dict[str, Any]:
    """The values of an option: those of the options that it begins with, then its own."""
    own = dict(_yaml(CONF / group / f"{option}.yaml"))
    found: dict[str, Any] = {}
    for each in own.pop("defaults", []):
        if isinstance(each, str):
            found = _merge(found, node_of(group, each) if each != "_self_" else {})
            continue
        ((place, choice),) = each.items()
        if place.startswith("/"):
            other, _, key = place.strip("/").partition("@")
            found = _merge(found, {key: node_of(other, choice)})
    return _merge(found, own)


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merge(first[name], value)
        for name, value in second.items()
        if isinstance(value, dict) and isinstance(first.get(name), dict)
    }
    return {**first, **second, **both}


def _yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def program_table(program: str) -> str:
    """Keys of a program that no option of a group has."""
    said, values = _said_anywhere(), {}
    for stem in _files(program):
        said |= {name: text for name, text in comments(CONF / f"{stem}.yaml").items() if text}
        values |= _yaml(CONF / f"{stem}.yaml")
    own = {name: value for name, value in values.items() if name not in ("hydra", "defaults")}
    keys = [key for key in _keys(own, "", said, {}, {}) if key.value != "{}"]
    return table(HEADER, [[code(k.name), code(k.kind), code(k.value), k.text] for k in keys])


def _said_anywhere() -> dict[str, str]:
    """Comments of all programs: a key of one may be explained in another."""
    found = [comments(path).items() for path in sorted(CONF.glob("*.yaml"))]
    return {name: text for items in found for name, text in items if text}


def _files(program: str) -> list[str]:
    """Files of a program, those it begins with first."""
    defaults = _yaml(CONF / f"{program}.yaml").get("defaults", [])
    first = [each for each in defaults if isinstance(each, str) and each != "_self_"]
    return [*(name for each in first for name in _files(each)), program]


def overview() -> str:
    """The page of all groups and programs."""
    rows = [
        [f"[{group}](configuration/{group}.md)", ", ".join(code(option) for option in options)]
        for group, options in groups().items()
    ]
    parts = ["## Groups", table(["group", "options"], rows)]
    for program in PROGRAMS:
        parts += [f"## torchfit {program}", program_table(program)]
    return "\n\n".join(parts) + "\n"
