"""Start labels, classes and groups of a packed survey."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from torchfit.emulator.emulator import Emulator
from torchfit.files.atomic import atomic
from torchfit.library.identity import star_key
from torchfit.likelihood.noise import NodeNoise, NoiseShape, nearest_node
from torchfit.measure.allocator import keep_freed_memory
from torchfit.measure.fitter import BatchFitter
from torchfit.spectra import evenly
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.datamodule import PackedSurvey
from torchfit.survey.shards import Shard

MATCH_AT_ONCE = 256
NOISE_STARS = 2048
"""Most stars of a node whose noise is looked at."""


@dataclass(frozen=True)
class MatchedSurvey:
    """A packed survey whose stars have classes and groups.

    Args:
        packed: The shards.
        stars: One row per star: what its file says, ``spectral_class`` and ``in_library``.
        group: Group of each star.
        matches: Start labels and best correlation of each star, side by side.
        noise: How its noise runs with wavelength; ``None`` where no star shares matrices.
    """

    packed: PackedSurvey
    stars: pd.DataFrame
    group: np.ndarray
    matches: np.ndarray
    noise: NoiseShape | None


def match_survey(
    paths: list[Path],
    fitter: BatchFitter,
    folder: Path,
    crew: Crew = ALONE,
    left_out: Sequence[int] = (),
) -> MatchedSurvey:
    """Match every star to the library, and order the survey into groups.

    Args:
        paths: Shards.
        fitter: Emulator and settings.
        folder: Where the start labels of each shard go; those that are there are kept.
        crew: Who matches which shards.
        left_out: Running numbers of stars of the shards that are no part of the survey.

    Returns:
        The survey, ready to fit.
    """
    emulator, settings = fitter.emulator, fitter.settings
    packed = PackedSurvey.of(paths, emulator.wave)
    keep_freed_memory()
    stars = pd.concat([Shard(path).info() for path in paths], ignore_index=True)
    with tqdm(total=len(stars), desc="matching", unit="star", disable=not crew.leads) as bar:
        for number, path in enumerate(paths):
            if crew.takes(number):
                match_shard(path, fitter, folder)
                bar.update(len(Shard(path)) * crew.size)
    crew.meet()
    matches = np.concatenate([np.load(start_path(folder, path)) for path in paths])
    kept = np.flatnonzero(~stars["star"].isin(left_out))
    packed, matches = packed.part(kept), matches[kept]
    stars = stars.iloc[kept].reset_index(drop=True)
    classes, group = settings.grouping.order(stars["subclass"].tolist(), matches[:, :-1])
    known = {star_key(name) for name in emulator.library.star_names}
    in_library = [bool(name) and star_key(name) in known for name in stars["name"]]
    stars = stars.assign(spectral_class=classes, in_library=in_library)
    shares = settings.metric.sharing is not None
    noise = noise_shape(packed, matches, emulator) if shares else None
    return MatchedSurvey(packed, stars, group, matches, noise)


def noise_shape(packed: PackedSurvey, matches: np.ndarray, emulator: Emulator) -> NoiseShape:
    """How the survey's noise runs with wavelength, from stars of each temperature all over it.

    Args:
        packed: The shards.
        matches: Start labels and best correlation of each star.
        emulator: Gives grid and nodes.

    Returns:
        The shape; the same in every process.
    """
    nodes = emulator.residuals.nodes
    node = nearest_node(nodes, torch.from_numpy(matches[:, 0])).numpy()
    places = {int(number): np.flatnonzero(node == number) for number in np.unique(node)}
    shapes = {
        number: NodeNoise.of(packed.spectra(evenly(stars, NOISE_STARS)))
        for number, stars in places.items()
        if number in range(len(nodes))  # A star without start labels has no node.
    }
    return NoiseShape.of(nodes, len(emulator.wave), shapes)


def start_path(folder: Path, shard: Path) -> Path:
    """Where the start labels and correlations of a shard go."""
    return folder / f"{shard.stem}.npy"


def match_shard(path: Path, fitter: BatchFitter, folder: Path) -> None:
    """Write the start labels of the stars of a shard, unless they are there.

    Args:
        path: The shard.
        fitter: Emulator and settings.
        folder: Where they go.
    """
    if start_path(folder, path).exists():
        return
    shard = Shard(path)
    pieces = np.split(np.arange(len(shard)), range(MATCH_AT_ONCE, len(shard), MATCH_AT_ONCE))
    spectra = (shard.spectra(fitter.emulator.wave, piece) for piece in pieces)
    found = (fitter.match(piece) for piece in spectra)
    matches = [torch.cat([each.start, each.best_cfi[:, None]], dim=1) for each in found]
    with atomic(start_path(folder, path)) as temp, temp.open("wb") as file:
        np.save(file, torch.cat(matches).numpy())
