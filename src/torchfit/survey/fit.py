"""The fit of a matched survey: every process its share, every finished part kept."""

from pathlib import Path

import numpy as np

from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import FitModule
from torchfit.survey.datamodule import GroupDataset
from torchfit.survey.devices import Devices
from torchfit.survey.match import MatchedSurvey
from torchfit.survey.part_writer import PartWriter, part_path


def fit_survey(
    survey: MatchedSurvey,
    fitter: BatchFitter,
    devices: Devices,
    folder: Path,
    batch_groups: int,
) -> list[Path]:
    """Fit all groups, batch by batch; every process its share.

    Args:
        survey: The matched survey.
        fitter: Emulator and settings.
        devices: Who does it.
        folder: Where parts go; those that are there are not made again.
        batch_groups: Groups per batch.

    Returns:
        All parts.
    """
    labels = fitter.emulator.label_names
    dataset = GroupDataset(survey.packed, survey.group, batch_groups)
    done = [number for number in dataset.numbers if part_path(folder, number).exists()]
    n_done = int(np.isin(survey.group // batch_groups, done).sum())
    paths = [part_path(folder, number) for number in dataset.numbers]
    rest = GroupDataset(survey.packed, survey.group, batch_groups, done, survey.matches)
    writer = PartWriter(folder, survey.stars, labels, n_done)
    devices.run(FitModule(fitter, devices.at_once), rest, writer)
    return paths
