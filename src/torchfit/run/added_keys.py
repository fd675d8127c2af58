"""Keys that a command adds: those that no program knows are misspelt."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from omegaconf import OmegaConf

from torchfit.exceptions import ConfigError

_ADDED = re.compile(r"\+{1,2}([A-Za-z_]\w*)[.=]")
"""An override that adds a key or changes it; its first group is the key at the top."""

_PLACED = re.compile(r"\w@([a-z]\w*)")
"""A package that an option of a list of defaults is placed in."""


def demand_known(overrides: Iterable[str], conf: Path) -> None:
    """Refuse keys at the top that are added: whatever stands below them would be ignored.

    Below the top a key is a parameter of a class or function, which refuses what it does not know.

    Args:
        overrides: Words of the command line.
        conf: Folder of the configuration.

    Raises:
        ConfigError: If there is such a key.
    """
    added = {found[1]: word for word in overrides if (found := _ADDED.match(word))}
    if not added:
        return
    known = _known(conf)
    for key in sorted(set(added) - known):
        near = ", ".join(get_close_matches(key, known) or sorted(known - {"defaults", "hydra"}))
        raise ConfigError(f"no such key: {key}, of {added[key]}; there is {near}")


def _known(conf: Path) -> set[str]:
    """Groups, keys of programs and experiments, and packages that options are placed in."""
    known = {path.name for path in conf.iterdir() if path.is_dir()}
    for path in conf.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if path.parent == conf or "@package _global_" in text:
            known |= {str(key) for key in OmegaConf.load(path)} | set(_PLACED.findall(text))
    return known
