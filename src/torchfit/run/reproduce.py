"""The task of ``torchfit reproduce``: the figures of the paper, and the page of them."""

import logging
import shlex
import time
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from torchfit.catalogue.write import Writer, text_writer
from torchfit.exceptions import ConfigError
from torchfit.files.atomic import scratch_folder, write_together
from torchfit.files.ownership import make_way, sole_run
from torchfit.paper.figure import PaperFigure
from torchfit.paper.page import Reproduced, name_data, reproduction_page
from torchfit.report.page import FORMATS, figure_bytes
from torchfit.run.build import build
from torchfit.run.material import RunMaterial
from torchfit.run.record import command_of, settings_of
from torchfit.run.settings import demand_least
from torchfit.run.terminal import print_paths

PAGE = "reproduce.html"

logger = logging.getLogger(__name__)


def reproduce(cfg: DictConfig) -> Path:
    """Make the chosen figures.

    Args:
        cfg: Composed configuration of ``reproduce.yaml``.

    Returns:
        The folder of the page.

    Raises:
        ConfigError: If no figure is chosen, or there is no such format.
    """
    demand_least(cfg, seed=0)
    figures, formats = _figures(cfg), list(cfg.figure.formats)
    if wrong := sorted(set(formats) - set(FORMATS)):
        raise ConfigError(f"figure.formats: no {', '.join(wrong)}; use {', '.join(FORMATS)}")
    folder = Path(cfg.output_dir)
    with sole_run(folder), scratch_folder(folder) as work:
        material = RunMaterial(cfg, folder, work)
        made = [_make(cfg, name, figure, material) for name, figure in figures.items()]
        files = _write(folder, _writers(cfg, made, material, formats))
    print_paths(**files)
    return folder


def _figures(cfg: DictConfig) -> dict[str, PaperFigure]:
    nodes = {str(name): node for name, node in cfg.figure.items() if name != "formats"}
    if not nodes:
        raise ConfigError("figure: no figure is chosen, as figure=[fig03]")
    return {name: build(node) for name, node in nodes.items()}


def _make(cfg: DictConfig, name: str, figure: PaperFigure, material: RunMaterial) -> Reproduced:
    """A figure with the seconds that it takes beside the steps it shares with others."""
    shared, start = sum(material.steps.seconds.values()), time.perf_counter()
    drawing = name_data(figure.draw(material), material.remark)
    seconds = time.perf_counter() - start
    seconds -= sum(material.steps.seconds.values()) - shared
    logger.info("%s: %s (%.1f s)", figure.number, drawing.text, seconds)
    typed = [word for word in cfg.overrides if not word.startswith("figure=")]
    words = [*map(shlex.quote, typed), f"'figure=[{name}]'"]
    return Reproduced(name, figure, drawing, " ".join([cfg.command, *words]), max(seconds, 0.0))


def _writers(
    cfg: DictConfig, made: list[Reproduced], material: RunMaterial, formats: list[str]
) -> dict[str, Writer]:
    """What is written, by its name in the folder; the page last."""
    pictures: dict[str, Writer] = {
        f"{stem}.{each}": partial(_write_bytes, content=figure_bytes(figure, each))
        for reproduced in made
        for stem, figure in reproduced.files().items()
        for each in formats
    }
    summary = command_of(cfg) | {
        "data": material.remark or "real stars",
        "figures": str(len(made)),
    }
    page = reproduction_page(made, summary, material.steps.rows(), settings_of(cfg))
    return pictures | {PAGE: text_writer(page)}


def _write(folder: Path, writers: dict[str, Writer]) -> dict[str, Path]:
    make_way(folder, writers)
    write_together({folder / name: write for name, write in writers.items()})
    return {name: folder / name for name in writers}


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
