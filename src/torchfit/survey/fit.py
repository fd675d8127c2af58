"""The fit of a matched survey: every process its share, every finished part kept."""

from pathlib import Path

import numpy as np

from torchfit.emulator.learner import TrainerFactory
from torchfit.measure.fitter import BatchFitter
from torchfit.measure.module import FitModule
from torchfit.survey.crew import ALONE, Crew
from torchfit.survey.datamodule import GroupDataset, SurveyDataModule
from torchfit.survey.match import MatchedSurvey
from torchfit.survey.part_writer import PartWriter, part_path


def fit_survey(
    survey: MatchedSurvey,
    fitter: BatchFitter,
    trainer: TrainerFactory,
    folder: Path,
    batch_groups: int,
    crew: Crew = ALONE,
) -> list[Path]:
    """Fit all groups, batch by batch; every process its share.

    Args:
        survey: The matched survey.
        fitter: Emulator and settings.
        trainer: Builds the Lightning trainer.
        folder: Where parts go; those that are there are not made again.
        batch_groups: Groups per batch.
        crew: Whose shares must be done before the parts are complete.

    Returns:
        All parts.
    """
    labels = fitter.emulator.label_names
    dataset = GroupDataset(survey.packed, survey.group, batch_groups)
    done = [number for number in dataset.numbers if part_path(folder, number).exists()]
    n_done = int(np.isin(survey.group // batch_groups, done).sum())
    paths = [part_path(folder, number) for number in dataset.numbers]
    rest = GroupDataset(survey.packed, survey.group, batch_groups, done, survey.matches)
    crew.meet()  # All have seen the same to be done, before anyone does more of it.
    if len(rest):
        writer = PartWriter(folder, survey.stars, labels, n_done)
        run = trainer(callbacks=[writer])
        run.predict(FitModule(fitter), datamodule=SurveyDataModule(rest), return_predictions=False)
    crew.meet()
    return paths
