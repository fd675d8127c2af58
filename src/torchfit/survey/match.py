"""Start labels, classes and groups of a packed survey."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped

from torchfit.group.ordering import order_into_groups
from torchfit.group.spectral_class import spectral_classes
from torchfit.library.identity import star_key
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import MatchModule
from torchfit.survey.datamodule import ShardDataset
from torchfit.survey.devices import Devices
from torchfit.survey.joint import JointStars
from torchfit.survey.packed_survey import PackedSurvey
from torchfit.survey.shards import Shard
from torchfit.survey.stage_writer import ArrayWriter
from torchfit.survey.survey_stars import SurveyStars


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
        stars: The stars.
        group: Group of each star.
        matches: Start labels and best correlation of each star, side by side.
        observed: All spectra of these stars.
    """

    stars: SurveyStars
    group: np.ndarray
    matches: np.ndarray
    observed: Observations

    @property
    def packed(self) -> PackedSurvey:
        """The shards."""
        return self.stars.packed


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
    packed = PackedSurvey.of(paths, emulator.wave)
    # A copy: an array that lies in the file would keep it open.
    number = np.concatenate([np.array(Shard(path).whole("star", -1)) for path in paths])
    used = ~np.isin(number, left_out)
    n_joint = 0 if joint is None else len(joint.count)
    observed = np.flatnonzero(used)[: np.count_nonzero(used) - n_joint]
    observations = Observations(packed.part(observed), matches[observed, 0])
    kept = np.flatnonzero(used & ~np.isin(number, [] if joint is None else joint.members))
    # An archive comes in an order of its own; that of the table is that of the running numbers.
    kept = kept[np.argsort(number[kept], kind="stable")]
    packed, matches = packed.part(kept), matches[kept]
    n_exposures = np.ones(len(kept), dtype=np.int32)
    if joint is not None and n_joint:
        packed = replace(packed, exposures=joint.beside(packed))
        n_exposures[-n_joint:] = joint.count
    classes, in_library = _classes_and_names(packed, matches[:, 0], emulator.library.star_names)
    group = order_into_groups(classes, matches[:, :-1], settings.grouping.n_group)
    stars = SurveyStars(packed, number[kept], n_exposures, classes, in_library)
    return MatchedSurvey(stars, group, matches, observations)


def _classes_and_names(
    packed: PackedSurvey, teff: Float[np.ndarray, " star"], library: Sequence[str]
) -> tuple[Shaped[np.ndarray, " star"], Bool[np.ndarray, " star"]]:
    """Coarse class of every star, and whether its name is one of the library."""
    known = {star_key(name) for name in library}
    classes, in_library, first = [], [], 0
    for piece in packed.pieces(["subclass", "name"]):
        here = teff[first : first + len(piece)]
        classes.append(np.array(spectral_classes(piece["subclass"].tolist(), here)))
        names = piece["name"].tolist()
        in_library.append(np.array([bool(name) and star_key(name) in known for name in names]))
        first += len(piece)
    return np.concatenate(classes), np.concatenate(in_library)


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
    dataset = ShardDataset(paths, fitter.emulator.wave, left, sizes)
    n_done = sum(sizes) - sum(sizes[number] for number in left)
    writer = ArrayWriter("matching", written, sum(sizes), n_done)
    devices.run(MatchModule(fitter, devices.at_once), dataset, writer)
    return np.concatenate([np.load(path) for path in written])


def start_path(folder: Path, shard: Path) -> Path:
    """Where the start labels and correlations of a shard go."""
    return folder / f"{shard.stem}.npy"
