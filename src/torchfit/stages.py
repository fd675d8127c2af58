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

from torchfit.catalogue.merge import merge_parts
from torchfit.catalogue.part_writer import PartWriter, part_path
from torchfit.data.datamodule import GroupDataset, PackedSurvey, SurveyDataModule
from torchfit.data.shards import Shard
from torchfit.emulator.learner import TrainerFactory
from torchfit.inference import Inference
from torchfit.library.identity import star_key
from torchfit.report.examples import Examples

MATCH_AT_ONCE = 512


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
    """

    packed: PackedSurvey
    stars: pd.DataFrame
    group: np.ndarray


def match_survey(paths: list[Path], inference: Inference) -> MatchedSurvey:
    """Match every star to the library, and order the survey into groups.

    Args:
        paths: Shards.
        inference: Emulator and settings.

    Returns:
        The survey, ready to fit.
    """
    packed = PackedSurvey.of(paths, inference.emulator.wave)
    stars = pd.concat([Shard(path).info() for path in paths], ignore_index=True)
    start = []
    with tqdm(total=len(stars), desc="matching", unit="star") as bar:
        for low in range(0, len(stars), MATCH_AT_ONCE):
            piece = np.arange(low, min(low + MATCH_AT_ONCE, len(stars)))
            start.append(inference.start(packed.spectra(piece))[1].numpy())
            bar.update(len(piece))
    classes, group = inference.grouping.order(stars["subclass"].tolist(), np.concatenate(start))
    known = {star_key(name) for name in inference.emulator.library.star_names}
    in_library = [bool(name) and star_key(name) in known for name in stars["name"]]
    return MatchedSurvey(packed, stars.assign(spectral_class=classes, in_library=in_library), group)


def fit_survey(
    survey: MatchedSurvey,
    inference: Inference,
    trainer: TrainerFactory,
    folder: Path,
    batch_groups: int,
) -> pd.DataFrame:
    """Fit all groups, batch by batch, and merge the parts.

    Args:
        survey: The matched survey.
        inference: Emulator and settings.
        trainer: Builds the Lightning trainer.
        folder: Where parts go; those that are there are not made again.
        batch_groups: Groups per batch.

    Returns:
        The catalogue's table.

    Raises:
        CatalogueError: If a star is missing or doubled in the parts.
    """
    labels = inference.emulator.label_names
    dataset = GroupDataset(survey.packed, survey.group, batch_groups)
    done = [number for number in dataset.numbers if part_path(folder, number).exists()]
    n_done = int(np.isin(survey.group // batch_groups, done).sum())
    paths = [part_path(folder, number) for number in dataset.numbers]
    rest = GroupDataset(survey.packed, survey.group, batch_groups, done)
    if len(rest):
        writer = PartWriter(folder, survey.stars, labels, n_done)
        run = trainer(callbacks=[writer])
        run.predict(inference, datamodule=SurveyDataModule(rest), return_predictions=False)
    return merge_parts(paths, survey.stars["star"].to_numpy(), labels)


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
    model = inference.emulator.flux(torch.from_numpy(chosen[names].to_numpy(copy=True)))
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
