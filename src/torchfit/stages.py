"""A survey run, stage by stage: pack, match, fit, merge. Finished work of a broken run is kept."""

import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from torchfit.allocator import keep_freed_memory
from torchfit.catalogue.part_writer import PartWriter, part_path
from torchfit.crew import ALONE, Crew
from torchfit.data.datamodule import GroupDataset, PackedSurvey, SurveyDataModule
from torchfit.data.shards import Shard
from torchfit.emulator.emulator import Emulator
from torchfit.emulator.learner import TrainerFactory
from torchfit.inference import Inference
from torchfit.io.atomic import atomic
from torchfit.library.identity import star_key
from torchfit.optimise.noise_shape import NoiseShape
from torchfit.report.examples import Examples

MATCH_AT_ONCE = 256
NOISE_STARS = 4096


def run_key(settings: Mapping[str, object]) -> str:
    """Name of the work folder of a run: the same settings, the same name.

    Args:
        settings: Everything that decides the result, as plain values.

    Returns:
        Sixteen hexadecimal digits.
    """
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class MatchedSurvey:
    """A packed survey whose stars have classes and groups.

    Args:
        packed: The shards.
        stars: One row per star: what its file says, ``spectral_class`` and ``in_library``.
        group: Group of each star.
        matches: Start labels and best correlation of each star, side by side.
    """

    packed: PackedSurvey
    stars: pd.DataFrame
    group: np.ndarray
    matches: np.ndarray


def match_survey(
    paths: list[Path], inference: Inference, folder: Path, crew: Crew = ALONE
) -> MatchedSurvey:
    """Match every star to the library, and order the survey into groups.

    Args:
        paths: Shards.
        inference: Emulator and settings.
        folder: Where the start labels of each shard go; those that are there are kept.
        crew: Who matches which shards.

    Returns:
        The survey, ready to fit.
    """
    packed = PackedSurvey.of(paths, inference.emulator.wave)
    keep_freed_memory()
    stars = pd.concat([Shard(path).info() for path in paths], ignore_index=True)
    with tqdm(total=len(stars), desc="matching", unit="star", disable=not crew.leads) as bar:
        for number, path in enumerate(paths):
            if crew.takes(number):
                match_shard(path, inference, folder)
                bar.update(len(Shard(path)) * crew.size)
    crew.meet()
    matches = np.concatenate([np.load(start_path(folder, path)) for path in paths])
    classes, group = inference.grouping.order(stars["subclass"].tolist(), matches[:, :-1])
    known = {star_key(name) for name in inference.emulator.library.star_names}
    in_library = [bool(name) and star_key(name) in known for name in stars["name"]]
    inference.know_noise(noise_shape(packed, matches, inference.emulator))
    stars = stars.assign(spectral_class=classes, in_library=in_library)
    return MatchedSurvey(packed, stars, group, matches)


def noise_shape(packed: PackedSurvey, matches: np.ndarray, emulator: Emulator) -> NoiseShape:
    """How the survey's noise runs with wavelength, from stars all over the survey.

    Args:
        packed: The shards.
        matches: Start labels and best correlation of each star.
        emulator: Gives grid and nodes.

    Returns:
        The shape; the same in every process.
    """
    shape = NoiseShape.flat(emulator.residuals.nodes, len(emulator.wave))
    chosen = np.unique(np.linspace(0, len(matches) - 1, NOISE_STARS).astype(int))
    for piece in np.array_split(chosen, -(-len(chosen) // MATCH_AT_ONCE)):
        shape.add(packed.spectra(piece), torch.from_numpy(matches[piece, 0]))
    return shape


def start_path(folder: Path, shard: Path) -> Path:
    """Where the start labels and correlations of a shard go."""
    return folder / f"{shard.stem}.npy"


def match_shard(path: Path, inference: Inference, folder: Path) -> None:
    """Write the start labels of the stars of a shard, unless they are there.

    Args:
        path: The shard.
        inference: Emulator and settings.
        folder: Where they go.
    """
    if start_path(folder, path).exists():
        return
    shard = Shard(path)
    pieces = np.split(np.arange(len(shard)), range(MATCH_AT_ONCE, len(shard), MATCH_AT_ONCE))
    spectra = (shard.spectra(inference.emulator.wave, piece) for piece in pieces)
    found = (inference.start(piece) for piece in spectra)
    matches = [torch.cat([start, cfi.max(1).values[:, None]], dim=1) for cfi, start in found]
    with atomic(start_path(folder, path)) as temp, temp.open("wb") as file:
        np.save(file, torch.cat(matches).numpy())


def fit_survey(
    survey: MatchedSurvey,
    inference: Inference,
    trainer: TrainerFactory,
    folder: Path,
    batch_groups: int,
    crew: Crew = ALONE,
) -> list[Path]:
    """Fit all groups, batch by batch; every process its share.

    Args:
        survey: The matched survey.
        inference: Emulator and settings.
        trainer: Builds the Lightning trainer.
        folder: Where parts go; those that are there are not made again.
        batch_groups: Groups per batch.
        crew: Whose shares must be done before the parts are complete.

    Returns:
        All parts.
    """
    labels = inference.emulator.label_names
    dataset = GroupDataset(survey.packed, survey.group, batch_groups)
    done = [number for number in dataset.numbers if part_path(folder, number).exists()]
    n_done = int(np.isin(survey.group // batch_groups, done).sum())
    paths = [part_path(folder, number) for number in dataset.numbers]
    rest = GroupDataset(survey.packed, survey.group, batch_groups, done, survey.matches)
    crew.meet()  # All have seen the same to be done, before anyone does more of it.
    if len(rest):
        writer = PartWriter(folder, survey.stars, labels, n_done)
        run = trainer(callbacks=[writer])
        run.predict(inference, datamodule=SurveyDataModule(rest), return_predictions=False)
    crew.meet()
    return paths


def choose_examples(
    table: pd.DataFrame, survey: MatchedSurvey, inference: Inference, n_examples: int
) -> Examples:
    """Take spectra to show: of each class the one of median chi-squared, then the worst of all.

    Args:
        table: The catalogue's table.
        survey: The matched survey.
        inference: Emulator and settings.
        n_examples: How many spectra to take at most.

    Returns:
        Observed and model spectra.
    """
    ranked = table.sort_values(["rchi2", "star"])
    middle = [rows.index[len(rows) // 2] for _, rows in ranked.groupby("spectral_class")]
    worst = [index for index in ranked.index[::-1] if index not in middle]
    chosen = table.loc[(middle + worst)[:n_examples]]
    place = pd.Series(survey.stars.index, index=survey.stars["star"])[chosen["star"]].to_numpy()
    spectra = survey.packed.spectra(place)
    names = list(inference.emulator.label_names)
    model = inference.emulator.flux(
        torch.from_numpy(chosen[names].to_numpy(dtype=float, copy=True))
    )
    known = inference.emulator.flux_pca.good
    good = spectra.good & known
    return Examples(
        wave=spectra.wave.numpy(),
        flux=spectra.flux.numpy(),
        model=torch.where(known, model, torch.nan).numpy(),
        ivar=torch.where(good, spectra.ivar, 0.0).numpy(),
        star=chosen["star"].to_numpy(),
        title=tuple(_title(row) for row in chosen.to_dict("records")),
    )


def _title(row: Mapping[Hashable, Any]) -> str:
    name = row["name"] or Path(str(row["source"])).name
    return (
        f"{name} {row['subclass']}: Teff {row['teff']:.0f} K, log g {row['logg']:.2f}, "
        f"[Fe/H] {row['fe_h']:+.2f}, reduced chi2 {row['rchi2']:.2f}"
    )
