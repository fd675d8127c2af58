"""The configurations of a reproduction: its parts, and the readings of the method."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf, open_dict

from torchfit.paper.material import OURS, UNGROUPED
from torchfit.run.build import build
from torchfit.run.record import command_of

_BOTH = (
    *("library", "preprocess", "emulator", "pack", "velocity", "match", "group", "metric"),
    *("uncertainty", "flags", "trainer", "data", "optimise", "name", "seed"),
)
TRAINING = _BOTH
"""Keys of the configuration of training."""

MEASURING = (
    *_BOTH,
    *("catalogue", "products", "artefact", "batch_groups", "stars_at_once", "n_examples"),
)
"""Keys of the configuration of measuring, but for other catalogues."""

_MANY_GROUPS = 512

SAMPLED = "torchfit.surveys.sampled.SampledReader"
CHOSEN = "torchfit.surveys.sampled.ChosenReader"


def with_tables(cfg: DictConfig, paths: Mapping[str, str]) -> DictConfig:
    """The configuration with paths of other catalogues, and without those that have none.

    Args:
        cfg: Composed configuration.
        paths: By key; a path that the configuration has is kept.

    Returns:
        A copy.
    """
    cfg = cfg.copy()
    for key, path in paths.items():
        if not key.startswith("figure.") and not OmegaConf.select(cfg, key):
            OmegaConf.update(cfg, key, path, force_add=True)
    absent = [name for name in cfg.compare if OmegaConf.is_missing(cfg.compare[name], "path")]
    with open_dict(cfg):
        for name in absent:
            cfg.compare.pop(name)
    return cfg


def reading_of(cfg: DictConfig, name: str) -> DictConfig:
    """The configuration of a reading of the method.

    Args:
        cfg: Composed configuration, with what the paper's reading replaces in ``readings.paper``.
        name: Name of the reading.

    Returns:
        A copy.
    """
    cfg = cfg.copy()
    OmegaConf.set_struct(cfg, False)
    if name != OURS:
        for group, node in cfg.readings.paper.items():
            cfg[group] = node
    if name == UNGROUPED:
        # Groups of one star are slow one by one, and take a batch of many of them.
        cfg.group.n_group, cfg.batch_groups = 1, _MANY_GROUPS
        cfg.data = _sampled(cfg.data, cfg.size.n_trial)
    return cfg


def part_of(cfg: DictConfig, keys: Sequence[str], folder: Path) -> DictConfig:
    """The configuration of another program.

    Args:
        cfg: Composed configuration.
        keys: The keys of the program.
        folder: Where its results go.

    Returns:
        A configuration that joins and compares nothing.
    """
    part = OmegaConf.masked_copy(cfg, list(keys))
    with open_dict(part):
        part.output_dir = str(folder)
        part.crossmatch, part.compare = {}, {}
        # What was typed is of this program, and none of it is idle in another one.
        part.command, part.overrides = command_of(cfg)["command"], []
    return part


def chosen(cfg: DictConfig, sources: Sequence[str]) -> DictConfig:
    """The configuration of a survey of some spectra, which are written with their models.

    Args:
        cfg: Configuration of measuring a survey, with ``model_spectra``.
        sources: The spectra.

    Returns:
        A copy.
    """
    cfg = cfg.copy()
    node = {"_target_": CHOSEN, "reader": cfg.data, "chosen": list(sources)}
    cfg.data, cfg.products = OmegaConf.create(node), cfg.model_spectra
    return cfg


def sampled(cfg: DictConfig) -> DictConfig:
    """The configuration with library and survey of no more spectra than its size says.

    Args:
        cfg: Composed configuration.

    Returns:
        A copy.
    """
    cfg = cfg.copy()
    size = build(cfg.size)
    with open_dict(cfg):
        cfg.library.reader = _sampled(cfg.library.reader, size.n_library)
        cfg.data = _sampled(cfg.data, size.n_survey)
    return cfg


def _sampled(node: DictConfig, n_spectra: int | None) -> DictConfig:
    return OmegaConf.create({"_target_": SAMPLED, "reader": node, "n_spectra": n_spectra})
