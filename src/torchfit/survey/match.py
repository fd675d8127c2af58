"""Start labels, classes and groups of a packed survey."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from torchfit.library.identity import star_key
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import MatchModule
from torchfit.survey.datamodule import ShardDataset
from torchfit.survey.devices import Devices
from torchfit.survey.joint import JointStars
from torchfit.survey.packed_survey import PackedSurvey
from torchfit.survey.shards import Shard
from torchfit.survey.stage_writer import ArrayWriter


@dataclass(frozen=True)
class Observations:
    """The spectra of a survey as they were observed, each exposure by itself.

    Args:
        packed: The shards.
        teff: Start temperature of each in K.
    """

    packed: PackedSurvey
    teff: np.ndarray


@dataclass(frozen=True)
class MatchedSurvey:
    """A packed survey whose stars have classes and groups.

    Args:
        packed: The shards.
        stars: One row per star: what its file says, ``n_exposures``, ``spectral_class`` and
            ``in_library``.
        group: Group of each star.
        matches: Start labels and best correlation of each star, side by side.
        observed: All spectra of these stars.
    """

    packed: PackedSurvey
    stars: pd.DataFrame
    group: np.ndarray
    matches: np.ndarray
    observed: Observations


def match_survey(
    paths: list[Path],
    fitter: BatchFitter,
    devices: Devices,
    folder: Path,
    left_out: Sequence[int] = (),
    joint: JointStars | None = None,
) -> MatchedSurvey:
    """Match every star to the library, and order the survey into groups.

    Args:
        paths: Shards.
        fitter: Emulator and settings.
        devices: Who matches.
        folder: Where the start labels of each shard go; those that are there are kept.
        left_out: Running numbers of stars of the shards that are no part of the survey.
        joint: Stars of several exposures, which take the places of these; ``None`` where every
            spectrum is a star.

    Returns:
        The survey, ready to fit.
    """
    emulator, settings = fitter.emulator, fitter.settings
    paths = paths if joint is None else [*paths, *joint.paths]
    matches = match_shards(paths, fitter, devices, folder)
    stars = pd.concat([Shard(path).info() for path in paths], ignore_index=True)
    packed, number = PackedSurvey.of(paths, emulator.wave), stars["star"]
    used = ~number.isin(left_out).to_numpy()
    n_joint = 0 if joint is None else len(joint.count)
    observed = np.flatnonzero(used)[: np.count_nonzero(used) - n_joint]
    observations = Observations(packed.part(observed), matches[observed, 0])
    kept = np.flatnonzero(used & ~number.isin([] if joint is None else joint.members))
    packed, matches = packed.part(kept), matches[kept]
    n_exposures = np.ones(len(kept), dtype=np.int64)
    if joint is not None and n_joint:
        packed = replace(packed, exposures=joint.beside(packed))
        n_exposures[-n_joint:] = joint.count
    stars = stars.iloc[kept].reset_index(drop=True).assign(n_exposures=n_exposures)
    classes, group = settings.grouping.order(stars["subclass"].tolist(), matches[:, :-1])
    known = {star_key(name) for name in emulator.library.star_names}
    in_library = [bool(name) and star_key(name) in known for name in stars["name"]]
    stars = stars.assign(spectral_class=classes, in_library=in_library)
    return MatchedSurvey(packed, stars, group, matches, observations)


def match_shards(
    paths: list[Path], fitter: BatchFitter, devices: Devices, folder: Path
) -> np.ndarray:
    """Match the stars of shards.

    Args:
        paths: Shards.
        fitter: Emulator and settings.
        devices: Who matches.
        folder: Where the start labels of each shard go; those that are there are kept.

    Returns:
        Start labels and best correlation of each star, side by side, in the order of the shards.
    """
    written = [start_path(folder, path) for path in paths]
    sizes = [len(Shard(path)) for path in paths]
    left = [number for number, path in enumerate(written) if not path.exists()]
    dataset = ShardDataset(paths, fitter.emulator.wave, left)
    n_done = sum(sizes) - sum(sizes[number] for number in left)
    writer = ArrayWriter("matching", written, sum(sizes), n_done)
    devices.run(MatchModule(fitter, devices.at_once), dataset, writer)
    return np.concatenate([np.load(path) for path in written])


def start_path(folder: Path, shard: Path) -> Path:
    """Where the start labels and correlations of a shard go."""
    return folder / f"{shard.stem}.npy"
