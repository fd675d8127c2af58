"""What is kept of a run beside its results: versions, settings, and the command."""

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from torchfit.run.provenance import versions

HOW_MANY = ("trainer", "trainer.devices", "trainer.num_nodes", "trainer.strategy", "pack.workers")
"""Settings of how many share the work: no part of what comes out, so not of its record."""


def run_key(settings: Mapping[str, object]) -> str:
    """Name of the work folder of a run: the same settings, the same name.

    Args:
        settings: Everything that decides the result, as plain values.

    Returns:
        Sixteen hexadecimal digits.
    """
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of(texts: Iterable[str]) -> str:
    """What tells some texts from others, without a copy of them all.

    Args:
        texts: The names of the files of a survey, say.

    Returns:
        Hexadecimal digits.
    """
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{text}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def command_of(cfg: DictConfig, *left_out: str) -> dict[str, str]:
    """What was typed."""
    typed = [text for text in cfg.overrides if text.partition("=")[0] not in left_out]
    return {"command": " ".join([cfg.command, *map(shlex.quote, typed)])}


def settings_of(cfg: DictConfig, *left_out: str) -> dict[str, str]:
    """Versions and configuration, for the artefact and the catalogue."""
    hidden = {"output_dir", "command", "overrides", *left_out}
    plain = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in hidden])
    config: Any = OmegaConf.to_container(plain, resolve=True)
    for group, _, key in (name.partition(".") for name in HOW_MANY):
        config.get(group, {}).pop(key or None, None)
    return versions() | {"config": OmegaConf.to_yaml(OmegaConf.create(config))}
